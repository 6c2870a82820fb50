using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Azure;
using Azure.Data.Tables;

namespace Outpost.Tests.Unit.Docs;

/// <summary>The move that docs/partitions.md describes, done by its words.</summary>
public sealed partial class Moving_to_another_partition_count
{
    private const int Before = 4;
    private const int After = 16;
    private static readonly string[] Ids = [.. Enumerable.Range(0, 30).Select(i => $"t/{i} ä")];

    [Fact]
    public async Task Keeps_state_versions_and_answers_to_repeats()
    {
        await using var old = new SimulatedLog(partitions: Before);
        foreach (var id in Ids)
        {
            await old.DoAsync(Tallies.Count(id, "first", "k1"));
            await old.DoAsync(Tallies.Count(id, "second", "k2"));
        }

        var table = new SimulatedTable(old.Time, exists: true);
        await CopyAsync(old.Table, table);
        await CopyAsync(old.Table, table);
        await using var moved = new SimulatedLog(table, old.Time, After);

        foreach (var id in Ids)
        {
            var repeat = await moved.DoAsync(Tallies.Count(id, "second", "k2", max: 2));
            var next = await moved.DoAsync(Tallies.Count(id, "third", "k3"));

            Assert.Equal((2L, true), (repeat.Version, repeat.Replayed));
            Assert.Equal((3L, false), (next.Version, next.Replayed));
            Assert.Equal(["first", "second", "third"], next.State.Steps);
        }

        Assert.NotEqual((await old.Store.LayoutAsync(CancellationToken.None)).Log, (await moved.Store.LayoutAsync(CancellationToken.None)).Log);
        for (var partition = 0; partition < After; partition++)
        {
            var entries = await moved.EntriesAsync(partition);
            Assert.Equal(Enumerable.Range(0, entries.Count).Select(offset => (long)offset), entries.Select(entry => entry.Offset));
            Assert.All(entries, entry => Assert.Equal(("third", 3L), (Tallies.StepOf(entry), entry.Version)));
        }
    }

    private static async Task CopyAsync(SimulatedTable from, SimulatedTable to)
    {
        for (var partition = 0; partition < Before; partition++)
        {
            var rows = from.Rows(SoundLog.PartitionKey(partition)).ToDictionary(row => row.RowKey);
            foreach (var row in rows.Values.Where(row => row.RowKey.StartsWith("d|", StringComparison.Ordinal)))
                await AddAsync(to, row, Decoded(row.RowKey[2..]));
            foreach (var @event in rows.Values.Where(row => row.ContainsKey("Receipt")))
                await AddAsync(to, rows[@event.GetString("Receipt")], @event.GetString("Subject"));
        }
    }

    private static async Task AddAsync(SimulatedTable to, TableEntity row, string subject)
    {
        var copy = new TableEntity(row) { PartitionKey = SoundLog.PartitionKey(LogLayout.PartitionOf(subject, After)) };
        try
        {
            await to.AddEntityAsync(copy);
        }
        catch (RequestFailedException e) when (e.Status == 409)
        {
            // Copied before.
        }
    }

    // "{type}|{id}" with "=XX" for the bytes that keys forbid.
    private static string Decoded(string key) => Encoding.UTF8.GetString(
        [.. Piece().Matches(key.Replace('|', '/')).Select(piece => piece.Length == 1
            ? (byte)piece.Value[0]
            : byte.Parse(piece.ValueSpan[1..], NumberStyles.HexNumber, CultureInfo.InvariantCulture))]);

    [GeneratedRegex("=..|.")]
    private static partial Regex Piece();
}
