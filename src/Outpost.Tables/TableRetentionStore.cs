using Azure;
using Azure.Data.Tables;
using Outpost.Retention;

namespace Outpost.Tables;

/// <summary>Deletes old rows of the log. Thread-safe.</summary>
internal sealed class TableRetentionStore(TableClient table, Sources sources, StoreProblems? problems = null) : IRetentionStore
{
    private readonly StoreCalls _calls = new(table, sources.Time, problems);

    /// <inheritdoc/>
    public Task<IReadOnlyList<EntryTrace>> ReadTracesAsync(int partition, long offset, int limit, CancellationToken cancellationToken) =>
        _calls.ReachAsync<IReadOnlyList<EntryTrace>>(
            async end =>
            {
                var traces = new List<EntryTrace>(limit);
                await foreach (var row in _calls.RowsAsync(
                    Keys.Partition(partition), Keys.Event(offset), Keys.Event(offset + limit), limit,
                    ["PartitionKey", "RowKey", "Commit", "Receipt", .. StampedTime.Columns], end))
                {
                    var trace = new EntryTrace(
                        Keys.EventOffset(row.RowKey), StampedTime.Of(row), row.TextOrNull("Commit"), row.TextOrNull("Receipt"));
                    if (trace.Offset != offset + traces.Count) break;
                    traces.Add(trace);
                }

                return traces;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<Trimmed?> SaveOldestAsync(int partition, long oldest, Trimmed trimmed, CancellationToken cancellationToken) =>
        _calls.ReachAsync<Trimmed?>(
            async end =>
            {
                var row = OldestRow.Write(Keys.Partition(partition), oldest, trimmed);
                try
                {
                    var answer = trimmed.Tag is { } tag
                        ? await table.UpdateEntityAsync(row, new ETag(tag), TableUpdateMode.Replace, end)
                        : await table.AddEntityAsync(row, end);
                    return trimmed with { Tag = StoreCalls.TagOf(answer) };
                }
                catch (RequestFailedException e) when (TableErrors.IsConflict(e) || TableErrors.IsChangedOrGone(e))
                {
                    // Another runner wrote the row, or our own write was sent twice. Either way, the next run goes on from what is stored.
                    return null;
                }
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task DeleteEventsAsync(int partition, long from, int count, CancellationToken cancellationToken) =>
        DeleteAsync(Keys.Partition(partition), [.. Enumerable.Range(0, count).Select(i => Keys.Event(from + i))], cancellationToken);

    /// <inheritdoc/>
    public Task<Trimmed?> DeleteReceiptsAsync(
        int partition, long oldest, Trimmed trimmed, IReadOnlyList<EntryTrace> entries, CancellationToken cancellationToken) =>
        _calls.ReachAsync(
            end => TrimAsync(
                OldestRow.Write(Keys.Partition(partition), oldest, trimmed),
                trimmed,
                [.. entries.Where(entry => entry.Receipt is not null).DistinctBy(entry => entry.Receipt)],
                end),
            cancellationToken);

    private async Task<Trimmed?> TrimAsync(
        TableEntity row, Trimmed trimmed, IReadOnlyList<EntryTrace> named, CancellationToken cancellationToken)
    {
        var mark = trimmed.Tag is { } tag
            ? new TableTransactionAction(TableTransactionActionType.UpdateReplace, row, new ETag(tag))
            : new TableTransactionAction(TableTransactionActionType.Add, row);
        var receipts = named.Select(entry => (Key: entry.Receipt!, Tag: ETag.All)).ToList();
        while (true)
        {
            try
            {
                var deletes = receipts.Select(receipt => new TableTransactionAction(
                    TableTransactionActionType.Delete, new TableEntity(row.PartitionKey, receipt.Key), receipt.Tag));
                return trimmed with { Tag = (await table.CommitAsync([mark, .. deletes], cancellationToken)).ToString() };
            }
            catch (TableTransactionFailedException e) when (TableErrors.IsGone(e) && e.FailedTransactionActionIndex > 0 && receipts.Exists(receipt => receipt.Tag == ETag.All))
            {
                // A receipt is gone, and another command's may be in its place. Deletes only those that are still the same.
                receipts.Clear();
                foreach (var entry in named)
                {
                    if (await _calls.FindAsync(row.PartitionKey, entry.Receipt!, cancellationToken) is { } receipt
                        && entry.Commit is not null && receipt.GetString("Commit") == entry.Commit)
                        receipts.Add((entry.Receipt!, receipt.ETag));
                }
            }
            catch (RequestFailedException e) when (TableErrors.IsConflict(e) || TableErrors.IsChangedOrGone(e))
            {
                // Another runner wrote the row, or our own write was sent twice. Either way, the next run goes on from what is stored.
                return null;
            }
        }
    }

    private Task<bool> DeleteAsync(string partitionKey, IReadOnlyList<string> rowKeys, CancellationToken cancellationToken) =>
        _calls.ReachAsync(
            async end =>
            {
                if (rowKeys.Count == 0) return true;
                try
                {
                    await table.SubmitAsync(
                        [.. rowKeys.Select(key => new TableTransactionAction(TableTransactionActionType.Delete, new TableEntity(partitionKey, key), ETag.All))],
                        end);
                }
                catch (RequestFailedException e) when (TableErrors.IsChangedOrGone(e))
                {
                    // Another runner, or our own first try, has deleted some rows. One by one, a missing row is no error.
                    foreach (var key in rowKeys) await table.DeleteEntityAsync(partitionKey, key, ETag.All, end);
                }

                return true;
            },
            cancellationToken);
}
