using Azure.Core;
using Outpost.Orders;
using Outpost.Tests.Testing;
using Done = Outpost.CommandResult<Outpost.Orders.Order>.Done;

namespace Outpost.Tests.Integration.Log;

/// <summary>
/// Promise 3: lost answer, SDK repeat, caller's repeat: one change, one set of events, the same answer. Each fault at
/// each of the first requests of a log; what a network and many callers add is in
/// <see cref="Ten_thousand_commands_over_a_bad_network"/>.
/// </summary>
public sealed class CommittingThroughFaults
{
    private const int Orders = 6;

    public static TheoryData<Fault> Faults => [.. Enum.GetValues<Fault>()];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_at_each_request_in_turn_neither_loses_nor_doubles_a_command(Fault fault)
    {
        // Each position is a log of its own: layout and head are read in the first requests, transactions follow.
        await Task.WhenAll(Enumerable.Range(1, 12).Select(at => RunAsync((_, number) => number == at ? fault : null)));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Three_faults_in_a_row_outlast_the_SDK_and_still_nothing_is_lost_or_doubled(Fault fault)
    {
        // The SDK gives up after its third try; from then on it is the writer who finds out.
        await Task.WhenAll(Enumerable.Range(4, 6).Select(at =>
            RunAsync((_, number) => number >= at && number < at + 3 ? fault : null)));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Without_keys_the_writer_alone_finds_out_what_became_of_each_command(Fault fault)
    {
        await Task.WhenAll(Enumerable.Range(4, 12).Select(async at =>
        {
            using var transport = new FaultyTransport((_, number) => number == at ? fault : null);
            await using var log = await TestLog.CreateAsync(transport: transport);
            var placed = await Task.WhenAll(Enumerable.Range(0, Orders).Select(i => log.PlaceAsync($"o-{i}")));
            var paid = await Task.WhenAll(Enumerable.Range(0, Orders).Select(i => log.PayAsync($"o-{i}")));

            // One fault is within what the SDK and the writer sort out by themselves: nobody hears of it.
            Assert.All(placed, result => Assert.Equal(1, Assert.IsType<Done>(result).Version));
            Assert.All(paid, result => Assert.Equal(2, Assert.IsType<Done>(result).Version));
            await transport.LateRequestsAsync();
            await AssertEachOnceAsync(log, Orders, "OrderPlaced", "OrderPaid");
        }));
    }

    private static async Task RunAsync(Func<HttpMessage, int, Fault?> plan)
    {
        using var transport = new FaultyTransport(plan);
        await using var log = await TestLog.CreateAsync(transport: transport);

        await Task.WhenAll(Enumerable.Range(0, Orders).Select(i => UntilAnsweredAsync(() => log.PlaceAsync($"o-{i}", $"k{i}"))));
        await Task.WhenAll(Enumerable.Range(0, Orders).Select(i => UntilAnsweredAsync(() => log.PayAsync($"o-{i}", $"p{i}"))));

        await transport.LateRequestsAsync();
        await AssertEachOnceAsync(log, Orders, "OrderPlaced", "OrderPaid");
    }

    // What a client does: the same key until there is an answer.
    private static async Task UntilAnsweredAsync(Func<Task<CommandResult<Order>>> send)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (await send() is var result && result is not (CommandResult<Order>.Unknown or CommandResult<Order>.Busy))
                {
                    Assert.IsType<Done>(result);
                    return;
                }
            }
            catch (StoreUnavailableException) when (attempt < 20)
            {
            }
        }
    }

    private static async Task AssertEachOnceAsync(TestLog log, int orders, params string[] types)
    {
        await using var reader = await log.AnotherProcessAsync();
        var entries = await reader.ReadAllAsync();
        Assert.Equal(Enumerable.Range(0, entries.Count).Select(i => (long)i), entries.Select(e => e.Offset));
        Assert.Equal(orders, entries.Select(e => e.Subject).Distinct().Count());
        Assert.All(entries.GroupBy(e => e.Subject), order => Assert.Equal(types, order.Select(e => e.Type)));
        Assert.Equal(entries.Count, (await reader.Store.ReadPartitionAsync(0, CancellationToken.None)).Head);
    }
}
