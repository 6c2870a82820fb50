using System.Globalization;
using System.Text.Json;
using Azure.Data.Tables;

namespace Outpost.Tests.Testing;

/// <summary>What must be true of the rows of a log whatever happened to it. Reads raw rows, not through the product.</summary>
internal static class SoundLog
{
    /// <summary>The steps of all events in order, after everything that can be checked without knowing the commands.</summary>
    public static IReadOnlyList<string> Check(SimulatedTable table, string partitionKey = "0000")
    {
        var rows = table.Rows(partitionKey);
        var events = rows.Where(row => row.RowKey.StartsWith("e|", StringComparison.Ordinal)).ToList();
        var head = rows.SingleOrDefault(row => row.RowKey == "!head");
        Assert.Equal(events.Count, head?.GetInt64("Next") ?? 0);
        Assert.Equal(Enumerable.Range(0, events.Count).Select(offset => $"e|{offset:D19}"), events.Select(row => row.RowKey));
        if (head is null) return [];

        Assert.Equal(events[^1].GetString("Commit"), head.GetString("Commit"));
        var times = events.Select(row => row.GetDateTimeOffset("At")!.Value).ToList();
        Assert.Equal(times.Order(), times);
        CheckEntities(rows, events);
        CheckReceipts(rows, events);
        return [.. events.Select(StepOf)];
    }

    // Versions of one entity are 1, 2, 3, … along the log, and its row is as its last event left it.
    private static void CheckEntities(IReadOnlyList<TableEntity> rows, List<TableEntity> events)
    {
        var entities = rows.Where(row => row.RowKey.StartsWith("d|tally|", StringComparison.Ordinal))
            .ToDictionary(row => $"tally/{row.RowKey["d|tally|".Length..]}");
        Assert.Equal(entities.Keys.Order(), events.Select(row => row.GetString("Subject")).Distinct().Order());
        foreach (var subject in events.GroupBy(row => row.GetString("Subject")))
        {
            var versions = subject.Select(row => row.GetInt64("Version")!.Value).Distinct().ToList();
            Assert.Equal(Enumerable.Range(1, versions.Count).Select(version => (long)version), versions);
            var entity = entities[subject.Key];
            Assert.Equal(versions[^1], entity.GetInt64("Version"));
            Assert.Equal(subject.Last().GetString("Commit"), entity.GetString("Commit"));
            var steps = subject.GroupBy(row => row.GetInt64("Version")).Select(version => StepOf(version.First()));
            var state = JsonSerializer.Deserialize(entity.GetString("State"), TallyJson.Default.Tally)!;
            Assert.Equal(steps, state.Steps);
        }
    }

    // Each receipt belongs to events of the same commit, and they name it.
    private static void CheckReceipts(IReadOnlyList<TableEntity> rows, List<TableEntity> events)
    {
        var receipts = rows.Where(row => row.RowKey.StartsWith("r|", StringComparison.Ordinal)).ToDictionary(row => row.RowKey);
        var named = events.Where(row => row.ContainsKey("Receipt")).ToList();
        Assert.Equal(receipts.Keys.Order(), named.Select(row => row.GetString("Receipt")).Distinct().Order());
        foreach (var row in named)
        {
            Assert.Equal(row.GetString("Commit"), receipts[row.GetString("Receipt")].GetString("Commit"));
            Assert.Equal(row.GetInt64("Version"), receipts[row.GetString("Receipt")].GetInt64("Version"));
        }
    }

    private static string StepOf(TableEntity row) =>
        JsonSerializer.Deserialize(row.GetString("Payload"), TallyJson.Default.Counted)!.Step;

    /// <summary>A partition's key, restated.</summary>
    public static string PartitionKey(int partition) => partition.ToString("0000", CultureInfo.InvariantCulture);
}
