using Azure.Data.Tables;
using Azure.Identity;

namespace Outpost.Tests.Unit.Tables;

public sealed class Reading_the_log
{
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
    public async Task Says_that_the_store_is_not_available_when_it_is_not()
    {
        await using var log = await SevenAsync();
        log.Table.Faults = _ => new TableFault.BeforeEffect(TableError.RetriesFailed);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => log.Store.ReadEventsAsync(0, 0, 1, CancellationToken.None));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => log.Store.ReadPartitionAsync(0, CancellationToken.None));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => log.Store.ReadEntityAsync(0, "tally", "s0", CancellationToken.None));
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
