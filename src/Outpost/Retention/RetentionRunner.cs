using Microsoft.Extensions.Logging;
using Outpost.Forwarding;

namespace Outpost.Retention;

/// <summary>
/// Deletes old receipts, and old entries that every forwarder has delivered. Several processes may do so at once: rows that
/// another one has deleted do not matter. It runs with the timer, a little at a time.
/// </summary>
internal sealed partial class RetentionRunner(
    IEventStore events,
    IRetentionStore store,
    IForwardingStore forwarding,
    PartitionWatch watch,
    ForwardingEngine engine,
    RetentionOptions options,
    Sources sources,
    OutpostMetrics metrics,
    ILogger<RetentionRunner> logger)
{
    // The limit for one partition in one run: two thousand rows. The next run goes on.
    private const int TransactionsPerRun = 20;

    // The limit for all partitions in one run, since the timer forwards again only when the run is over.
    private static readonly TimeSpan RunMax = TimeSpan.FromSeconds(10);

    // Work that was begun by then ends too: a hundred rows may need deleting one by one, in a store that takes seconds for each.
    private static readonly TimeSpan RunEnd = RunMax + TimeSpan.FromSeconds(5);

    // A pause of three times the work leaves commits and forwarding at least three quarters of the partition's time.
    private const int PauseFactor = 3;
    private static readonly TimeSpan LookSoon = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LookLate = TimeSpan.FromHours(1);

    private readonly Dictionary<int, long> _notBefore = [];
    private readonly Dictionary<int, Hold> _told = [];
    private int _first;
    private long _began;

    /// <summary>Looks at each partition in which something may be due. Do not call it twice at the same time.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        _began = sources.Time.GetTimestamp();
        using var deadline = new CancellationTokenSource(RunEnd, sources.Time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, deadline.Token);
        var layout = await events.LayoutAsync(stop);
        var first = _first;
        for (var looked = 0; looked < layout.Partitions && HasTime; looked++)
        {
            var partition = (first + looked) % layout.Partitions;
            // If the time runs out here, the next run begins with the next partition.
            _first = (partition + 1) % layout.Partitions;
            var now = sources.Time.GetTimestamp();
            if (_notBefore.TryGetValue(partition, out var at) && now < at) continue;
            try
            {
                var wait = await TrimAsync(partition, end.Token);
                _notBefore[partition] = now + (long)(wait.TotalSeconds * sources.Time.TimestampFrequency);
            }
            catch (Exception e) when (e is StoreUnavailableException or DamagedRowException)
            {
                LogLater(partition, e.Message);
            }
            catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
            {
                LogLater(partition, e.Message);
            }
        }
    }

    private bool HasTime => sources.Time.GetElapsedTime(_began) < RunMax;

    // Returns how long there will be nothing to do.
    private async Task<TimeSpan> TrimAsync(int partition, CancellationToken stop)
    {
        // Needs fresh state: where an old receipt was deleted, there may now be that of a new command.
        if (await UntrimmedAsync(partition, stop) is not { } state) return TimeSpan.Zero;
        var receipts = await TrimReceiptsAsync(state, TransactionsPerRun, stop);
        if (receipts is not { } receiptsDone) return TimeSpan.Zero;
        var (afterReceipts, receiptWait) = receiptsDone;
        if (options.EventsAtLeast is not { } keep) return receiptWait;
        var eventWait = await TrimEventsAsync(afterReceipts, keep, TransactionsPerRun, stop);
        return eventWait < receiptWait ? eventWait : receiptWait;
    }

    // The current state, after deleting the rows below the oldest offset: another run may have ended before it deleted them.
    private async Task<PartitionState?> UntrimmedAsync(int partition, CancellationToken stop)
    {
        var state = await watch.ReadAsync(partition, TimeSpan.Zero, stop);
        if (state.Trimmed.Rows >= state.Oldest) return state;
        return await DeleteRowsAsync(partition, state.Oldest, state.Trimmed, stop) is { } trimmed ? state with { Trimmed = trimmed } : null;
    }

    private async Task<(PartitionState State, TimeSpan Wait)?> TrimReceiptsAsync(PartitionState state, int transactions, CancellationToken stop)
    {
        for (; transactions > 0 && HasTime; transactions--)
        {
            if (state.Trimmed.Receipts >= state.Head) return (state, Bounded(options.Receipts));
            var entries = await store.ReadTracesAsync(state.Partition, state.Trimmed.Receipts, Limits.TransactionRowsMax, stop);
            var count = RetentionPlan.Deletable(entries, events.Now - options.Receipts, long.MaxValue);
            if (count == 0) return (state, entries.Count == 0 ? LookSoon : Bounded(entries[0].At + options.Receipts - events.Now));
            var start = sources.Time.GetTimestamp();
            var old = entries.Take(RetentionPlan.ReceiptsAtOnce(entries, count)).ToList();
            var moved = state.Trimmed with { Receipts = old[^1].Offset + 1 };
            if (await store.DeleteReceiptsAsync(state.Partition, state.Oldest, moved, old, stop) is not { } saved) return null;
            metrics.Deleted("receipt", old.Where(entry => entry.Receipt is not null).DistinctBy(entry => entry.Receipt).Count());
            state = state with { Trimmed = saved };
            if (await PauseAsync(start, stop) is var rest && rest > TimeSpan.Zero) return (state, rest);
        }

        return (state, TimeSpan.Zero);
    }

    private async Task<TimeSpan> TrimEventsAsync(PartitionState state, TimeSpan keep, int transactions, CancellationToken stop)
    {
        for (; transactions > 0 && HasTime; transactions--)
        {
            // Read before each move: a forwarder (even of a newer version) may have begun meanwhile, or a replay been asked for. If this
            // happens after the read, it writes the row with the oldest offset, so the move below fails.
            if (await UntrimmedAsync(state.Partition, stop) is not { } now) return TimeSpan.Zero;
            state = now;
            var hold = RetentionPlan.Lowest(
                state,
                engine.Forwarders.ToDictionary(forwarder => forwarder.Name, forwarder => forwarder.CheckpointIn(state).NextOffset),
                await FirstParkedAsync(state, stop));
            var end = Math.Min(state.Trimmed.Receipts, hold?.Offset ?? long.MaxValue);
            var entries = state.Oldest >= state.Head ? [] : await store.ReadTracesAsync(state.Partition, state.Oldest, Limits.TransactionRowsMax, stop);
            var before = events.Now - keep;
            var count = RetentionPlan.Deletable(entries, before, end);
            Tell(state.Partition, count < entries.Count && entries[count].At < before && hold is not null && entries[count].Offset >= hold.Offset ? hold : null);
            if (count == 0) return entries.Count == 0 ? LookLate : entries[0].At < before ? LookSoon : Bounded(entries[0].At + keep - events.Now);

            var start = sources.Time.GetTimestamp();
            var oldest = entries[count - 1].Offset + 1;
            // The oldest offset moves first: from then on, these entries are gone for every reader.
            if (await store.SaveOldestAsync(state.Partition, oldest, state.Trimmed, stop) is { } moved)
                await DeleteRowsAsync(state.Partition, oldest, moved, stop);
            if (await PauseAsync(start, stop) is var rest && rest > TimeSpan.Zero) return rest;
        }

        return TimeSpan.Zero;
    }

    private async Task<Trimmed?> DeleteRowsAsync(int partition, long oldest, Trimmed trimmed, CancellationToken stop)
    {
        for (var from = trimmed.Rows; from < oldest; from += Limits.TransactionRowsMax)
            await store.DeleteEventsAsync(partition, from, (int)Math.Min(oldest - from, Limits.TransactionRowsMax), stop);
        metrics.Deleted("event", (int)(oldest - trimmed.Rows));
        return await store.SaveOldestAsync(partition, oldest, trimmed with { Rows = oldest }, stop);
    }

    private async Task<IReadOnlyDictionary<string, long>> FirstParkedAsync(PartitionState state, CancellationToken stop)
    {
        var first = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, checkpoint) in state.Checkpoints.Where(checkpoint => checkpoint.Value.Parked > 0))
        {
            if (await forwarding.ReadParkedAsync(state.Partition, name, 0, 1, stop) is [var parked, ..]) first[name] = parked.Offset;
        }

        return first;
    }

    // Returns what is left of the pause when the run ends. The partition is left alone for that long, and the timer goes on.
    private async Task<TimeSpan> PauseAsync(long start, CancellationToken stop)
    {
        var pause = sources.Time.GetElapsedTime(start) * PauseFactor;
        var left = RunMax - sources.Time.GetElapsedTime(_began);
        var now = pause < left ? pause : left < TimeSpan.Zero ? TimeSpan.Zero : left;
        await Task.Delay(now, sources.Time, stop);
        return pause - now;
    }

    private void Tell(int partition, Hold? hold)
    {
        metrics.RetentionHeld(partition, hold is not null);
        if (hold is null)
        {
            _told.Remove(partition);
            return;
        }

        if (_told.TryGetValue(partition, out var told) && (told.Forwarder, told.Why) == (hold.Forwarder, hold.Why)) return;
        _told[partition] = hold;
        LogHeld(partition, hold.Offset, hold.Forwarder, hold.Why);
    }

    private static TimeSpan Bounded(TimeSpan wait) => wait < LookSoon ? LookSoon : wait > LookLate ? LookLate : wait;

    [LoggerMessage(40, LogLevel.Warning, "Retention of partition {Partition} is held at offset {Offset} by forwarder {Forwarder}: {Why}")]
    private partial void LogHeld(int partition, long offset, string forwarder, string why);

    [LoggerMessage(41, LogLevel.Warning, "Retention of partition {Partition} continues later: {Reason}")]
    private partial void LogLater(int partition, string reason);
}
