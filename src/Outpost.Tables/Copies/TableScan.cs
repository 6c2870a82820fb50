using System.Runtime.CompilerServices;
using Azure.Data.Tables;

namespace Outpost.Tables.Copies;

/// <summary>Reads a whole table, for as long as that takes, and retries while the store is away.</summary>
internal sealed class TableScan(TableClient table, TimeProvider time)
{
    // Long enough for an outage that people wait out. After that, a failure is better than a process that hangs.
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(10);

    private readonly StoreCalls _calls = new(table, time);

    /// <summary>Rows of a partition from one key (inclusive) to another (exclusive), in order, one page at a time.</summary>
    public async IAsyncEnumerable<IReadOnlyList<TableEntity>> PagesAsync(
        string partitionKey, string from, string below, IReadOnlyList<string>? select, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await TryAsync(end => PageAsync(from, end), cancellationToken) is { Count: > 0 } page)
        {
            yield return page;
            // A space is the lowest character in any key, so the next page begins right after this row.
            from = page[^1].RowKey + " ";
        }

        async Task<IReadOnlyList<TableEntity>> PageAsync(string first, CancellationToken end)
        {
            await foreach (var page in _calls.PagesAsync(partitionKey, first, below, null, select, end))
            {
                if (page.Values.Count > 0) return page.Values;
            }

            return [];
        }
    }

    /// <summary>A row; null if there is none.</summary>
    public Task<TableEntity?> FindAsync(string partitionKey, string rowKey, CancellationToken cancellationToken) =>
        TryAsync(end => _calls.FindAsync(partitionKey, rowKey, end), cancellationToken);

    /// <summary>The keys of the first row that an OData filter selects; null if there is no such row, or no table.</summary>
    public Task<TableEntity?> FirstAsync(string? filter, CancellationToken cancellationToken) => TryAsync(
        async end =>
        {
            try
            {
                await foreach (var row in table.QueryAsync<TableEntity>(filter, 1, ["PartitionKey", "RowKey"], end)) return row;
            }
            catch (Exception e) when (TableErrors.IsTableMissing(e))
            {
                // Without a table there is no row either.
            }

            return (TableEntity?)null;
        },
        cancellationToken);

    /// <summary>The row of a partition's head, and the next offset; null and 0 when the partition is empty.</summary>
    public async Task<(TableEntity? Row, long Next)> HeadAsync(string partitionKey, CancellationToken cancellationToken) =>
        await FindAsync(partitionKey, Keys.Head, cancellationToken) is { } row ? (row, HeadRow.Read(row).Next) : (null, 0);

    /// <summary>The commits from one offset (inclusive) to another (exclusive). Neither offset may lie within a commit.</summary>
    public async Task<IReadOnlyList<CommittedEntities>> CommitsAsync(string partitionKey, long from, long below, CancellationToken cancellationToken)
    {
        var commits = new List<CommittedEntities>();
        await foreach (var page in PagesAsync(partitionKey, Keys.Event(from), Keys.Event(below), CommittedEntities.Columns, cancellationToken))
        {
            foreach (var row in page)
            {
                var (offset, commit) = (Keys.EventOffset(row.RowKey), row.Text("Commit"));
                if (commits.Count == 0 || commits[^1].Commit != commit) commits.Add(new CommittedEntities(commit, offset));
                commits[^1].Add(row, offset);
            }
        }

        return commits;
    }

    /// <summary>Retries while the store is away, for up to 5 minutes.</summary>
    /// <exception cref="StoreUnavailableException">The store is still away after that time, or it forbids the request.</exception>
    public async Task<T> TryAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        for (var pause = TimeSpan.FromMilliseconds(500); ; pause *= 2)
        {
            try
            {
                return await _calls.ReachAsync(ask, cancellationToken);
            }
            catch (StoreUnavailableException e) when (e.Code != "store-forbidden" && time.GetElapsedTime(start) < PatienceMax)
            {
                await Task.Delay(pause < PauseMax ? pause : PauseMax, time, cancellationToken);
            }
        }
    }
}

/// <summary>The entities that one commit wrote, with their versions, and where the commit ends.</summary>
internal sealed class CommittedEntities(string commit, long start)
{
    public static readonly string[] Columns = ["PartitionKey", "RowKey", "Commit", "At", "Subject", "Version"];

    public string Commit => commit;

    /// <summary>The first offset after the commit.</summary>
    public long End { get; private set; } = start;

    public DateTimeOffset At { get; private set; }

    public Dictionary<string, long> Versions { get; } = new(StringComparer.Ordinal);

    public void Add(TableEntity row, long offset)
    {
        End = offset + 1;
        At = row.Time("At");
        Versions[row.Text("Subject")] = row.Whole("Version");
    }
}
