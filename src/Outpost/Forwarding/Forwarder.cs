using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Outpost.Forwarding;

/// <summary>
/// Brings every entry of every partition to one target, in offset order and at least once: deliver, then move the
/// checkpoint by compare-and-swap. Whoever loses the swap stops at once, so that two forwarders alive at the same time
/// neither move a checkpoint back nor past an entry that was not delivered.
/// </summary>
public sealed partial class Forwarder(
    IEventStore store, IForwardTarget target, ForwarderOptions options, TimeProvider time, ILogger<Forwarder> logger)
{
    // A partition that fails says so when it begins and when it ends, not at every tick.
    private readonly ConcurrentDictionary<int, string> _failing = new();

    // The longest a checkpoint write may take once shutdown has begun: hosts kill soon after.
    private static readonly TimeSpan LastWriteMax = TimeSpan.FromSeconds(5);

    /// <summary>Its name.</summary>
    public string Name => options.Name;

    /// <summary>
    /// One run: forwards what there is in all partitions side by side, and looks for more until nothing came for
    /// <see cref="ForwarderOptions.Linger"/> or <see cref="ForwarderOptions.RunMax"/> is over.
    /// </summary>
    public async Task<ForwardRun> RunAsync(CancellationToken cancellationToken)
    {
        var layout = await store.LayoutAsync(cancellationToken);
        using var runEnd = new CancellationTokenSource(options.RunMax, time);
        var start = time.GetTimestamp();
        var runs = await Task.WhenAll(Enumerable.Range(0, layout.Partitions)
            .Select(partition => RunPartitionAsync(partition, runEnd.Token, cancellationToken)));
        var run = new ForwardRun(runs.Sum(r => r.Delivered), runs.Sum(r => r.Batches), runs.Count(r => r.Failed));
        if (run.Delivered > 0)
            LogRun(options.Name, run.Delivered, run.Batches, run.FailedPartitions, time.GetElapsedTime(start).TotalMilliseconds);
        return run;
    }

    private async Task<PartitionRun> RunPartitionAsync(int partition, CancellationToken runEnd, CancellationToken stop)
    {
        var run = new PartitionRun();
        try
        {
            var idleSince = time.GetTimestamp();
            while (!runEnd.IsCancellationRequested)
            {
                var before = run.Delivered;
                if (!await DrainAsync(partition, run, runEnd, stop)) break;
                if (run.Delivered > before) idleSince = time.GetTimestamp();
                if (run.Delivered == 0 || time.GetElapsedTime(idleSince) >= options.Linger) break;
                await Task.Delay(options.Poll, time, stop);
            }

            if (_failing.TryRemove(partition, out _)) LogRecovered(options.Name, partition);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Shutdown: what was delivered has its checkpoint, the rest is for the next run.
        }
        catch (Exception e) when (e is not LayoutMismatchException)
        {
            run.Failed = true;
            var reason = $"{e.GetType().Name}: {e.Message}";
            if (!_failing.TryGetValue(partition, out var known) || known != e.GetType().Name)
                LogFailing(options.Name, partition, reason, e);
            _failing[partition] = e.GetType().Name;
        }

        return run;
    }

    // False: somebody else forwards this partition; leave it to them.
    private async Task<bool> DrainAsync(int partition, PartitionRun run, CancellationToken runEnd, CancellationToken stop)
    {
        var state = await store.ReadPartitionAsync(partition, stop);
        var checkpoint = state.Checkpoints.GetValueOrDefault(options.Name) ?? await StartAsync(state, stop);
        if (checkpoint is null) return false;

        while (checkpoint.NextOffset < state.Head && !runEnd.IsCancellationRequested)
        {
            var page = await store.ReadEventsAsync(partition, checkpoint.NextOffset, Limits.ForwardPageEntries, stop);
            if (page.Count == 0)
            {
                if (checkpoint.NextOffset < state.Oldest)
                    throw new InvalidOperationException(
                        $"Partition {partition}: entries from {checkpoint.NextOffset} to {state.Oldest - 1} are gone before {options.Name} forwarded them.");
                return true; // The head is visible a moment before its entries are: look again at the next poll.
            }

            for (var sent = 0; sent < page.Count && !runEnd.IsCancellationRequested;)
            {
                stop.ThrowIfCancellationRequested();
                var rest = sent == 0 ? page : [.. page.Skip(sent)];
                var accepted = await target.DeliverAsync(rest, stop);
                sent += accepted;
                run.Delivered += accepted;
                run.Batches++;
                var moved = await SaveAsync(partition, checkpoint, checkpoint.NextOffset + accepted);
                if (moved is null) return false;
                checkpoint = moved;
            }
        }

        return true;
    }

    // Starting at the head must be written down at once: the head moves on.
    private async Task<Checkpoint?> StartAsync(PartitionState state, CancellationToken cancellationToken)
    {
        var fresh = new Checkpoint(options.Name, state.Oldest, Epoch: 1, options.Owner, Write: 0, Tag: null);
        return options.StartAt == StartAt.Oldest
            ? fresh
            : await store.SaveCheckpointAsync(state.Partition, fresh with { NextOffset = state.Head, Write = 1 }, cancellationToken);
    }

    // What is delivered is delivered: its checkpoint is written even when the run is being stopped.
    private async Task<Checkpoint?> SaveAsync(int partition, Checkpoint checkpoint, long nextOffset)
    {
        using var deadline = new CancellationTokenSource(LastWriteMax, time);
        var mine = checkpoint.Owner == options.Owner;
        var next = checkpoint with
        {
            NextOffset = nextOffset,
            Owner = options.Owner,
            Epoch = mine ? checkpoint.Epoch : checkpoint.Epoch + 1,
            Write = checkpoint.Write + 1,
        };
        var saved = await store.SaveCheckpointAsync(partition, next, deadline.Token);
        if (saved is null) LogOvertaken(options.Name, partition, checkpoint.NextOffset);
        return saved;
    }

    private sealed class PartitionRun
    {
        public int Delivered { get; set; }

        public int Batches { get; set; }

        public bool Failed { get; set; }
    }

    [LoggerMessage(1, LogLevel.Information,
        "Forwarder {Forwarder}: {Delivered} entries in {Batches} batches, {FailedPartitions} partitions failing, {ElapsedMs:F0} ms")]
    private partial void LogRun(string forwarder, int delivered, int batches, int failedPartitions, double elapsedMs);

    [LoggerMessage(2, LogLevel.Error, "Forwarder {Forwarder}: partition {Partition} is failing: {Reason}")]
    private partial void LogFailing(string forwarder, int partition, string reason, Exception exception);

    [LoggerMessage(3, LogLevel.Information, "Forwarder {Forwarder}: partition {Partition} works again")]
    private partial void LogRecovered(string forwarder, int partition);

    [LoggerMessage(4, LogLevel.Information,
        "Forwarder {Forwarder}: partition {Partition} is being forwarded by another process from offset {Offset} on")]
    private partial void LogOvertaken(string forwarder, int partition, long offset);
}

/// <summary>What one run did.</summary>
/// <param name="Delivered">Entries accepted by the target.</param>
/// <param name="Batches">Deliveries it took.</param>
/// <param name="FailedPartitions">Partitions whose forwarding stopped with an error.</param>
public sealed record ForwardRun(int Delivered, int Batches, int FailedPartitions);
