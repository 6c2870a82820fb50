using Azure.Data.Tables;

namespace Outpost.Tables.Copies;

/// <summary>The part that reads the entries, and compares entities, receipts and parked entries with them.</summary>
internal sealed partial class PartitionVerification
{
    // For each subject, the version in its last event: below the head at the start (Known), and anywhere (All).
    private readonly Dictionary<string, (long Known, long All)> _versions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _named = new(StringComparer.Ordinal);
    private readonly List<(long Offset, string Receipt)> _unanswered = [];
    private readonly HashSet<long> _parkedEntries = [];

    private async Task<long> EventsAsync(long known, SmallRows rows, long head, CancellationToken cancellationToken)
    {
        foreach (var (_, offset) in _parked) _parkedEntries.Add(offset);
        var (count, next, latest) = (0L, rows.Oldest, DateTimeOffset.MinValue);
        await foreach (var page in scan.PagesAsync(_key, "e|", Keys.Event(head), null, cancellationToken))
        {
            foreach (var row in page)
            {
                if (!Keys.IsEvent(row.RowKey))
                {
                    findings.Add("key", _key, row.RowKey, NoOffset);
                    continue;
                }

                var offset = Keys.EventOffset(row.RowKey);

                if (offset < rows.Oldest)
                {
                    if (offset < rows.Trimmed.Rows) findings.Add("leftover", _key, row.RowKey, $"retention has deleted up to {rows.Trimmed.Rows}");
                    continue;
                }

                if (offset > next) await HoleAsync(next, offset, cancellationToken);
                next = offset + 1;
                count++;
                _parkedEntries.Remove(offset);
                if (findings.Try("event", row, one => EventRow.Read(one, log)) is { } entry) latest = Look(row, entry, known, latest);
            }

            tell?.Invoke(new CopyProgress($"Partition {partition}: entries", count, head - rows.Oldest));
        }

        if (next < head) await HoleAsync(next, head, cancellationToken);
        return count;
    }

    private DateTimeOffset Look(TableEntity row, EventEntry entry, long known, DateTimeOffset latest)
    {
        var at = StampedTime.Of(row);
        if (at < latest) findings.Add("time", _key, row.RowKey, $"its time is {at.UtcDateTime:O}, and an earlier entry has {latest.UtcDateTime:O}");
        var (below, all) = _versions.GetValueOrDefault(entry.Subject);
        _versions[entry.Subject] = (entry.Offset < known ? Math.Max(below, entry.Version) : below, Math.Max(all, entry.Version));
        if (row.TextOrNull("Receipt") is { } receipt)
        {
            if (_receipts.Remove(receipt)) _named.Add(receipt);
            else if (entry.Offset < known && !_named.Contains(receipt)) _unanswered.Add((entry.Offset, receipt));
        }

        return at > latest ? at : latest;
    }

    // Retention may have deleted the entries meanwhile, so the oldest offset is read again.
    private async Task HoleAsync(long from, long below, CancellationToken cancellationToken)
    {
        var oldest = await scan.FindAsync(_key, Keys.Oldest, cancellationToken) is { } row ? row.WholeOrNull("Offset") ?? 0 : 0;
        from = Math.Max(from, oldest);
        if (from < below) findings.Add("hole", _key, Keys.Event(from), below - from == 1 ? $"entry {from} is missing" : $"entries {from} to {below - 1} are missing");
    }

    private void CompareEntities(long known, long oldest)
    {
        foreach (var (subject, (below, all)) in _versions)
        {
            if (!_entities.TryGetValue(subject, out var version))
            {
                if (below > 0) findings.Add("entity-behind", _key, EntityKey(subject), $"there are events of '{subject}', and it has no row");
            }
            else if (version > all) findings.Add("entity-ahead", _key, EntityKey(subject), $"'{subject}' has version {version}, and its last event is of version {all}");
            else if (version < below) findings.Add("entity-behind", _key, EntityKey(subject), $"'{subject}' has version {version}, and an event of version {below}");
        }

        // Retention may have deleted all events of an entity.
        foreach (var subject in oldest > 0 ? [] : _entities.Keys.Where(subject => !_versions.ContainsKey(subject)))
            findings.Add("entity-ahead", _key, EntityKey(subject), $"no event tells of '{subject}'");
    }

    private static string EntityKey(string subject)
    {
        var slash = subject.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? "" : Keys.Entity(subject[..slash], subject[(slash + 1)..]);
    }

    private async Task CompareReceiptsAsync(long trimmed, CancellationToken cancellationToken)
    {
        foreach (var (offset, receipt) in _unanswered.Where(one => one.Offset >= trimmed))
        {
            if (await scan.FindAsync(_key, receipt, cancellationToken) is null)
                findings.Add("receipt-missing", _key, Keys.Event(offset), $"the receipt '{receipt}' that it names is not there");
        }

        foreach (var receipt in _receipts)
        {
            if (await scan.FindAsync(_key, receipt, cancellationToken) is not null) findings.Add("receipt-orphan", _key, receipt, "no event names it");
        }
    }

    private async Task CompareParkedAsync(SmallRows before, SmallRows after, SmallRows last, CancellationToken cancellationToken)
    {
        foreach (var (forwarder, offset) in _parked)
        {
            var isPassed = after.Checkpoints.TryGetValue(forwarder, out var checkpoint) && offset < checkpoint.NextOffset;
            if (isPassed && !_parkedEntries.Contains(offset)) continue;
            var key = Keys.Parked(forwarder, offset);
            // Somebody may have released the entry, or removed the forwarder, meanwhile.
            if (await scan.FindAsync(_key, key, cancellationToken) is null) continue;
            if (!isPassed) findings.Add("parked-not-passed", _key, key, checkpoint is null ? $"'{forwarder}' has no checkpoint that can be read" : $"the checkpoint of '{forwarder}' is at {checkpoint.NextOffset}");
            else findings.Add("parked-without-entry", _key, key, $"entry {offset} is not in the log");
        }

        foreach (var (forwarder, checkpoint) in after.Checkpoints)
        {
            var isStill = before.Checkpoints.GetValueOrDefault(forwarder)?.Write == checkpoint.Write && last.Checkpoints.GetValueOrDefault(forwarder)?.Write == checkpoint.Write;
            var count = _parked.Count(one => one.Forwarder == forwarder);
            if (isStill && checkpoint.Parked != count) findings.Add("parked-count", _key, Keys.Checkpoint(forwarder), $"Parked is {checkpoint.Parked}, and {count} rows are there");
        }
    }
}
