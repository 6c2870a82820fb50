using System.Collections.Concurrent;
using Azure.Data.Tables;

namespace Outpost.Tables.Copies;

/// <summary>Copies one partition.</summary>
internal sealed class PartitionBackup(TableScan scan, BackupWriter file, int partition, Action<CopyProgress>? tell)
{
    // Each round is shorter than the one before, because it copies only what was committed during that one.
    private const int RoundsMax = 200;
    private const int ReadsAtOnce = 32;

    /// <summary>Ranges of row keys that this version does not use. A newer version may have rows there.</summary>
    public static readonly (string From, string Below)[] Gaps = [("d", "d|"), ("d}", "e|"), ("e}", "p|"), ("p}", "r|"), ("r}", "~")];

    private readonly string _key = Keys.Partition(partition);
    private readonly HashSet<string> _beyond = new(StringComparer.Ordinal);

    public async Task<BackupPartition> CopyAsync(CancellationToken cancellationToken)
    {
        var before = await scan.HeadAsync(_key, cancellationToken);
        await CopyRangeAsync("entities", "d|", "d}", cancellationToken);
        var head = await CutAsync(before, cancellationToken);
        var cut = head is null ? 0 : HeadRow.Read(head).Next;
        // Retention deletes receipts, then moves the oldest offset, then deletes entries. Copied in the opposite order, no receipt lacks its entry.
        var (first, missing) = await CopyEventsAsync(cut, cancellationToken);
        var oldest = await OldestAsync(cancellationToken);
        if (oldest > cut) throw new BackupException($"Partition {partition}: the backup took too long, and retention has deleted what it had to copy. Start the backup again.");
        await CopyReceiptsAsync(cut, cancellationToken);
        // A newer version may have rows that this one does not know.
        foreach (var (from, below) in Gaps)
            await CopyRangeAsync("other rows", from, below, cancellationToken);
        await CopyForwardersAsync(cut, oldest, cancellationToken);
        if (head is not null) await file.AddAsync(head, cancellationToken);
        // Retention moved on during the copy: what is missing was deleted, not lost.
        return new BackupPartition(partition, oldest, cut, oldest > first ? 0 : missing);
    }

    // Returns the head row that belongs to the copy.
    private async Task<TableEntity?> CutAsync((TableEntity? Row, long Next) before, CancellationToken cancellationToken)
    {
        var head = await scan.HeadAsync(_key, cancellationToken);
        for (var round = 0; round < RoundsMax; round++)
        {
            var committed = await scan.CommitsAsync(_key, before.Next, head.Next, cancellationToken);
            var copied = await CopyAgainAsync(committed, cancellationToken);
            var after = await scan.HeadAsync(_key, cancellationToken);
            var since = await scan.CommitsAsync(_key, head.Next, after.Next, cancellationToken);
            if (ConsistentCut.Find(head.Next, since, copied) is { } cut)
            {
                if (cut == head.Next) return head.Row;
                if (cut == after.Next) return after.Row;
                var last = since.Last(commit => commit.End == cut);
                return (HeadRow.Read(after.Row!) with { Next = cut, Commit = last.Commit, At = last.At, Line = null }).Row(_key);
            }

            (before, head) = (head, after);
        }

        throw new BackupException($"Partition {partition}: the same entities change faster than they can be read. Try again when the load is lower.");
    }

    private async Task<IReadOnlyDictionary<string, long>> CopyAgainAsync(IReadOnlyList<CommittedEntities> committed, CancellationToken cancellationToken)
    {
        var copied = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(
            committed.SelectMany(commit => commit.Versions.Keys).Distinct(StringComparer.Ordinal),
            new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken, TaskScheduler = TaskScheduler.Current },
            async (subject, end) =>
            {
                if (await EntityAsync(subject, end) is not { } row) return;
                await file.AddAsync(row, end);
                copied[subject] = row.Whole("Version");
            });
        return copied;
    }

    // The name of an entity type may contain a slash too, so the first slash may not be the separator.
    private async Task<TableEntity?> EntityAsync(string subject, CancellationToken cancellationToken)
    {
        for (var slash = subject.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = subject.IndexOf('/', slash + 1))
        {
            if (await scan.FindAsync(_key, Keys.Entity(subject[..slash], subject[(slash + 1)..]), cancellationToken) is { } row) return row;
        }

        return null;
    }

    private async Task CopyRangeAsync(string what, string from, string below, CancellationToken cancellationToken)
    {
        var done = 0L;
        await foreach (var page in scan.PagesAsync(_key, from, below, null, cancellationToken))
        {
            foreach (var row in page) await file.AddAsync(row, cancellationToken);
            tell?.Invoke(new CopyProgress($"Partition {partition}: {what}", done += page.Count, null));
        }
    }

    // Leaves out receipts of commits beyond the cut: a repeat of such a command would get the answer to a change that the copy lacks.
    private async Task CopyReceiptsAsync(long cut, CancellationToken cancellationToken)
    {
        var (known, done) = (cut, 0L);
        await foreach (var page in scan.PagesAsync(_key, "r|", "r}", null, cancellationToken))
        {
            var head = await scan.HeadAsync(_key, cancellationToken);
            foreach (var commit in await scan.CommitsAsync(_key, known, head.Next, cancellationToken)) _beyond.Add(commit.Commit);
            known = Math.Max(known, head.Next);
            foreach (var row in page.Where(row => row.TryGetValue("Commit", out var commit) is false || commit is not string id || !_beyond.Contains(id)))
                await file.AddAsync(row, cancellationToken);
            tell?.Invoke(new CopyProgress($"Partition {partition}: receipts", done += page.Count, null));
        }
    }

    private async Task<(long First, long Missing)> CopyEventsAsync(long cut, CancellationToken cancellationToken)
    {
        var first = await OldestAsync(cancellationToken);
        var (next, missing) = (first, 0L);
        await foreach (var page in scan.PagesAsync(_key, Keys.Event(first), Keys.Event(cut), null, cancellationToken))
        {
            foreach (var row in page)
            {
                var offset = Keys.EventOffset(row.RowKey);
                missing += offset - next;
                next = offset + 1;
                await file.AddAsync(row, cancellationToken);
            }

            tell?.Invoke(new CopyProgress($"Partition {partition}: entries", next - first, cut - first));
        }

        return (first, missing + cut - next);
    }

    private async Task<long> OldestAsync(CancellationToken cancellationToken) =>
        await scan.FindAsync(_key, Keys.Oldest, cancellationToken) is { } row ? row.Whole("Offset") : 0;

    // Reads checkpoints before parked entries. After a restore, an entry that was parked in between is delivered or parked again.
    private async Task CopyForwardersAsync(long cut, long oldest, CancellationToken cancellationToken)
    {
        var checkpoints = new Dictionary<string, TableEntity>(StringComparer.Ordinal);
        await foreach (var page in scan.PagesAsync(_key, "", Keys.FirstEntity, null, cancellationToken))
        {
            foreach (var row in page.Where(row => row.RowKey != Keys.Head && Keys.WishForwarder(row.RowKey) is null))
            {
                if (row.RowKey == Keys.Oldest) TurnBack(row, oldest, cut);
                if (Keys.CheckpointForwarder(row.RowKey) is { } forwarder) checkpoints[forwarder] = row;
                else await file.AddAsync(row, cancellationToken);
            }
        }

        foreach (var row in checkpoints.Values)
        {
            row["Next"] = Math.Min(row.Whole("Next"), cut);
            // The owner is a process that works on the original log.
            row["Owner"] = "";
            row["Parked"] = 0L;
        }

        await foreach (var page in scan.PagesAsync(_key, "p|", "p}", null, cancellationToken))
        {
            foreach (var row in page)
            {
                if (!checkpoints.TryGetValue(Keys.ParkedForwarder(row.RowKey), out var checkpoint) || Keys.ParkedOffset(row.RowKey) >= checkpoint.Whole("Next")) continue;
                checkpoint["Parked"] = checkpoint.Whole("Parked") + 1;
                await file.AddAsync(row, cancellationToken);
            }
        }

        foreach (var row in checkpoints.Values) await file.AddAsync(row, cancellationToken);
    }

    // Retention may have moved on since the entries were copied. The copy holds all entries from this offset on.
    private static void TurnBack(TableEntity row, long oldest, long cut)
    {
        row["Offset"] = oldest;
        row["Receipts"] = Math.Min(row.WholeOrNull("Receipts") ?? 0, cut);
        row["Rows"] = Math.Min(row.WholeOrNull("Rows") ?? 0, oldest);
    }
}
