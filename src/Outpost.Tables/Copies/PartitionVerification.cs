using System.Text.Json;
using Azure.Data.Tables;
using Outpost.Forwarding;

namespace Outpost.Tables.Copies;

/// <summary>
/// Verifies one partition. Keeps the subject of each entity and the key of each receipt in memory: some 200 bytes each.
/// </summary>
internal sealed partial class PartitionVerification(TableScan scan, Findings findings, string log, int partition, Action<CopyProgress>? tell)
{
    private const string NoOffset = "it names no offset of 19 digits";

    private readonly string _key = Keys.Partition(partition);
    private readonly Dictionary<string, long> _entities = new(StringComparer.Ordinal);
    private readonly HashSet<string> _receipts = new(StringComparer.Ordinal);
    private readonly List<(string Forwarder, long Offset)> _parked = [];

    public async Task<VerifiedPartition> RunAsync(CancellationToken cancellationToken)
    {
        // Everything below this head shows in the reads that follow.
        var before = await ForwardersAsync(new Findings(), cancellationToken);
        await EntitiesAsync(cancellationToken);
        await ReceiptsAsync(cancellationToken);
        await ParkedAsync(cancellationToken);
        // Everything that was read so far lies below this head.
        var after = await ForwardersAsync(findings, cancellationToken);
        var (receipts, events) = (_receipts.Count, 0L);
        if (after.Head is { } head)
        {
            events = await EventsAsync(before.Head ?? 0, after, head, cancellationToken);
            await BeyondAsync(head, cancellationToken);
            var last = await ForwardersAsync(new Findings(), cancellationToken);
            CompareEntities(before.Head ?? 0, after.Oldest);
            await CompareReceiptsAsync(last.Trimmed.Receipts, cancellationToken);
            await CompareParkedAsync(before, after, last, cancellationToken);
        }

        await OtherRowsAsync(cancellationToken);
        return new VerifiedPartition(partition, after.Oldest, after.Head ?? 0, _entities.Count, events, receipts, _parked.Count);
    }

    // Head is null when its row is damaged.
    private sealed record SmallRows(long? Head, long Oldest, Trimmed Trimmed, IReadOnlyDictionary<string, Checkpoint> Checkpoints);

    private async Task<SmallRows> ForwardersAsync(Findings to, CancellationToken cancellationToken)
    {
        var (oldest, trimmed) = (0L, new Trimmed(0, 0, null));
        var checkpoints = new Dictionary<string, Checkpoint>(StringComparer.Ordinal);
        await foreach (var page in scan.PagesAsync(_key, "", Keys.FirstEntity, null, cancellationToken))
        {
            foreach (var row in page.Where(row => row.RowKey != Keys.Head))
            {
                if (row.RowKey == Keys.Oldest) (oldest, trimmed) = to.Try("oldest", row, one => Tuple.Create(OldestRow.Read(one)))?.Item1 ?? (0, trimmed);
                else ForwarderRow(row, to, checkpoints);
            }
        }

        // Read after the checkpoints: in a healthy log, none of them is beyond this head.
        var head = await HeadAsync(to, cancellationToken);
        if (head is null) return new SmallRows(null, oldest, trimmed, checkpoints);
        foreach (var (name, checkpoint) in checkpoints.Where(one => one.Value.NextOffset > head))
            to.Add("checkpoint-beyond-head", _key, Keys.Checkpoint(name), $"Next is {checkpoint.NextOffset}, and the head is {head}");
        if (oldest > head) to.Add("oldest", _key, Keys.Oldest, $"Offset is {oldest}, and the head is {head}");
        return new SmallRows(head, oldest, trimmed, checkpoints);
    }

    private async Task<long?> HeadAsync(Findings to, CancellationToken cancellationToken) =>
        await scan.FindAsync(_key, Keys.Head, cancellationToken) is { } row ? to.Try("head", row, HeadRow.Read)?.Next : 0;

    private static void ForwarderRow(TableEntity row, Findings to, Dictionary<string, Checkpoint> checkpoints) => to.Try("key", row, one =>
    {
        if (Keys.CheckpointForwarder(one.RowKey) is { } forwarder)
        {
            if (to.Try("checkpoint", one, it => CheckpointRow.Read(it, forwarder)) is { } checkpoint) checkpoints[forwarder] = checkpoint;
        }
        else if (Keys.ControlForwarder(one.RowKey) is not null) to.Try("control", one, ControlRow.Read);
        else if (Keys.WishForwarder(one.RowKey) is not null) to.Try("control", one, LeaseWishRow.Read);
        else throw new FormatException("it names no forwarder");
        return one;
    });

    private async Task EntitiesAsync(CancellationToken cancellationToken)
    {
        await foreach (var page in scan.PagesAsync(_key, "d|", "d}", null, cancellationToken))
        {
            foreach (var row in page) findings.Try("entity", row, Entity);
            tell?.Invoke(new CopyProgress($"Partition {partition}: entities", _entities.Count, null));
        }

        TableEntity Entity(TableEntity row)
        {
            var parts = row.RowKey.Split('|');
            if (parts.Length != 3) throw new FormatException("it names no entity");
            var stored = EntityRow.Read(row);
            _entities[$"{Keys.Decode(parts[1])}/{Keys.Decode(parts[2])}"] = stored.Version;
            try
            {
                using var state = JsonDocument.Parse(stored.State);
            }
            catch (JsonException)
            {
                throw new DamagedRowException(row.PartitionKey, row.RowKey, "State", "is not JSON");
            }

            return row;
        }
    }

    private async Task ReceiptsAsync(CancellationToken cancellationToken)
    {
        await foreach (var page in scan.PagesAsync(_key, "r|", "r}", null, cancellationToken))
        {
            // No event names the claims that older versions wrote.
            foreach (var row in page.Where(row => findings.Try("receipt", row, ReceiptRow.Read) is not null && !row.ContainsKey("ClaimedBy"))) _receipts.Add(row.RowKey);
            tell?.Invoke(new CopyProgress($"Partition {partition}: receipts", _receipts.Count, null));
        }
    }

    private async Task ParkedAsync(CancellationToken cancellationToken)
    {
        await foreach (var page in scan.PagesAsync(_key, "p|", "p}", null, cancellationToken))
        {
            foreach (var row in page)
                findings.Try("parked", row, one =>
                {
                    var entry = ParkedRow.Read(one, partition);
                    _parked.Add((Keys.ParkedForwarder(one.RowKey), entry.Offset));
                    return entry;
                });
        }
    }

    private async Task BeyondAsync(long head, CancellationToken cancellationToken)
    {
        await foreach (var page in scan.PagesAsync(_key, Keys.Event(head), "e}", ["PartitionKey", "RowKey"], cancellationToken))
        {
            var now = (await scan.HeadAsync(_key, cancellationToken)).Next;
            foreach (var row in page.Where(row => string.CompareOrdinal(row.RowKey, Keys.Event(now)) >= 0))
                findings.Add(Keys.IsEvent(row.RowKey) ? "head-too-low" : "key", _key, row.RowKey, Keys.IsEvent(row.RowKey) ? $"it is beyond the head, which is {now}" : NoOffset);
        }
    }

    private async Task OtherRowsAsync(CancellationToken cancellationToken)
    {
        foreach (var (from, below) in PartitionBackup.Gaps)
        {
            await foreach (var page in scan.PagesAsync(_key, from, below, ["PartitionKey", "RowKey"], cancellationToken))
            {
                foreach (var row in page) findings.Add("key", _key, row.RowKey, "no row of this version has such a key");
            }
        }
    }
}
