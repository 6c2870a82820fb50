namespace Outpost.Tests.Testing.Contract;

public abstract partial class LogContract
{
    [Theory]
    [InlineData(0, 3, new[] { "s0", "s1", "s2" })]
    [InlineData(5, 100, new[] { "s5", "s6" })]
    [InlineData(6, 1, new[] { "s6" })]
    [InlineData(7, 10, new string[0])]
    [InlineData(700, 10, new string[0])]
    [InlineData(long.MaxValue, 1000, new string[0])]
    [InlineData(long.MaxValue - 5, 1000, new string[0])]
    public async Task Gives_entries_from_an_offset_on(long offset, int limit, string[] expected)
    {
        await using var logs = await StartAsync(partitions: 1, processes: 2);
        for (var i = 0; i < 7; i++) await logs[0].DoAsync(Tallies.Count($"t{i}", $"s{i}"));

        // By another process than the one that wrote them, which may have them in memory.
        foreach (var log in new[] { logs[0], logs[1] })
        {
            var entries = await log.Events.ReadEventsAsync(0, offset, limit, CancellationToken.None);

            Assert.Equal(expected, entries.Select(Tallies.StepOf));
            Assert.Equal(entries.Select((_, place) => offset + place), entries.Select(entry => entry.Offset));
        }
    }

    [Fact]
    public async Task Ends_a_page_where_its_bytes_are_enough()
    {
        await using var logs = await StartAsync(partitions: 1, processes: 2);
        for (var i = 0; i < 6; i++) await logs[0].DoAsync(Events($"t{i}", new NewEvent("Large", "application/octet-stream", new byte[900_000])));

        var page = await logs[1].Events.ReadEventsAsync(0, 0, 1000, CancellationToken.None);

        Assert.Equal(5, page.Count);
        Assert.Equal(6, (await logs[1].EntriesAsync()).Count);
    }

    [Fact]
    public async Task Says_that_a_partition_without_commits_is_empty()
    {
        await using var log = await StartAsync(partitions: 2);
        await log.Events.LayoutAsync(CancellationToken.None);

        var state = await log.StateAsync(1);

        Assert.Equal((1, 0L, 0L, null), (state.Partition, state.Oldest, state.Head, state.HeadTimestamp));
        Assert.Equal((0L, 0L, null), (state.Trimmed.Rows, state.Trimmed.Receipts, state.Trimmed.Tag));
        Assert.Empty(await log.Events.ReadEventsAsync(1, 0, 10, CancellationToken.None));
    }

    [Fact]
    public async Task Tells_of_a_head_when_it_commits_and_when_it_reads()
    {
        await using var logs = await StartAsync(partitions: 1, processes: 2);
        var waiting = logs[0].Events.Heads.BeyondAsync(0, 1, Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        for (var i = 0; i < 3; i++) await logs[0].DoAsync(Tallies.Count($"t{i}", $"s{i}"));

        var state = await logs[1].StateAsync();

        Assert.True(await waiting);
        Assert.Equal((3L, 3L, 3L), (state.Head, logs[0].Events.Heads[0], logs[1].Events.Heads[0]));
        Assert.Equal((await logs[0].EntriesAsync())[^1].Timestamp, state.HeadTimestamp);
    }

    [Fact]
    public async Task Refuses_a_read_that_can_only_be_a_mistake()
    {
        await using var log = await StartAsync();

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => log.Events.ReadEventsAsync(0, -1, 1, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => log.Events.ReadEventsAsync(0, 0, 1001, CancellationToken.None));
    }

    [Fact]
    public async Task Does_nothing_for_a_caller_who_has_left()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1"));
        using var left = new CancellationTokenSource();
        await left.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => log.Events.ReadEventsAsync(0, 5, 1, left.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => log.Events.ReadPartitionAsync(0, left.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => log.RunAsync(Tallies.Count("a", "a2"), left.Token));
        Assert.Equal(["a1"], await log.StepsAsync());
    }
}
