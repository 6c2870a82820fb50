using Azure.Data.Tables;

namespace Outpost.Tables.Copies;

/// <summary>
/// Copies a log while it is in use. In each partition, entities come first. Then <see cref="ConsistentCut"/> finds an offset at
/// which all of them match the log. Receipts, entries, checkpoints and parked entries follow. The head comes last, so the copy
/// holds nothing beyond it.
/// </summary>
internal sealed class LogBackup(TableClient table, Sources sources, Action<CopyProgress>? tell = null)
{
    private readonly TableScan _scan = new(table, sources.Time);

    /// <summary>Writes a whole backup. After an exception, the stream holds no backup.</summary>
    /// <exception cref="BackupException">There is no log, or it cannot be copied now.</exception>
    public async Task<BackupEnd> WriteAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var file = new BackupWriter(stream);
        var layout = await LayoutAsync(cancellationToken);
        await file.BeginAsync(new BackupHeader("backup", 1, layout.Text("Log"), table.Name, sources.Time.GetUtcNow()), cancellationToken);
        await file.AddAsync(layout, cancellationToken);
        await foreach (var page in _scan.PagesAsync(Keys.History, "", "~", null, cancellationToken))
        {
            foreach (var row in page) await file.AddAsync(row, cancellationToken);
        }

        var partitions = new List<BackupPartition>();
        for (var partition = 0; partition < layout.Whole("Partitions", Limits.PartitionsMax); partition++)
            partitions.Add(await new PartitionBackup(_scan, file, partition, tell).CopyAsync(cancellationToken));
        var after = await LayoutAsync(cancellationToken);
        if (after.Text("Log") != layout.Text("Log") || after.Whole("Partitions") != layout.Whole("Partitions") || after.ETag != layout.ETag)
            throw new BackupException("The log was created again, or got more partitions, while it was copied: start the backup again.");
        await file.EndAsync(partitions, cancellationToken);
        return new BackupEnd(true, file.Rows, partitions);
    }

    private async Task<TableEntity> LayoutAsync(CancellationToken cancellationToken)
    {
        TableEntity? row;
        try
        {
            row = await _scan.FindAsync(Keys.LayoutPartition, Keys.Layout, cancellationToken);
        }
        catch (Exception e) when (TableErrors.IsTableMissing(e))
        {
            row = null;
        }

        if (row is null) throw new BackupException($"There is no log in table '{table.Name}'.");
        try
        {
            return LayoutRow.Read(row, table.Name).Growing is null
                ? row
                : throw new BackupException($"The log in table '{table.Name}' is growing: run outpost grow again to finish it, and then start the backup.");
        }
        catch (LayoutMismatchException e)
        {
            throw new BackupException(e.Message);
        }
    }
}
