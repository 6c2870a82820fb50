using Azure.Data.Tables;
using Outpost.Forwarding;
using Outpost.Retention;
using Outpost.Tables;

namespace Outpost.Tests.Simulation;

/// <summary>
/// Where the product is broken on purpose: between it and the table, the target, and its own parts. With
/// <see cref="Broken.Nothing"/> everything passes through unchanged.
/// </summary>
internal sealed class Sabotage(Broken broken)
{
    /// <summary>The date that an answer would have, for a time.</summary>
    public Func<DateTimeOffset, DateTimeOffset> Dates { get; set; } = now => now;

    public TableClient Connect(SimulatedTable table, StoreClock clock) =>
        broken == Broken.Nothing ? new ProcessTable(table, Pipeline.Through(clock)) : new BrokenTable(broken, table, Pipeline.Through(clock));

    public IEventStore Events(IEventStore store, VirtualProcess process) => broken switch
    {
        Broken.DateBelieved => new BrokenEvents(store, state => state with { ReadAt = Dates(state.ReadAt) }),
        Broken.LeaseByLocalClock => new BrokenEvents(store, state => state with { ReadAt = process.Time.GetUtcNow() }),
        _ => store,
    };

    public IEventStore SeenByOperators(IEventStore store) => broken switch
    {
        Broken.FailureNotTold => new BrokenEvents(store, state => state with
        {
            Checkpoints = state.Checkpoints.ToDictionary(one => one.Key, one => one.Value with { LastError = null }),
        }),
        Broken.DamageNotTold => new BrokenEvents(store, state => state with { Damaged = new Dictionary<string, DamagedRowException>() }),
        Broken.StatusWithoutEnd => new BrokenEvents(store, state => state, isWithoutEnd: true),
        _ => store,
    };

    public IEventStore Places(IEventStore store) =>
        broken is Broken.NewestPlaceNotLookedAt or Broken.GenerationCachedTooLong ? new BrokenPlaces(broken, store) : store;

    public IForwardingStore Forwarding(IForwardingStore store, IEventStore events) => broken switch
    {
        Broken.CheckpointWithoutIfMatch or Broken.LeaseWithoutEpoch or Broken.FollowersNotHeld or Broken.ParkedAfterCheckpoint =>
            new BrokenForwarding(broken, store, events),
        _ => store,
    };

    public IForwardTarget Target(IForwardTarget target, VirtualProcess process) =>
        broken == Broken.CheckpointBeforeSend ? new EarlyTarget(target, process) : target;

    public IRetentionStore Retention(IRetentionStore store) =>
        broken == Broken.OldestMovedLate ? new LateOldest(store) : store;

    public IEventStore SeenByRetention(IEventStore store) => broken switch
    {
        Broken.RetentionAheadOfCheckpoint => new BrokenEvents(store, state => state with
        {
            Checkpoints = state.Checkpoints.ToDictionary(one => one.Key, one => one.Value with { NextOffset = state.Head }),
        }),
        _ => store,
    };

    public IForwardingStore ParkedForRetention(IForwardingStore store) =>
        broken == Broken.RetentionAheadOfParked ? new BrokenForwarding(broken, store, null) : store;

    public RetentionOptions Keeps(RetentionOptions options) =>
        broken == Broken.ReceiptsDeletedEarly ? options with { Receipts = TimeSpan.Zero } : options;

    public bool IsFinal(bool isSaid, int entries) => broken == Broken.PageFinalTooEarly ? entries > 0 : isSaid;

    /// <summary>Whether what a handler was to do failed and nobody hears of it.</summary>
    public bool PassesOver(Action failing)
    {
        try
        {
            failing();
            return false;
        }
        catch (IOException) when (broken == Broken.FailurePassedOver)
        {
            return true;
        }
    }

    /// <summary>Calls a delivery done as soon as it has begun.</summary>
    private sealed class EarlyTarget(IForwardTarget target, VirtualProcess process) : IForwardTarget
    {
        public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            List<EventEntry> batch = [.. entries];
            _ = process.Start(() => target.DeliverAsync(batch, replay, CancellationToken.None));
            return Task.FromResult<Delivery>(new Delivery.Accepted(1));
        }
    }

    /// <summary>Deletes what it is going to say is gone.</summary>
    private sealed class LateOldest(IRetentionStore store) : IRetentionStore
    {
        public Task<IReadOnlyList<EntryTrace>> ReadTracesAsync(int partition, long offset, int limit, CancellationToken cancellationToken) =>
            store.ReadTracesAsync(partition, offset, limit, cancellationToken);

        public async Task<Trimmed?> SaveOldestAsync(int partition, long oldest, Trimmed trimmed, CancellationToken cancellationToken)
        {
            if (oldest > trimmed.Rows)
                await store.DeleteEventsAsync(partition, trimmed.Rows, (int)Math.Min(oldest - trimmed.Rows, Limits.TransactionRowsMax), cancellationToken);
            return await store.SaveOldestAsync(partition, oldest, trimmed, cancellationToken);
        }

        public Task DeleteEventsAsync(int partition, long from, int count, CancellationToken cancellationToken) =>
            store.DeleteEventsAsync(partition, from, count, cancellationToken);

        public Task<Trimmed?> DeleteReceiptsAsync(
            int partition, long oldest, Trimmed trimmed, IReadOnlyList<EntryTrace> entries, CancellationToken cancellationToken) =>
            store.DeleteReceiptsAsync(partition, oldest, trimmed, entries, cancellationToken);
    }
}
