using System.Globalization;
using Outpost.Forwarding;
using Outpost.Retention;

namespace Outpost.Testing;

/// <summary>
/// A whole log in memory, for tests. It stores and refuses what the log on tables stores and refuses, without any service and
/// without waiting. The log ends with the process. It implements each of the stores that Outpost needs. Thread-safe.
/// </summary>
/// <param name="time">Its clock.</param>
/// <param name="partitions">How many partitions it has.</param>
internal sealed partial class InMemoryLog(TimeProvider time, int partitions = 1) : IEventStore, IForwardingStore, IRetentionStore, IHeartbeatStore, IHistoryStore
{
    private readonly Lock _lock = new();
    private LogLayout _layout = new("inmemory", partitions is >= 1 and <= Limits.PartitionsMax
        ? partitions
        : throw new ArgumentOutOfRangeException(nameof(partitions), partitions, $"1 to {Limits.PartitionsMax}"));

    private readonly List<Partition> _partitions = [.. Enumerable.Range(0, partitions).Select(_ => new Partition())];
    private readonly PartitionHeads _heads = new(partitions);
    private long _tags;

    PartitionHeads IEventStore.Heads => _heads;

    DateTimeOffset IEventStore.Now => Now;

    private DateTimeOffset Now => time.GetUtcNow();

    private LogLayout Layout => Volatile.Read(ref _layout);

    ValueTask<LogLayout> IEventStore.LayoutAsync(CancellationToken cancellationToken) => new(Layout);

    Task<LogLayout> IEventStore.RefreshLayoutAsync(CancellationToken cancellationToken) => Task.FromResult(Layout);

    Task<StoredEntity?> IEventStore.ReadEntityAsync(int partition, string type, string id, CancellationToken cancellationToken) =>
        DoAsync(() => _partitions[partition].Entities.GetValueOrDefault(ChangeSize.CheckedKey(type, id)), cancellationToken);

    Task<StoredReceipt?> IEventStore.ReadReceiptAsync(int partition, Idempotency idempotency, CancellationToken cancellationToken) =>
        DoAsync(() => _partitions[partition].Receipts.GetValueOrDefault(Receipt.KeyOf(idempotency))?.Stored, cancellationToken);

    async Task<CommitResult> IEventStore.CommitAsync(int partition, Change change, CancellationToken cancellationToken)
    {
        var (result, head) = await DoAsync(() => Commit(_partitions[partition], partition, change), cancellationToken);
        if (result == CommitResult.Committed) _heads.Committed(partition, head);
        return result;
    }

    Task<IReadOnlyList<EventEntry>> IEventStore.ReadEventsAsync(int partition, long offset, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, Limits.PageEntriesMax);
        return DoAsync<IReadOnlyList<EventEntry>>(
            () =>
            {
                var (page, bytes) = (new List<EventEntry>(), 0L);
                foreach (var stored in From(_partitions[partition], offset, limit))
                {
                    if (bytes >= Limits.PageBytesMax) break;
                    page.Add(stored.Entry);
                    bytes += stored.Entry.Payload.Length;
                }

                return page;
            },
            cancellationToken);
    }

    Task<DateTimeOffset?> IEventStore.ReadTimestampAsync(int partition, long offset, CancellationToken cancellationToken) =>
        DoAsync(() => _partitions[partition].Events.GetValueOrDefault(offset)?.Entry.Timestamp, cancellationToken);

    async Task<PartitionState> IEventStore.ReadPartitionAsync(int partition, CancellationToken cancellationToken)
    {
        var state = await DoAsync(
            () =>
            {
                var here = _partitions[partition];
                return new PartitionState(
                    partition, here.Oldest, here.Head, here.HeadAt, new Dictionary<string, Checkpoint>(here.Checkpoints, StringComparer.Ordinal))
                {
                    Controls = new Dictionary<string, Control>(here.Controls, StringComparer.Ordinal),
                    Wishes = new Dictionary<string, LeaseWish>(here.Wishes, StringComparer.Ordinal),
                    ReadAt = Now,
                    Trimmed = here.Trimmed,
                };
            },
            cancellationToken);
        _heads.Raise(partition, state.Head);
        return state;
    }

    // Writes all that a transaction writes, or tells why not. The checks have the order in which the rows of a transaction refuse it.
    private (CommitResult Result, long Head) Commit(Partition here, int partition, Change change)
    {
        ChangeLimits.Check(change);
        var key = ChangeSize.CheckedKey(change.EntityType, change.EntityId);
        ChangeLimits.CheckTogether(ChangeSize.Of(change));
        if (change.Expected is null && change.Generation < _layout.Generation) return (CommitResult.LogGrown, 0);
        if (here.Entities.GetValueOrDefault(key)?.Tag != change.Expected?.Tag) return (CommitResult.EntityChanged, 0);
        var receipt = change.Idempotency is { } idempotency ? Receipt.KeyOf(idempotency) : null;
        if (receipt is not null && here.Receipts.ContainsKey(receipt)) return (CommitResult.DoneBefore, 0);

        var state = change.State.ToArray();
        var commit = NewTag();
        var at = here.HeadAt is { } before && before > Now ? before : Now;
        here.Entities[key] = new StoredEntity(state, change.Version, commit);
        if (receipt is not null) here.Receipts[receipt] = new Receipt(new StoredReceipt(change.Idempotency!.Fingerprint, state, change.Version), commit);
        foreach (var @event in change.Events)
        {
            var entry = new EventEntry(
                new EventId(_layout.Log, partition, here.Head), @event.Type, @event.ContentType, @event.Payload, at, change.Subject,
                change.Version, change.TraceParent, change.CorrelationId);
            here.Events[here.Head++] = new StoredEvent(entry, commit, receipt);
        }

        here.HeadAt = at;
        return (CommitResult.Committed, here.Head);
    }

    // The entries from an offset on, up to the first hole.
    private static IEnumerable<StoredEvent> From(Partition here, long offset, int limit)
    {
        for (var read = 0; read < limit && here.Events.TryGetValue(offset + read, out var stored); read++) yield return stored;
    }

    private Task<T> DoAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<T>(cancellationToken);
        try
        {
            lock (_lock) return Task.FromResult(work());
        }
#pragma warning disable CA1031 // The exception goes to whoever awaits, as from a store that answers later.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Task.FromException<T>(e);
        }
    }

    // Call it under the lock.
    private string NewTag() => (++_tags).ToString(CultureInfo.InvariantCulture);

    private sealed class Partition
    {
        public Dictionary<(string Type, string Id), StoredEntity> Entities { get; } = [];

        public Dictionary<string, Receipt> Receipts { get; } = new(StringComparer.Ordinal);

        public Dictionary<long, StoredEvent> Events { get; } = [];

        public Dictionary<string, Checkpoint> Checkpoints { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, Control> Controls { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, LeaseWish> Wishes { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, SortedDictionary<long, ParkedEntry>> Parked { get; } = new(StringComparer.Ordinal);

        public long Head { get; set; }

        public DateTimeOffset? HeadAt { get; set; }

        public long Oldest { get; set; }

        public Trimmed Trimmed { get; set; } = new(0, 0, null);
    }

    private sealed record StoredEvent(EventEntry Entry, string Commit, string? Receipt);

    private sealed record Receipt(StoredReceipt Stored, string Commit)
    {
        public static string KeyOf(Idempotency idempotency) => $"{idempotency.Scope}\n{idempotency.Key}";
    }
}
