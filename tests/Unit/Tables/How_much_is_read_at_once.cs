using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

public sealed class How_much_is_read_at_once
{
    [Theory]
    // Small ones: four times as many, up to a page.
    [InlineData(250, 250, 100, 1000)]
    [InlineData(50, 50, 100, 200)]
    [InlineData(1000, 1000, 100, 1000)]
    // Large ones: as many as fill two thirds of what an answer may have, and one at least.
    [InlineData(250, 4, 900_000, 3)]
    [InlineData(1000, 1000, 3_000, 834)]
    [InlineData(4, 1, 983_040, 3)]
    // A short page says nothing about more.
    [InlineData(1000, 3, 100, 1000)]
    public void Follows_from_the_size_of_what_was_read(int before, int read, int bytes, int after)
    {
        var entries = Enumerable.Range(0, read).Select(offset => new EventEntry(
            new EventId("k3v9x2ab", 0, offset), "Measured", "text/plain", new byte[bytes], DateTimeOffset.UnixEpoch, "a/b", 1, null, null)).ToList();

        Assert.Equal(after, EventReads.RowsAfter(before, entries));
    }

    [Fact]
    public async Task Ends_at_its_bytes_also_where_the_store_answers_in_pieces()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 20; i++)
        {
            await log.DoAsync(Tallies.Count($"a{i}", "large") with
            {
                Decide = _ => new Decision<Tally>.Accepted(new Tally(1, []), [new NewEvent("Large", "application/octet-stream", new byte[900_000])]),
            });
        }

        await using var reader = log.AnotherProcess();
        log.Table.RowsPerPage = 1;
        await reader.Store.LayoutAsync(CancellationToken.None);
        log.Table.ForgetRequests();

        var read = await reader.Store.ReadEventsAsync(0, 0, Limits.PageEntriesMax, CancellationToken.None);

        Assert.Equal((5, 5), (read.Count, log.Table.Sent(TableOperation.QueryPage)));
    }

    [Fact]
    public async Task Is_bounded_for_all_who_read_together_and_they_take_turns()
    {
        var budget = new ByteBudget(10);
        var first = await budget.TakeAsync(6, CancellationToken.None);
        var large = budget.TakeAsync(8, CancellationToken.None);
        var small = budget.TakeAsync(4, CancellationToken.None);

        // There are four left, but the large one was first.
        Assert.Equal((false, false), (large.IsCompleted, small.IsCompleted));
        first.Dispose();
        var second = await large;
        Assert.False(small.IsCompleted);
        // Twice gives nothing twice.
        first.Dispose();
        Assert.False(small.IsCompleted);
        second.Dispose();
        await small;
    }

    [Fact]
    public async Task Is_not_held_by_who_has_left_the_line()
    {
        using var leaving = new CancellationTokenSource();
        var budget = new ByteBudget(10);
        var first = await budget.TakeAsync(10, CancellationToken.None);
        var left = budget.TakeAsync(10, leaving.Token);
        var next = budget.TakeAsync(1, CancellationToken.None);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        first.Dispose();

        await next;
    }
}
