using System.Collections.Concurrent;
using System.Text.Json;

namespace Outpost;

/// <summary>
/// Runs commands: read the entity, decide, and commit state and events together, each command exactly once.
/// Thread-safe; one per process.
/// </summary>
public sealed class EventLog(IEventStore store, TimeProvider time)
{
    // Commands with a key that are under way in this process: a repeat waits here instead of racing its original.
    private readonly ConcurrentDictionary<(string Scope, string Key, string Subject), Task> _inFlight = new();

    /// <summary>Runs one command.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up; the command may still have been committed.</exception>
    public async Task<CommandResult<TState>> ExecuteAsync<TState>(Command<TState> command, CancellationToken cancellationToken)
        where TState : class
    {
        if (command.Idempotency is not { } idempotency) return await DecideAndCommitAsync(command, cancellationToken);

        var key = (idempotency.Scope, idempotency.Key, command.Entity.Subject(command.EntityId));
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!await EnterAsync(key, mine.Task, cancellationToken))
            return new CommandResult<TState>.Busy("The same command is still under way; try again later with the same key.");

        try
        {
            return await DecideAndCommitAsync(command, cancellationToken);
        }
        finally
        {
            _inFlight.TryRemove(key, out _);
            mine.SetResult();
        }
    }

    private async Task<bool> EnterAsync(
        (string Scope, string Key, string Subject) key, Task mine, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (_inFlight.GetOrAdd(key, mine) is var first && first != mine)
        {
            var left = Limits.RepeatWaitMax - time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero) return false;
            try
            {
                await first.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return false;
            }
        }

        return true;
    }

    private async Task<CommandResult<TState>> DecideAndCommitAsync<TState>(
        Command<TState> command, CancellationToken cancellationToken)
        where TState : class
    {
        var layout = await store.LayoutAsync(cancellationToken);
        var partition = layout.PartitionOf(command.Entity.Subject(command.EntityId));
        for (var attempt = 1; attempt <= Limits.DecisionTriesMax; attempt++)
        {
            var guessed = command.LikelyNew && attempt == 1;
            var entity = guessed
                ? null
                : await store.ReadEntityAsync(partition, command.Entity.Name, command.EntityId, cancellationToken);
            switch (Decide(command, entity))
            {
                case Outcome<TState>.Finished when guessed:
                    break; // Only a commit can be tried on a guess; an answer needs the facts.

                case Outcome<TState>.Finished finished:
                    return await AnsweredBeforeAsync(command, partition, cancellationToken) ?? finished.Result;

                case Outcome<TState>.Write write:
                    var result = await CommitAsync(command, partition, write, cancellationToken);
                    if (result is not null) return result;
                    break; // The entity changed between the read and the commit: decide again on fresh state.
            }
        }

        return new CommandResult<TState>.Busy(
            $"{command.Entity.Subject(command.EntityId)} changed {Limits.DecisionTriesMax} times while the command was being decided.");
    }

    private async Task<CommandResult<TState>?> CommitAsync<TState>(
        Command<TState> command, int partition, Outcome<TState>.Write write, CancellationToken cancellationToken)
        where TState : class
    {
        CommitResult committed;
        try
        {
            committed = await store.CommitAsync(partition, write.Change, cancellationToken);
        }
        catch (TooLargeException e)
        {
            return new CommandResult<TState>.TooLarge(e.Message);
        }

        return committed switch
        {
            CommitResult.Committed => new CommandResult<TState>.Done(write.State, write.Change.Version, Replayed: false),
            CommitResult.EntityChanged => null,
            // The receipt may be gone again (trimmed) before it is read: then the command is simply new.
            CommitResult.DoneBefore => await AnsweredBeforeAsync(command, partition, cancellationToken),
            CommitResult.QueueFull => new CommandResult<TState>.Busy("Too many commands are waiting."),
            CommitResult.Unknown => new CommandResult<TState>.Unknown(
                "The store did not say whether it took the command. Send it again with the same Idempotency-Key."),
            _ => throw new InvalidOperationException($"Unknown commit result {committed}."),
        };
    }

    // What a command that writes nothing would answer gives way to the answer it had when it was done before.
    private async Task<CommandResult<TState>?> AnsweredBeforeAsync<TState>(
        Command<TState> command, int partition, CancellationToken cancellationToken)
        where TState : class
    {
        if (command.Idempotency is not { } idempotency) return null;
        var receipt = await store.ReadReceiptAsync(partition, idempotency, cancellationToken);
        if (receipt is null) return null;
        return receipt.Fingerprint == idempotency.Fingerprint
            ? new CommandResult<TState>.Done(command.Entity.Read(receipt.State), receipt.Version, Replayed: true)
            : new CommandResult<TState>.KeyReused();
    }

    private static Outcome<TState> Decide<TState>(Command<TState> command, StoredEntity? entity)
        where TState : class
    {
        var state = entity is null ? null : command.Entity.Read(entity);
        var stale = command.IfMatch is { } condition && !condition.Accepts(entity?.Version)
            ? new Outcome<TState>.Finished(new CommandResult<TState>.Stale(entity?.Version))
            : null;
        if (stale is not null && entity is not null) return stale;

        switch (command.Decide(state))
        {
            case Decision<TState>.Refused refused:
                return new Outcome<TState>.Finished(new CommandResult<TState>.Refused(refused.Refusal));
            case Decision<TState>.Accepted accepted when stale is not null:
                return stale;
            case Decision<TState>.Accepted { Events.Count: 0 } unchanged:
                return new Outcome<TState>.Finished(
                    new CommandResult<TState>.Done(state ?? unchanged.State, entity?.Version ?? 0, Replayed: false));
            case Decision<TState>.Accepted accepted:
                return new Outcome<TState>.Write(accepted.State, new Change(
                    command.Entity.Name, command.EntityId, entity,
                    JsonSerializer.SerializeToUtf8Bytes(accepted.State, command.Entity.Json),
                    accepted.Events, command.Idempotency, command.TraceParent, command.CorrelationId));
            default:
                throw new InvalidOperationException("A decision must be Accepted or Refused.");
        }
    }

    private abstract record Outcome<TState>
        where TState : class
    {
        internal sealed record Finished(CommandResult<TState> Result) : Outcome<TState>;

        internal sealed record Write(TState State, Change Change) : Outcome<TState>;
    }
}
