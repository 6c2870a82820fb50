using Azure.Data.Tables;

namespace Outpost.Tables.Copies;

/// <summary>What a verification saw of one partition: its offsets, and how many rows of each kind.</summary>
internal sealed record VerifiedPartition(int Partition, long Oldest, long Head, long Entities, long Events, long Receipts, long Parked);

/// <summary>The result of a verification. The log is null when its layout cannot be read.</summary>
internal sealed record Verified(string? Log, IReadOnlyList<VerifiedPartition> Partitions, Findings Findings);

/// <summary>
/// Reads a whole log and finds what a healthy log never has. The log may be in use meanwhile: rows that are compared are read in
/// an order in which a healthy log never looks damaged.
/// </summary>
internal sealed class LogVerification(TableClient table, Sources sources, Action<CopyProgress>? tell = null)
{
    private readonly TableScan _scan = new(table, sources.Time);
    private readonly Findings _findings = new();

    // The partition count of a growing log after its growth: rows of the new partitions are there before they are used.
    private int? _growing;

    public async Task<Verified> RunAsync(CancellationToken cancellationToken)
    {
        if (await LayoutAsync(cancellationToken) is not var (log, count)) return new Verified(null, [], _findings);
        var partitions = new List<VerifiedPartition>();
        for (var partition = 0; partition < count; partition++)
            partitions.Add(await new PartitionVerification(_scan, _findings, log, partition, tell).RunAsync(cancellationToken));
        await ForeignAsync(_growing ?? count, cancellationToken);
        await BesideAsync(Keys.History, "history", row => ActionRow.Read(row, ""), cancellationToken);
        await BesideAsync(Keys.Heartbeats, "heartbeat", HeartbeatRow.Read, cancellationToken);
        return new Verified(log, partitions, _findings);
    }

    private async Task<(string Log, int Count)?> LayoutAsync(CancellationToken cancellationToken)
    {
        var row = await _scan.FirstAsync($"PartitionKey eq '{Keys.LayoutPartition}' and RowKey eq '{Keys.Layout}'", cancellationToken) is null
            ? null
            : await _scan.FindAsync(Keys.LayoutPartition, Keys.Layout, cancellationToken);
        if (row is null)
        {
            _findings.Add("layout", Keys.LayoutPartition, Keys.Layout, $"table '{table.Name}' has no layout row: it holds no log, or a restore was cut short");
            return null;
        }

        try
        {
            var (schema, count, log) = (row.Whole("Schema"), row.Whole("Partitions"), row.Text("Log"));
            if (schema is not (LayoutRow.SchemaVersion or LayoutRow.SchemaOfGrown))
                _findings.Add("layout", row.PartitionKey, row.RowKey, schema == 0 ? "a restore into this table was cut short: delete the table, and restore again" : $"the schema version is {schema}; this program knows {LayoutRow.SchemaVersion} and {LayoutRow.SchemaOfGrown}");
            else if (count is < 1 or > Limits.PartitionsMax) _findings.Add("layout", row.PartitionKey, row.RowKey, $"Partitions is {count}; 1 to {Limits.PartitionsMax} is allowed");
            else if (!EventId.TryParse($"{log}-0000-{0:D19}", out _)) _findings.Add("layout", row.PartitionKey, row.RowKey, $"Log is '{log}'; eight characters of a-z and 0-9 are allowed");
            else
            {
                _growing = (int?)row.WholeOrNull("Growing", Limits.PartitionsMax);
                return (log, (int)count);
            }
        }
        catch (DamagedRowException damage)
        {
            _findings.Add("layout", damage);
        }

        return null;
    }

    // A log may begin to grow meanwhile. Its layout tells of new partitions before they have rows, so it is read again after such a row.
    private async Task ForeignAsync(int count, CancellationToken cancellationToken)
    {
        while (await ForeignRowsAsync(count, cancellationToken) is { Count: > 0 } rows)
        {
            if (await LayoutAsync(cancellationToken) is var (_, now) && (_growing ?? now) > count)
            {
                count = _growing ?? now;
                continue;
            }

            foreach (var row in rows)
                _findings.Add("foreign-rows", row.PartitionKey, row.RowKey, $"the log has {count} {(count == 1 ? "partition" : "partitions")}, and this row is in none of them");
            return;
        }
    }

    // The first rows of table partitions that hold neither the log nor its layout, history, heartbeats or lines of writers.
    private async Task<IReadOnlyList<TableEntity>> ForeignRowsAsync(int count, CancellationToken cancellationToken)
    {
        var rows = new List<TableEntity>();
        var last = Keys.Partition(count - 1);
        (string First, string Last)[] known =
        [
            (Keys.Partition(0), last),
            (Keys.History, Keys.History),
            (Keys.LayoutPartition, Keys.LayoutPartition),
            (Keys.Line(0), Keys.Line(count - 1)),
            (Keys.Heartbeats, Keys.Heartbeats),
        ];
        for (var i = -1; i < known.Length; i++)
        {
            var filter = i < 0 ? $"PartitionKey lt '{known[0].First}'"
                : i == known.Length - 1 ? $"PartitionKey gt '{known[i].Last}'"
                : $"PartitionKey gt '{known[i].Last}' and PartitionKey lt '{known[i + 1].First}'";
            if (await _scan.FirstAsync(filter, cancellationToken) is { } row) rows.Add(row);
        }

        return rows;
    }

    private async Task BesideAsync<T>(string partitionKey, string kind, Func<TableEntity, T> read, CancellationToken cancellationToken)
        where T : class
    {
        await foreach (var page in _scan.PagesAsync(partitionKey, "", "~", null, cancellationToken))
        {
            foreach (var row in page) _findings.Try(kind, row, read);
        }
    }
}
