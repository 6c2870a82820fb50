using Azure.Data.Tables;
using Outpost.Orders;
using Outpost.Tests.Testing;
using Done = Outpost.CommandResult<Outpost.Orders.Order>.Done;

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
    public async Task Two_processes_on_one_partition_leave_no_hole_and_no_command_out()
    {
        await using var one = await TestLog.CreateAsync();
        await using var two = await one.AnotherProcessAsync();

        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => (i % 2 == 0 ? one : two).PlaceAsync($"o-{i}", $"k{i}")));

        Assert.All(results, result => Assert.IsType<Done>(result));
        var entries = await one.ReadAllAsync();
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), entries.Select(e => e.Offset));
        Assert.Equal(200, entries.Select(e => e.Subject).Distinct().Count());
        Assert.Equal(entries.Select(e => e.Timestamp).Order(), entries.Select(e => e.Timestamp));
    }

    [Fact]
    public async Task Of_64_callers_who_pay_one_order_one_succeeds_and_the_others_are_told_why_not()
    {
        await using var one = await TestLog.CreateAsync();
        await using var two = await one.AnotherProcessAsync();
        await one.PlaceAsync("o-1");

        var results = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => (i % 2 == 0 ? one : two).PayAsync("o-1", $"k{i}")));

        Assert.Single(results.OfType<Done>());
        Assert.Equal(63, results.OfType<CommandResult<Order>.Refused>().Count());
        Assert.Equal(["OrderPlaced", "OrderPaid"], (await one.ReadAllAsync()).Select(e => e.Type));
    }

    [Fact]
    public async Task Repeats_with_one_key_at_once_and_in_two_processes_are_one_command()
    {
        await using var one = await TestLog.CreateAsync();
        await using var two = await one.AnotherProcessAsync();
        await one.PlaceAsync("o-1");

        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? one : two).PayAsync("o-1", "same")));

        Assert.All(results, result => Assert.Equal(2, Assert.IsType<Done>(result).Version));
        Assert.Single(results.Cast<Done>(), done => !done.Replayed);
        Assert.Equal(2, (await one.ReadAllAsync()).Count);
    }

    [Fact]
    public async Task A_repeat_gets_the_first_answer_after_the_state_has_moved_on()
    {
        await using var log = await TestLog.CreateAsync();
        await log.PlaceAsync("o-1", "place");
        await log.PayAsync("o-1", "pay", new VersionCondition([1]));
        await log.CancelAsync("o-1");

        var placed = Assert.IsType<Done>(await log.PlaceAsync("o-1", "place"));
        var paid = Assert.IsType<Done>(await log.PayAsync("o-1", "pay", new VersionCondition([1])));

        Assert.Equal((OrderState.Placed, 1L, true), (placed.State.State, placed.Version, placed.Replayed));
        Assert.Equal((OrderState.Paid, 2L, true), (paid.State.State, paid.Version, paid.Replayed));
        Assert.Equal(3, (await log.ReadAllAsync()).Count);
    }

    [Fact]
    public async Task Another_request_under_a_used_key_is_refused()
    {
        await using var log = await TestLog.CreateAsync();
        await log.PlaceAsync("o-1", "k");

        var result = await log.RunAsync(
            "o-1", "k", "place", order => OrderDecisions.Place(order, "o-1", "c2", []), likelyNew: true, fingerprint: "another");

        Assert.IsType<CommandResult<Order>.KeyReused>(result);
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

    [Fact]
    public async Task Many_processes_that_create_the_log_at_once_agree_on_its_id()
    {
        await using var first = await TestLog.CreateAsync(partitions: 3);
        var others = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => first.AnotherProcessAsync()));

        var layouts = await Task.WhenAll(others.Append(first).Select(log => log.Store.LayoutAsync(CancellationToken.None).AsTask()));

        Assert.Single(layouts.Distinct());
        foreach (var other in others) await other.DisposeAsync();
    }

    [Fact]
    public async Task With_16_partitions_every_partition_is_dense_and_every_order_is_in_one()
    {
        await using var log = await TestLog.CreateAsync(partitions: 16);

        await Task.WhenAll(Enumerable.Range(0, 160).Select(async i =>
        {
            await log.PlaceAsync($"o-{i}", $"k{i}");
            await log.PayAsync($"o-{i}");
        }));

        var subjects = new HashSet<string>();
        for (var partition = 0; partition < 16; partition++)
        {
            var entries = await log.ReadAllAsync(partition);
            Assert.Equal(Enumerable.Range(0, entries.Count).Select(i => (long)i), entries.Select(e => e.Offset));
            foreach (var subject in entries.GroupBy(e => e.Subject))
            {
                Assert.Equal([1L, 2L], subject.Select(e => e.Version));
                Assert.True(subjects.Add(subject.Key));
            }
        }

        Assert.Equal(160, subjects.Count);
    }

    [Theory]
    [InlineData("bjørn/√2?#\\|=%25")]
    [InlineData("日本語 🚀")]
    [InlineData("'quoted' \"twice\"")]
    public async Task An_id_of_any_characters_finds_its_entity_again(string id)
    {
        await using var log = await TestLog.CreateAsync();

        Assert.IsType<Done>(await log.PlaceAsync(id, "k"));
        Assert.IsType<Done>(await log.PayAsync(id));

        Assert.Equal([$"order/{id}", $"order/{id}"], (await log.ReadAllAsync()).Select(e => e.Subject));
    }

    [Fact]
    public async Task Payloads_of_every_kind_and_size_come_back_byte_for_byte()
    {
        await using var log = await TestLog.CreateAsync();
        var payloads = new (string Type, byte[] Bytes)[]
        {
            ("application/json", "null"u8.ToArray()),
            ("application/json", System.Text.Encoding.UTF8.GetBytes($"\"{new string('é', 40_000)}\"")),
            ("text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(new string('\u2028', 32 * 1024))),
            ("text/plain", [0xFF, 0xFE, 0x00]),
            ("application/octet-stream", []),
            ("application/octet-stream", [.. Enumerable.Range(0, Limits.PayloadBytesMax).Select(i => (byte)(i * 31))]),
        };
        var state = new Order("o", "c", OrderState.Placed, [], 0);

        var result = await log.RunAsync("o", null, "x", _ => new Decision<Order>.Accepted(
            state, [.. payloads.Select((p, i) => new NewEvent($"E{i}", p.Type, p.Bytes))]));

        Assert.IsType<Done>(result);
        var entries = await log.ReadAllAsync();
        Assert.Equal(payloads.Length, entries.Count);
        Assert.All(entries.Zip(payloads), pair => Assert.True(pair.First.Payload.Span.SequenceEqual(pair.Second.Bytes)));
    }

    [Fact]
    public async Task What_does_not_fit_in_one_transaction_is_refused_and_leaves_no_row()
    {
        await using var log = await TestLog.CreateAsync();
        var state = new Order("o", "c", OrderState.Placed, [], 0);
        NewEvent Event(int bytes) => new("E", "application/octet-stream", new byte[bytes]);

        var tooManyBytes = await log.RunAsync("o", null, "x", _ => new Decision<Order>.Accepted(state, [Event(Limits.PayloadBytesMax + 1)]));
        var tooMuchTogether = await log.RunAsync("o", null, "x", _ => new Decision<Order>.Accepted(
            state, [Event(900_000), Event(900_000), Event(900_000)]));
        var tooMany = await log.RunAsync("o", null, "x", _ => new Decision<Order>.Accepted(
            state, [.. Enumerable.Range(0, Limits.EventsPerCommandMax + 1).Select(_ => Event(1))]));

        Assert.All([tooManyBytes, tooMuchTogether, tooMany], result => Assert.IsType<CommandResult<Order>.TooLarge>(result));
        Assert.Empty(await RowsAsync(log));
    }

    private static async Task<SortedDictionary<string, TableEntity>> RowsAsync(TestLog log)
    {
        var rows = new SortedDictionary<string, TableEntity>(StringComparer.Ordinal);
        await foreach (var row in log.Table.QueryAsync<TableEntity>("PartitionKey eq '0000'")) rows[row.RowKey] = row;
        return rows;
    }
}
