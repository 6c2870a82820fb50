using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging;

namespace Outpost.Tables;

/// <summary>
/// The log in one table. Thread-safe; one per process, since it holds the process's one writer per partition.
/// Faults of the store come as <see cref="StoreUnavailableException"/> where trying later helps.
/// </summary>
public sealed class TableEventStore : IEventStore, IAsyncDisposable
{
    private readonly TableClient _table;
    private readonly LayoutStore _layout;
    private readonly KnownHeads _heads;
    private readonly PartitionWriter[] _writers;

    /// <summary>Opens the log; nothing is read before the first call.</summary>
    public TableEventStore(TableStorageOptions options, StoreClock clock, Sources sources, ILogger<TableEventStore> logger)
        : this(options.CreateClient(clock), options.Partitions, clock, sources, logger)
    {
    }

    /// <summary>Opens the log in a table of the caller's.</summary>
    public TableEventStore(TableClient table, int partitions, StoreClock clock, Sources sources, ILogger logger)
    {
        _table = table;
        _layout = new LayoutStore(_table, partitions, sources);
        _heads = new KnownHeads(partitions);
        _writers = [.. Enumerable.Range(0, partitions)
            .Select(partition => new PartitionWriter(_table, partition, _heads, clock, sources, logger))];
    }

    /// <inheritdoc/>
    public async ValueTask<LogLayout> LayoutAsync(CancellationToken cancellationToken) =>
        await ReachAsync(() => _layout.GetAsync(cancellationToken).AsTask(), cancellationToken);

    /// <inheritdoc/>
    public Task<StoredEntity?> ReadEntityAsync(int partition, string type, string id, CancellationToken cancellationToken) =>
        ReadRowAsync(partition, Keys.Entity(type, id), EntityRow.Read, cancellationToken);

    /// <inheritdoc/>
    public Task<StoredReceipt?> ReadReceiptAsync(int partition, Idempotency idempotency, CancellationToken cancellationToken) =>
        ReadRowAsync(partition, Keys.Receipt(idempotency.Scope, idempotency.Key), ReceiptRow.Read, cancellationToken);

    /// <inheritdoc/>
    public Task<CommitResult> CommitAsync(int partition, Change change, CancellationToken cancellationToken) =>
        _writers[partition].CommitAsync(change, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<EventEntry>> ReadEventsAsync(
        int partition, long offset, int limit, CancellationToken cancellationToken) =>
        ReachAsync(() => QueryEventsAsync(partition, offset, limit, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<PartitionState> ReadPartitionAsync(int partition, CancellationToken cancellationToken) =>
        ReachAsync(() => QueryPartitionAsync(partition, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<Checkpoint?> SaveCheckpointAsync(int partition, Checkpoint checkpoint, CancellationToken cancellationToken) =>
        ReachAsync(() => WriteCheckpointAsync(partition, checkpoint, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public long KnownHead(int partition) => _heads[partition];

    /// <summary>Finishes the commits that were accepted.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var writer in _writers) await writer.DisposeAsync();
        _layout.Dispose();
    }

    private Task<T?> ReadRowAsync<T>(int partition, string rowKey, Func<TableEntity, T> read, CancellationToken cancellationToken)
        where T : class =>
        ReachAsync(
            async () =>
            {
                var row = await _table.GetEntityIfExistsAsync<TableEntity>(
                    Keys.Partition(partition), rowKey, cancellationToken: cancellationToken);
                return row.HasValue ? read(row.Value!) : null;
            },
            cancellationToken);

    private async Task<IReadOnlyList<EventEntry>> QueryEventsAsync(
        int partition, long offset, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, Limits.PageEntriesMax);
        var layout = await _layout.GetAsync(cancellationToken);
        // A partition may end at the last offset there is.
        var end = offset > long.MaxValue - limit ? long.MaxValue : offset + limit;
        var filter = TableClient.CreateQueryFilter(
            $"PartitionKey eq {Keys.Partition(partition)} and RowKey ge {Keys.Event(offset)} and RowKey lt {Keys.Event(end)}");
        var entries = new List<EventEntry>(Math.Min(limit, 100));
        await foreach (var row in _table.QueryAsync<TableEntity>(filter, limit, cancellationToken: cancellationToken))
        {
            var entry = EventRow.Read(row, layout.Log);
            // Offsets are dense: a hole is a row not yet visible (or trimmed between two pages), and nobody reads past it.
            if (entry.Offset != offset + entries.Count) break;
            entries.Add(entry);
        }

        return entries;
    }

    private async Task<PartitionState> QueryPartitionAsync(int partition, CancellationToken cancellationToken)
    {
        var filter = TableClient.CreateQueryFilter(
            $"PartitionKey eq {Keys.Partition(partition)} and RowKey lt {Keys.FirstEntity}");
        var head = HeadRow.Empty;
        var oldest = 0L;
        var checkpoints = new Dictionary<string, Checkpoint>(StringComparer.Ordinal);
        await foreach (var row in _table.QueryAsync<TableEntity>(filter, cancellationToken: cancellationToken))
        {
            if (row.RowKey == Keys.Head) head = HeadRow.Read(row);
            else if (row.RowKey == Keys.Oldest) oldest = row.GetInt64("Offset")!.Value;
            else if (Keys.CheckpointForwarder(row.RowKey) is { } forwarder) checkpoints[forwarder] = CheckpointRow.Read(row, forwarder);
        }

        _heads.Raise(partition, head.Next);
        return new PartitionState(partition, oldest, head.Next, head.Next == 0 ? null : head.At, checkpoints);
    }

    private async Task<Checkpoint?> WriteCheckpointAsync(
        int partition, Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        var row = CheckpointRow.Write(Keys.Partition(partition), checkpoint);
        try
        {
            var answer = checkpoint.Tag is { } tag
                ? await _table.UpdateEntityAsync(row, new ETag(tag), TableUpdateMode.Replace, cancellationToken)
                : await _table.AddEntityAsync(row, cancellationToken);
            return checkpoint with { Tag = answer.Headers.ETag!.Value.ToString() };
        }
        catch (RequestFailedException e) when (TableErrors.IsConflict(e) || TableErrors.IsChangedOrGone(e))
        {
            // A repeat inside the pipeline is refused by our own first write: the row tells whose write it was.
            var stored = await _table.GetEntityIfExistsAsync<TableEntity>(
                row.PartitionKey, row.RowKey, cancellationToken: cancellationToken);
            if (!stored.HasValue) return null;
            var now = CheckpointRow.Read(stored.Value!, checkpoint.Forwarder);
            return now with { Tag = checkpoint.Tag } == checkpoint ? now : null;
        }
    }

    private static async Task<T> ReachAsync<T>(Func<Task<T>> request, CancellationToken cancellationToken)
    {
        try
        {
            return await request();
        }
        catch (Exception e) when (TableErrors.IsTransient(e, cancellationToken))
        {
            throw new StoreUnavailableException("Table Storage did not answer, or is overloaded.", e);
        }
        catch (Exception e) when (TableErrors.IsGivenUp(e, cancellationToken))
        {
            throw new OperationCanceledException("The caller gave up.", e, cancellationToken);
        }
    }
}
