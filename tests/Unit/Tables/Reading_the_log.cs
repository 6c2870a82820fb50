using Azure.Data.Tables;
using Azure.Identity;

namespace Outpost.Tests.Unit.Tables;

public sealed class Reading_the_log
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
        await using var log = await SevenAsync();

        var entries = await log.Store.ReadEventsAsync(0, offset, limit, CancellationToken.None);

        Assert.Equal(expected, entries.Select(Tallies.StepOf));
        Assert.Equal(entries.Select((_, place) => offset + place), entries.Select(entry => entry.Offset));
    }

    [Fact]
    public async Task Gives_everything_that_was_committed()
    {
        await using var log = new SimulatedLog(partitions: 3);
        var payload = new byte[] { 0xFF, 1, 2 };
        await log.DoAsync(Tallies.Count("a", "a1"));
        await log.DoAsync(Tallies.Count("a", "a2") with
        {
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            CorrelationId = "corr",
            Decide = tally => new Decision<Tally>.Accepted(tally!, [new NewEvent("Measured", "application/octet-stream", payload)]),
        });
        var layout = await log.Store.LayoutAsync(CancellationToken.None);
        var partition = layout.PartitionOf("tally/a");

        await using var other = log.AnotherProcess();

        var entry = (await other.Store.ReadEventsAsync(partition, 1, 1, CancellationToken.None)).Single();

        Assert.Equal(new EventId(layout.Log, partition, 1), entry.Id);
        Assert.Equal(("Measured", "application/octet-stream", "tally/a", 2L), (entry.Type, entry.ContentType, entry.Subject, entry.Version));
        Assert.Equal(("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "corr"), (entry.TraceParent, entry.CorrelationId));
        Assert.Equal(payload, entry.Payload.ToArray());
        Assert.Equal(log.Time.GetUtcNow(), entry.Timestamp);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(1000, true)]
    public async Task Does_not_care_how_the_service_cuts_its_pages(int rowsPerPage, bool emptyFirst)
    {
        await using var log = await SevenAsync();
        (log.Table.RowsPerPage, log.Table.BeginsWithEmptyPages) = (rowsPerPage, emptyFirst);

        Assert.Equal(7, (await log.Store.ReadEventsAsync(0, 0, 1000, CancellationToken.None)).Count);
        Assert.Equal(7, (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Head);
    }

    [Fact]
    public async Task Never_passes_a_hole()
    {
        await using var log = await SevenAsync();
        log.Table.Remove("0000", "e|0000000000000000003");

        Assert.Equal(3, (await log.Store.ReadEventsAsync(0, 0, 1000, CancellationToken.None)).Count);
        Assert.Empty(await log.Store.ReadEventsAsync(0, 3, 1000, CancellationToken.None));
        Assert.Equal(3, (await log.Store.ReadEventsAsync(0, 4, 1000, CancellationToken.None)).Count);
    }

    [Fact]
    public async Task Takes_one_request_for_the_state_of_a_partition()
    {
        await using var log = await SevenAsync();
        log.Table.Put(new TableEntity("0000", "!oldest") { ["Offset"] = 2L });
        log.Table.Put(new TableEntity("0000", "c|servicebus|control") { ["Paused"] = true, ["Requests"] = "[]" });
        await log.Checkpoints.SaveAsync(0, new Outpost.Forwarding.Checkpoint { Forwarder = "servicebus", NextOffset = 4 }, [], [], CancellationToken.None);
        log.Table.ForgetRequests();

        var state = await log.Store.ReadPartitionAsync(0, CancellationToken.None);

        Assert.Equal((0, 2L, 7L), (state.Partition, state.Oldest, state.Head));
        Assert.Equal(log.Time.GetUtcNow(), state.HeadTimestamp);
        Assert.Equal(["servicebus"], state.Checkpoints.Keys);
        Assert.Equal(4, state.Checkpoints["servicebus"].NextOffset);
        Assert.True(state.Controls["servicebus"].IsPaused);
        Assert.Equal([TableOperation.QueryPage], log.Table.Requests.Select(request => request.Kind));
    }

    [Fact]
    public async Task Gives_an_empty_partition_that_was_never_written_to()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);

        var state = await log.Store.ReadPartitionAsync(0, CancellationToken.None);

        Assert.Equal((0L, 0L, null), (state.Oldest, state.Head, state.HeadTimestamp));
        Assert.Empty(await log.Store.ReadEventsAsync(0, 0, 10, CancellationToken.None));
    }

    [Fact]
    public async Task Remembers_the_highest_head_it_has_seen()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 7; i++) await log.DoAsync(Tallies.Count($"t{i}", $"s{i}"));
        await using var other = log.AnotherProcess();

        Assert.Equal((7L, 0L), (log.Store.Heads[0], other.Store.Heads[0]));
        await other.Store.ReadPartitionAsync(0, CancellationToken.None);
        Assert.Equal(7, other.Store.Heads[0]);
    }

    [Fact]
    public async Task Refuses_what_can_only_be_a_mistake()
    {
        await using var log = new SimulatedLog();

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => log.Store.ReadEventsAsync(0, -1, 1, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => log.Store.ReadEventsAsync(0, 0, 1001, CancellationToken.None));
    }

    [Fact]
    public async Task Says_that_the_store_is_not_available_when_it_is_not()
    {
        await using var log = await SevenAsync();
        log.Table.Faults = _ => new TableFault.BeforeEffect(TableError.RetriesFailed);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => log.Store.ReadEventsAsync(0, 0, 1, CancellationToken.None));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => log.Store.ReadPartitionAsync(0, CancellationToken.None));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => log.Store.ReadEntityAsync(0, "tally", "s0", CancellationToken.None));
    }

    [Fact]
    public async Task Ends_when_its_caller_leaves()
    {
        await using var log = await SevenAsync();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => log.Store.ReadEventsAsync(0, 0, 1, cancelled.Token));
    }

    // Read by another process than the one that wrote them, which would have them in memory.
    private static async Task<SimulatedLog> SevenAsync()
    {
        await using var writer = new SimulatedLog();
        for (var i = 0; i < 7; i++) await writer.DoAsync(Tallies.Count($"t{i}", $"s{i}"));
        return writer.AnotherProcess();
    }

    // The token's service is one more that can be away for a while.
    [Fact]
    public async Task Is_not_possible_now_while_no_token_is_to_be_had()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        log.Table.Faults = _ => new TableFault.BeforeEffect(() => new AuthenticationFailedException("No token."));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => log.Store.ReadPartitionAsync(0, CancellationToken.None));
    }
}
