using Azure.Data.Tables;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

public sealed class Committing
{
    [Fact]
    public async Task A_command_is_one_transaction_of_head_order_receipt_and_event()
    {
        await using var log = await TestLog.CreateAsync();

        await log.PlaceAsync("o-1", "k1");

        var rows = await RowsAsync(log);
        Assert.Equal(["!head", "d|order|o-1", "e|0000000000000000000", .. rows.Keys.Where(k => k.StartsWith("r|", StringComparison.Ordinal))], rows.Keys);
        Assert.Equal(4, rows.Count);
        Assert.Single(rows.Values.Select(row => row.GetString("Commit")).Distinct());
        Assert.Equal(1L, rows["!head"].GetInt64("Next"));
    }

    [Fact]
    public async Task A_lone_command_costs_exactly_one_request_once_the_head_is_known()
    {
        using var transport = new FaultyTransport((_, _) => null);
        await using var log = await TestLog.CreateAsync(transport: transport);
        await log.PlaceAsync("o-1", "k1");
        var before = transport.Requests;

        for (var i = 2; i <= 11; i++) await log.PlaceAsync($"o-{i}", $"k{i}");

        Assert.Equal(10, transport.Requests - before);
    }

    [Fact]
    public async Task Commands_that_come_together_share_transactions()
    {
        using var transport = new FaultyTransport((_, _) => null);
        await using var log = await TestLog.CreateAsync(transport: transport);
        await log.PlaceAsync("first");
        var before = transport.Requests;

        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => log.PlaceAsync($"o-{i}", $"k{i}")));

        Assert.InRange(transport.Requests - before, 2, 6);
        var entries = await log.ReadAllAsync();
        Assert.Equal(Enumerable.Range(0, 65).Select(i => (long)i), entries.Select(e => e.Offset));
        Assert.Equal(65, entries.Select(e => e.Subject).Distinct().Count());
    }

    [Fact]
    public async Task A_start_with_another_partition_count_is_refused_and_names_both()
    {
        await using var log = await TestLog.CreateAsync(partitions: 4);
        await log.PlaceAsync("o-1");
        await using var other = await log.AnotherProcessAsync(partitions: 5);

        var refusal = await Assert.ThrowsAsync<LayoutMismatchException>(() => other.PlaceAsync("o-2"));

        Assert.Contains("Outpost__PartitionCount: '5'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("4 partitions", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<SortedDictionary<string, TableEntity>> RowsAsync(TestLog log)
    {
        var rows = new SortedDictionary<string, TableEntity>(StringComparer.Ordinal);
        await foreach (var row in log.Table.QueryAsync<TableEntity>("PartitionKey eq '0000'")) rows[row.RowKey] = row;
        return rows;
    }
}
