using Azure;
using Azure.Data.Tables;
using Outpost.Retention;

namespace Outpost.Tables;

/// <summary>Deletes rows of the log. Thread-safe.</summary>
public sealed class TableRetentionStore(TableClient table) : IRetentionStore
{
    /// <inheritdoc/>
    public Task<IReadOnlyList<EntryTrace>> ReadTracesAsync(int partition, long offset, int limit, CancellationToken cancellationToken) =>
        TableErrors.ReachAsync<IReadOnlyList<EntryTrace>>(
            async () =>
            {
                var filter = TableClient.CreateQueryFilter(
                    $"PartitionKey eq {Keys.Partition(partition)} and RowKey ge {Keys.Event(offset)} and RowKey lt {Keys.Event(offset + limit)}");
                var traces = new List<EntryTrace>(limit);
                await foreach (var row in table.QueryAsync<TableEntity>(filter, limit, ["RowKey", "At", "Receipt", "ClaimedIn"], cancellationToken))
                {
                    var trace = new EntryTrace(
                        Keys.EventOffset(row.RowKey), row.GetDateTimeOffset("At")!.Value, row.GetString("Receipt"), (int?)row.GetInt64("ClaimedIn"));
                    if (trace.Offset != offset + traces.Count) break;
                    traces.Add(trace);
                }

                return traces;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<Trimmed?> SaveOldestAsync(int partition, long oldest, Trimmed trimmed, CancellationToken cancellationToken) =>
        TableErrors.ReachAsync<Trimmed?>(
            async () =>
            {
                var row = OldestRow.Write(Keys.Partition(partition), oldest, trimmed);
                try
                {
                    var answer = trimmed.Tag is { } tag
                        ? await table.UpdateEntityAsync(row, new ETag(tag), TableUpdateMode.Replace, cancellationToken)
                        : await table.AddEntityAsync(row, cancellationToken);
                    return trimmed with { Tag = answer.Headers.ETag!.Value.ToString() };
                }
                catch (RequestFailedException e) when (TableErrors.IsConflict(e) || TableErrors.IsChangedOrGone(e))
                {
                    // Another runner's, or our own sent twice: either way the next run goes on from what is stored.
                    return null;
                }
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task DeleteEventsAsync(int partition, long from, int count, CancellationToken cancellationToken) =>
        DeleteAsync(Keys.Partition(partition), [.. Enumerable.Range(0, count).Select(i => Keys.Event(from + i))], cancellationToken);

    /// <inheritdoc/>
    public async Task DeleteReceiptsAsync(int partition, IReadOnlyList<EntryTrace> entries, CancellationToken cancellationToken)
    {
        var named = entries.Where(entry => entry.Receipt is not null).DistinctBy(entry => entry.Receipt).ToList();
        foreach (var claimed in named.Where(entry => entry.ClaimedIn is not null))
            await DeleteAsync(Keys.Partition(claimed.ClaimedIn!.Value), [claimed.Receipt!], cancellationToken);
        await DeleteAsync(Keys.Partition(partition), [.. named.Select(entry => entry.Receipt!)], cancellationToken);
    }

    private Task<bool> DeleteAsync(string partitionKey, IReadOnlyList<string> rowKeys, CancellationToken cancellationToken) =>
        TableErrors.ReachAsync(
            async () =>
            {
                if (rowKeys.Count == 0) return true;
                try
                {
                    await table.SubmitTransactionAsync(
                        rowKeys.Select(key => new TableTransactionAction(TableTransactionActionType.Delete, new TableEntity(partitionKey, key), ETag.All)),
                        cancellationToken);
                }
                catch (RequestFailedException e) when (TableErrors.IsChangedOrGone(e))
                {
                    // Another runner was here, or our own first attempt: one by one, a row that is gone is no error.
                    foreach (var key in rowKeys) await table.DeleteEntityAsync(partitionKey, key, ETag.All, cancellationToken);
                }

                return true;
            },
            cancellationToken);
}
