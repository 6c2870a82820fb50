using Azure.Data.Tables;
using Microsoft.Extensions.Logging;
using Outpost.Forwarding;

namespace Outpost.Tables;

/// <summary>
/// Keeps the log in one table. Thread-safe; one per process, since a process has one writer for each partition. A fault of the
/// store becomes a <see cref="StoreUnavailableException"/> if trying later helps.
/// </summary>
internal sealed class TableEventStore : IEventStore, IAsyncDisposable
{
    // Keeps a second or two of commits for forwarders and readers that are close behind. The bytes are those of all partitions.
    private const int RecentEntriesMax = 1000;
    private const long RecentBytesMax = 16 * 1024 * 1024;
    private const long RecentBytesMin = 128 * 1024;
    private static readonly TimeSpan RecentAgeMax = TimeSpan.FromMinutes(1);

    private readonly StoreCalls _calls;
    private readonly LayoutStore _layout;
    private readonly EventReads _events;
    private readonly StoreClock _clock;
    private readonly Func<int, RecentEntries, PartitionWriter> _open;
    private readonly Opened?[] _opened = new Opened?[Limits.PartitionsMax];
    private readonly Lock _opening = new();
    private bool _isClosed;

    /// <summary>Opens the log in a table. Reads nothing before the first call.</summary>
    public TableEventStore(
        TableClient table, int partitions, StoreClock clock, Sources sources, ILogger logger, OutpostMetrics? metrics = null,
        StoreProblems? problems = null)
    {
        _calls = new StoreCalls(table, sources.Time, problems);
        _layout = new LayoutStore(_calls, partitions, clock, sources, Known);
        _events = new EventReads(_calls, _layout);
        _clock = clock;
        Heads = new PartitionHeads(partitions);
        _open = (partition, recent) => new PartitionWriter(_calls, partition, rows => Remember(partition, recent, rows), clock, sources, logger, metrics);
    }

    /// <inheritdoc/>
    public async ValueTask<LogLayout> LayoutAsync(CancellationToken cancellationToken) =>
        await _layout.GetAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<LogLayout> RefreshLayoutAsync(CancellationToken cancellationToken) => _layout.RefreshAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<StoredEntity?> ReadEntityAsync(int partition, string type, string id, CancellationToken cancellationToken) =>
        ReadRowAsync(partition, Keys.Entity(type, id), EntityRow.Read, cancellationToken);

    /// <inheritdoc/>
    public Task<StoredReceipt?> ReadReceiptAsync(int partition, Idempotency idempotency, CancellationToken cancellationToken) =>
        ReadRowAsync(partition, Keys.Receipt(idempotency.Scope, idempotency.Key), ReceiptRow.Read, cancellationToken);

    /// <inheritdoc/>
    public async Task<CommitResult> CommitAsync(int partition, Change change, CancellationToken cancellationToken)
    {
        if (Open(partition) is not { } opened) return CommitResult.QueueFull;
        var result = await opened.Writer.CommitAsync(change, cancellationToken);
        if (result == CommitResult.LogGrown) await _layout.FinishAsync(cancellationToken);
        return result;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<EventEntry>> ReadEventsAsync(
        int partition, long offset, int limit, CancellationToken cancellationToken) =>
        limit > 0 && Volatile.Read(ref _opened[partition])?.Recent.From(offset, limit, Now - RecentAgeMax) is { } recent
            ? Task.FromResult(recent)
            : _calls.ReachAsync(end => _events.ReadAsync(partition, offset, limit, end), cancellationToken);

    /// <inheritdoc/>
    public Task<DateTimeOffset?> ReadTimestampAsync(int partition, long offset, CancellationToken cancellationToken) =>
        _calls.ReachAsync(
            async end => await _calls.FindAsync(Keys.Partition(partition), Keys.Event(offset), end, StampedTime.Columns) is { } row
                ? StampedTime.Of(row)
                : (DateTimeOffset?)null,
            cancellationToken);

    /// <inheritdoc/>
    public Task<PartitionState> ReadPartitionAsync(int partition, CancellationToken cancellationToken) =>
        _calls.ReachAsync(end => QueryPartitionAsync(partition, end), cancellationToken);

    /// <inheritdoc/>
    public PartitionHeads Heads { get; }

    /// <inheritdoc/>
    public DateTimeOffset Now => _clock.Now;

    /// <summary>Finishes the commits that were accepted.</summary>
    public async ValueTask DisposeAsync()
    {
        List<PartitionWriter> writers;
        lock (_opening)
        {
            _isClosed = true;
            writers = [.. _opened.OfType<Opened>().Select(opened => opened.Writer)];
        }

        // The writers close side by side, since each has the same short time for it.
        foreach (var writer in writers.Select(writer => writer.DisposeAsync().AsTask()).ToList()) await writer;
    }

    // The writer and the recent entries of a partition; null once the store is closed.
    private Opened? Open(int partition)
    {
        if (Volatile.Read(ref _opened[partition]) is { } opened) return opened;
        lock (_opening)
        {
            if (_opened[partition] is { } faster) return faster;
            if (_isClosed) return null;
            var recent = new RecentEntries(RecentEntriesMax) { BytesMax = RecentBytes(Heads.Partitions) };
            return _opened[partition] = new Opened(recent, _open(partition, recent));
        }
    }

    private void Known(LogLayout layout)
    {
        lock (_opening)
        {
            foreach (var opened in _opened.OfType<Opened>()) opened.Recent.BytesMax = RecentBytes(layout.Partitions);
        }

        Heads.Grown(layout.Partitions);
    }

    private static long RecentBytes(int partitions) => Math.Max(RecentBytesMin, RecentBytesMax / partitions);

    // The entries come before the head, so that whoever the head wakes finds them here.
    private void Remember(int partition, RecentEntries recent, RowList rows)
    {
        if (_layout.Known is { } layout) recent.Add(rows.Entries(layout.Log, partition));
        Heads.Committed(partition, rows.After.Next);
    }

    private Task<T?> ReadRowAsync<T>(int partition, string rowKey, Func<TableEntity, T> read, CancellationToken cancellationToken)
        where T : class =>
        _calls.ReachAsync(
            async end => await _calls.FindAsync(Keys.Partition(partition), rowKey, end) is { } row ? read(row) : null, cancellationToken);

    private sealed record Opened(RecentEntries Recent, PartitionWriter Writer);

    private async Task<PartitionState> QueryPartitionAsync(int partition, CancellationToken cancellationToken)
    {
        var head = HeadRow.Empty;
        var (oldest, trimmed) = (0L, new Trimmed(0, 0, null));
        var checkpoints = new Dictionary<string, Checkpoint>(StringComparer.Ordinal);
        var controls = new Dictionary<string, Control>(StringComparer.Ordinal);
        var wishes = new Dictionary<string, LeaseWish>(StringComparer.Ordinal);
        var damaged = new Dictionary<string, DamagedRowException>(StringComparer.Ordinal);
        DateTimeOffset? readAt = null;
        var known = Heads[partition];
        await foreach (var page in _calls.PagesAsync(Keys.Partition(partition), "", Keys.FirstEntity, null, null, cancellationToken))
        {
            readAt ??= _clock.TimeOf(page.GetRawResponse());
            foreach (var row in page.Values)
            {
                if (row.RowKey == Keys.Head) head = HeadRow.Read(row);
                else if (row.RowKey == Keys.Oldest) (oldest, trimmed) = OldestRow.Read(row);
                else ReadForwarderRow(row);
            }
        }

        // If the rows came in several pages, the head may be older than the rows after it.
        if (oldest > head.Next || checkpoints.Values.Any(checkpoint => checkpoint.NextOffset > head.Next))
            head = await _calls.FindAsync(Keys.Partition(partition), Keys.Head, cancellationToken) is { } again ? HeadRow.Read(again) : HeadRow.Empty;
        if (oldest > head.Next) throw Above(Keys.Oldest, "Offset", oldest);
        foreach (var (name, checkpoint) in checkpoints.Where(checkpoint => checkpoint.Value.NextOffset > head.Next))
            damaged.TryAdd(name, _calls.Found(Above(Keys.Checkpoint(name), "Next", checkpoint.NextOffset)));

        // A head does not vanish, so this is the answer to another query, one without rows.
        if (head.Next == 0 && known > 0) throw StoreCalls.Unreadable();
        Heads.Raise(partition, head.Next);
        await _layout.SawAsync(head, cancellationToken);
        return new PartitionState(partition, oldest, head.Next, head.Next == 0 ? null : head.At, checkpoints)
        {
            Generation = head.Generation,
            Controls = controls,
            Wishes = wishes,
            ReadAt = readAt ?? _clock.Now,
            Trimmed = trimmed,
            Damaged = damaged,
        };

        DamagedRowException Above(string key, string property, long value) =>
            new(Keys.Partition(partition), key, property, $"is {value}, and the head is {head.Next}");

        // A damaged row stops only its own forwarder. A damaged wish stops nothing: leases are only shared less evenly.
        void ReadForwarderRow(TableEntity row)
        {
            string? stopped = null;
            try
            {
                if (Keys.CheckpointForwarder(row.RowKey) is { } forwarder) checkpoints[forwarder] = CheckpointRow.Read(row, stopped = forwarder);
                else if (Keys.ControlForwarder(row.RowKey) is { } controlled) controls[stopped = controlled] = ControlRow.Read(row);
                else if (Keys.WishForwarder(row.RowKey) is { } wished) wishes[wished] = LeaseWishRow.Read(row);
            }
            catch (Exception e) when (e is DamagedRowException or FormatException or ArgumentException)
            {
                var found = _calls.Found(e as DamagedRowException ?? new DamagedRowException(row.PartitionKey, row.RowKey, "RowKey", "names no forwarder"));
                if (stopped is not null) damaged[stopped] = found;
            }
        }
    }
}
