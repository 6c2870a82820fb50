using System.Collections.Concurrent;
using System.Text.Json;

namespace Outpost;

/// <summary>
/// Runs commands: reads the entity, decides, and commits state and events together, each command exactly once. Thread-safe. A
/// process has one.
/// </summary>
public sealed class EventLog
{
    // Commands with a key that are under way in this process. A repeat waits here, so that it does not race its original.
    private readonly ConcurrentDictionary<(string Scope, string Key), Task> _inFlight = new();
    private readonly IEventStore _store;
    private readonly TimeProvider _time;
    private readonly OutpostMetrics? _metrics;
    private readonly EntityTurns _turns;
    private readonly EntityPlaces _places;

    /// <param name="store">Holds the log.</param>
    /// <param name="time">Measures waiting.</param>
    /// <param name="metrics">Counts commands by result; null if nothing counts them.</param>
    internal EventLog(IEventStore store, TimeProvider time, OutpostMetrics? metrics = null)
    {
        (_store, _time, _metrics) = (store, time, metrics);
        (_turns, _places) = (new EntityTurns(time), new EntityPlaces(store, metrics));
    }

    /// <summary>
    /// Runs one command in a span of its own. Its events carry the command's trace parent. If the command has none, they carry that of
    /// the current span.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller gave up. The command may still have been committed.</exception>
    public async Task<CommandResult<TState>> ExecuteAsync<TState>(Command<TState> command, CancellationToken cancellationToken)
        where TState : class
    {
        using var span = CommandSpan.Start(command, _metrics);
        using var deadline = new CancellationTokenSource(Limits.CommandWaitMax, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            var result = await OnceAsync(command with { TraceParent = CommandSpan.TraceParentOf(command.TraceParent) }, either.Token);
            // The caller hears no more of a command that was sent already.
            if (result is CommandResult<TState>.Unknown) cancellationToken.ThrowIfCancellationRequested();
            return span.Answered(result);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && deadline.IsCancellationRequested)
        {
            return span.Answered(new CommandResult<TState>.Busy(
                $"There was no answer within {Limits.CommandWaitMax.TotalSeconds} seconds; nothing was written."));
        }
        catch (Exception e)
        {
            span.Failed(e);
            throw;
        }
    }

    /// <summary>An entity as it is now; null if it does not exist.</summary>
    /// <exception cref="StoreUnavailableException">The store cannot be reached.</exception>
    /// <exception cref="DamagedRowException">The stored state cannot be read as this type.</exception>
    public async Task<Versioned<TState>?> ReadAsync<TState>(EntityType<TState> entity, string entityId, CancellationToken cancellationToken)
        where TState : class
    {
        while (true)
        {
            var found = await _places.FindAsync(entity.Name, entityId, isLikelyNew: false, cancellationToken);
            if (found.Entity is { } stored) return new Versioned<TState>(entity.Read(stored), stored.Version);
            if (!await _places.HasGrownSinceAsync(found, cancellationToken)) return null;
        }
    }

    private async Task<CommandResult<TState>> OnceAsync<TState>(Command<TState> command, CancellationToken cancellationToken)
        where TState : class
    {
        var began = _time.GetTimestamp();
        if (command.Idempotency is not { } idempotency) return await DecideAndCommitAsync(command, began, cancellationToken);

        if (idempotency.Key.Length is 0 or > Limits.IdempotencyKeyMax)
            throw new ArgumentException($"The idempotency key must have 1 to {Limits.IdempotencyKeyMax} characters.", nameof(command));
        var key = (idempotency.Scope, idempotency.Key);
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!await EnterAsync(key, mine.Task, cancellationToken))
            return new CommandResult<TState>.Busy("The same command is still under way; try again later with the same key.");

        try
        {
            return await DecideAndCommitAsync(command, began, cancellationToken);
        }
        finally
        {
            _inFlight.TryRemove(key, out _);
            mine.SetResult();
        }
    }

    private async Task<bool> EnterAsync((string Scope, string Key) key, Task mine, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        while (_inFlight.GetOrAdd(key, mine) is var first && first != mine)
        {
            var left = Limits.RepeatWaitMax - _time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero) return false;
            try
            {
                await UntilDoneAsync(first).WaitAsync(left, _time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return false;
            }
        }

        return true;

        // Awaiting the task itself would continue where the task completed, outside this caller's scheduler.
        static async Task UntilDoneAsync(Task task) => await task;
    }

    private async Task<CommandResult<TState>> DecideAndCommitAsync<TState>(
        Command<TState> command, long began, CancellationToken cancellationToken)
        where TState : class
    {
        var layout = await _store.LayoutAsync(cancellationToken);
        var subject = command.Entity.Subject(command.EntityId);
        var partition = layout.PartitionOf(subject);
        IDisposable? turn = null;
        try
        {
            for (var attempt = 1; attempt <= Limits.DecisionTriesMax; attempt++)
            {
                // The first try needs no turn, so an entity that only one command uses costs nothing more.
                if (turn is null && (attempt > 1 || _turns.IsContended((partition, subject))))
                {
                    turn = await _turns.TakeAsync((partition, subject), cancellationToken);
                    if (turn is null) return new CommandResult<TState>.Busy($"Too many commands wait for {subject}.");
                }

                var guess = command.LikelyNew && attempt == 1;
                if (await TryAsync(command, began, guess, cancellationToken) is { } result)
                    return result;
            }
        }
        catch (TooLargeException e)
        {
            return new CommandResult<TState>.TooLarge(e.Message);
        }
        finally
        {
            turn?.Dispose();
        }

        return new CommandResult<TState>.Busy($"{subject} changed {Limits.DecisionTriesMax} times while the command was being decided.");
    }

    // Null: the entity has changed since the decision. Decide again on fresh state.
    private async Task<CommandResult<TState>?> TryAsync<TState>(
        Command<TState> command, long began, bool guess, CancellationToken cancellationToken)
        where TState : class
    {
        var found = await _places.FindAsync(command.Entity.Name, command.EntityId, isLikelyNew: guess, cancellationToken);
        guess &= found.Entity is null;
        // The process was suspended. A repeat elsewhere may have committed meanwhile and left no trace: a receipt is deleted after an
        // hour at the earliest.
        if (_time.GetElapsedTime(began) > Limits.CommandLifeMax)
            return new CommandResult<TState>.Busy("The command was held up for too long; nothing was written. Send it again with the same Idempotency-Key.");
        return Decide(command, found.Entity) switch
        {
            // Only a commit may be tried on a guess. An answer needs the stored facts.
            Outcome<TState>.Finished when guess => null,
            Outcome<TState>.Finished when found.Entity is null && await _places.HasGrownSinceAsync(found, cancellationToken) => null,
            Outcome<TState>.Finished finished => await AnsweredBeforeAsync(command, found.Partition, cancellationToken) ?? finished.Result,
            Outcome<TState>.Write write => await CommitAsync(command, found, write, cancellationToken),
            var other => throw new InvalidOperationException($"Unknown outcome {other}."),
        };
    }

    private async Task<CommandResult<TState>?> CommitAsync<TState>(
        Command<TState> command, EntityPlaces.Found found, Outcome<TState>.Write write, CancellationToken cancellationToken)
        where TState : class
    {
        return await _store.CommitAsync(found.Partition, write.Change with { Generation = found.Layout.Generation }, cancellationToken) switch
        {
            CommitResult.Committed => new CommandResult<TState>.Done(write.State, write.Change.Version, Replayed: false),
            CommitResult.EntityChanged or CommitResult.LogGrown => null,
            // Retention may delete the receipt before it is read. Then the command counts as new.
            CommitResult.DoneBefore => await AnsweredBeforeAsync(command, found.Partition, cancellationToken),
            CommitResult.QueueFull => new CommandResult<TState>.Busy("Too many commands are waiting."),
            CommitResult.Unknown => new CommandResult<TState>.Unknown(
                "The store did not say whether it took the command. Send it again with the same Idempotency-Key."),
            var other => throw new InvalidOperationException($"Unknown commit result {other}."),
        };
    }

    // If the command was done before, its earlier answer counts, and not what it would answer now. Its receipt is where its entity
    // is, even if the log would put a new entity elsewhere by now.
    private async Task<CommandResult<TState>?> AnsweredBeforeAsync<TState>(
        Command<TState> command, int partition, CancellationToken cancellationToken)
        where TState : class
    {
        if (command.Idempotency is not { } idempotency) return null;
        var receipt = await _store.ReadReceiptAsync(partition, idempotency, cancellationToken);
        if (receipt is null) return null;
        return receipt.Fingerprint == idempotency.Fingerprint
            ? new CommandResult<TState>.Done(command.Entity.Read(receipt), receipt.Version, Replayed: true)
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
                    [.. accepted.Events.Select(@event => NewEvent.From(@event, command.Entity.Json.Options))], command.Idempotency, command.TraceParent, command.CorrelationId));
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
