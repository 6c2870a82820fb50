using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables.Copies;

/// <summary>
/// Creates a log from a backup, in an empty table. Until every row is written, the layout has a schema version that no program
/// accepts. So an app refuses the table if it starts too early, or if the restore was cut short.
/// </summary>
internal sealed class LogRestore(TableClient table, Sources sources, Action<CopyProgress>? tell = null)
{
    private const long Unfinished = 0;
    private readonly TableScan _scan = new(table, sources.Time);
    private readonly Dictionary<string, TableEntity> _rows = new(StringComparer.Ordinal);
    private string? _partition;
    private long _bytes;

    /// <summary>Writes all rows of the backup; <paramref name="end"/> is its end mark, from the check of the file.</summary>
    /// <returns>The id of the new log.</returns>
    /// <exception cref="BackupException">The table is not empty, somebody else writes to it, or the backup has no layout.</exception>
    public async Task<string> WriteAsync(Stream stream, BackupEnd end, CancellationToken cancellationToken)
    {
        await table.CreateIfNotExistsAsync(cancellationToken);
        if (await _scan.FirstAsync(null, cancellationToken) is { } found)
            throw new BackupException($"Table '{table.Name}' is not empty: it has a row '{found.PartitionKey}' / '{found.RowKey}'. A log is restored into an empty table only.");
        await ReserveAsync(cancellationToken);
        var oldest = end.Partitions.ToDictionary(one => Keys.Partition(one.Partition), one => one.Oldest);
        TableEntity? layout = null;
        var done = 0L;
        await foreach (var row in BackupReader.RowsAsync(stream, cancellationToken))
        {
            tell?.Invoke(new CopyProgress("Rows", ++done, end.Rows));
            if (row.PartitionKey == Keys.LayoutPartition) layout = row;
            // Retention deleted this entry while the log was copied.
            else if (!(row.RowKey.StartsWith("e|", StringComparison.Ordinal) && Keys.EventOffset(row.RowKey) < oldest.GetValueOrDefault(row.PartitionKey))) await AddAsync(row, cancellationToken);
        }

        await FlushAsync(cancellationToken);
        var log = LayoutStore.NewLogId(sources.NewId());
        layout = layout ?? throw new BackupException("The backup has no layout.");
        layout["Log"] = log;
        await _scan.TryAsync(stop => table.UpsertEntityAsync(layout, TableUpdateMode.Replace, stop), cancellationToken);
        return log;
    }

    private async Task ReserveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await table.AddEntityAsync(
                new TableEntity(Keys.LayoutPartition, Keys.Layout) { ["Schema"] = Unfinished, ["Partitions"] = 0L, ["Log"] = "restoring" }, cancellationToken);
        }
        catch (RequestFailedException e) when (TableErrors.IsConflict(e))
        {
            throw new BackupException($"Somebody else writes to table '{table.Name}'.");
        }
    }

    private async Task AddAsync(TableEntity row, CancellationToken cancellationToken)
    {
        var bytes = WireSize.Of(row);
        // A transaction holds rows of one partition, and each row at most once.
        if (row.PartitionKey != _partition || _rows.Count == Limits.TransactionRowsMax || _bytes + bytes > Limits.TransactionBytesMax || _rows.ContainsKey(row.RowKey))
            await FlushAsync(cancellationToken);
        _partition = row.PartitionKey;
        _rows[row.RowKey] = row;
        _bytes += bytes;
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_rows.Count == 0) return;
        var actions = _rows.Values.Select(row => new TableTransactionAction(TableTransactionActionType.UpsertReplace, row)).ToList();
        await _scan.TryAsync(end => table.SubmitAsync(actions, end), cancellationToken);
        _rows.Clear();
        _bytes = 0;
    }
}
