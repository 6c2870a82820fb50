using Outpost.Orders;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

/// <summary>Promise 10: what a read brings into memory is bounded, whatever the size of the rows that it meets.</summary>
public sealed class Events_of_any_size
{
    private const int Small = 600;
    private const int Large = 20;
    private const int LargeBytes = 900_000;

    [Fact]
    public async Task Are_read_in_order_where_small_ones_turn_large_in_the_middle()
    {
        await using var log = await TestLog.CreateAsync();
        for (var i = 0; i < Small / 30; i++) await PlaceAsync(log, $"small-{i}", [.. Enumerable.Repeat(Event(100), 30)]);
        for (var i = 0; i < Large; i++) await PlaceAsync(log, $"large-{i}", [Event(LargeBytes)]);
        await PlaceAsync(log, "last", [.. Enumerable.Repeat(Event(100), 40)]);
        // One that remembers none of them.
        await using var reader = await log.AnotherProcessAsync();

        var read = new List<EventEntry>();
        var largest = 0L;
        while (await reader.Store.ReadEventsAsync(0, read.Count, Limits.PageEntriesMax, CancellationToken.None) is { Count: > 0 } page)
        {
            read.AddRange(page);
            largest = Math.Max(largest, page.Sum(entry => (long)entry.Payload.Length));
        }

        Assert.Equal(Enumerable.Range(0, Small + Large + 40).Select(offset => (long)offset), read.Select(entry => entry.Offset));
        Assert.Equal(Large, read.Count(entry => entry.Payload.Length == LargeBytes));
        Assert.InRange(largest, LargeBytes, Limits.PageBytesMax + LargeBytes);
    }

    [Fact]
    public async Task Take_as_many_requests_as_before_where_they_are_small()
    {
        using var transport = new FaultyTransport((_, _) => null);
        await using var log = await TestLog.CreateAsync();
        for (var i = 0; i < 100; i++) await PlaceAsync(log, $"small-{i}", [.. Enumerable.Repeat(Event(100), 30)]);
        await using var reader = await log.AnotherProcessAsync(transport);
        await reader.Store.LayoutAsync(CancellationToken.None);

        var before = transport.Requests;
        var first = await reader.Store.ReadEventsAsync(0, 0, 1000, CancellationToken.None);
        var afterFirst = transport.Requests;
        var second = await reader.Store.ReadEventsAsync(0, 1000, 1000, CancellationToken.None);

        // The first page finds out how large they are.
        Assert.Equal((1000, 2, 1000, 1), (first.Count, afterFirst - before, second.Count, transport.Requests - afterFirst));
    }

    private static NewEvent Event(int bytes) => new("Measured", "application/octet-stream", new byte[bytes]);

    private static async Task PlaceAsync(TestLog log, string id, IReadOnlyList<NewEvent> events) => Assert.IsType<CommandResult<Order>.Done>(
        await log.RunAsync(id, null, "place", _ => new Decision<Order>.Accepted(new Order(id, "c", OrderState.Placed, [], 0), events), likelyNew: true));
}
