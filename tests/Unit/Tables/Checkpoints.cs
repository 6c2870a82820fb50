namespace Outpost.Tests.Unit.Tables;

public sealed class Checkpoints
{
    [Fact]
    public async Task Are_written_where_they_are_as_last_seen()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);

        var first = await SaveAsync(log, new Checkpoint("servicebus", 3, 1, "me", 1, null));
        var second = await SaveAsync(log, first! with { NextOffset = 5, Write = 2 });

        Assert.Equal(second, await StoredAsync(log));
        Assert.Equal(5, second!.NextOffset);
    }

    [Fact]
    public async Task Of_somebody_else_are_never_overwritten()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        var first = await SaveAsync(log, new Checkpoint("servicebus", 3, 1, "me", 1, null));
        var theirs = await SaveAsync(log, first! with { NextOffset = 9, Owner = "them", Epoch = 2, Write = 2 });

        Assert.Null(await SaveAsync(log, first! with { NextOffset = 5, Write = 2 }));
        Assert.Null(await SaveAsync(log, new Checkpoint("servicebus", 0, 1, "me", 1, null)));
        Assert.Equal(theirs, await StoredAsync(log));
    }

    [Fact]
    public async Task That_were_deleted_meanwhile_are_not_created_again()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        var first = await SaveAsync(log, new Checkpoint("servicebus", 3, 1, "me", 1, null));
        log.Table.Remove("0000", "c|servicebus");

        Assert.Null(await SaveAsync(log, first! with { NextOffset = 5, Write = 2 }));
        Assert.Null(await StoredAsync(log));
    }

    [Fact]
    public async Task Are_recognised_as_our_own_when_the_client_sent_them_twice()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        log.Table.Faults = request => request.Kind is TableOperation.Add or TableOperation.Update ? new TableFault.SentTwice() : null;

        var first = await SaveAsync(log, new Checkpoint("servicebus", 3, 1, "me", 1, null));
        var second = await SaveAsync(log, first! with { NextOffset = 5, Write = 2 });
        var third = await SaveAsync(log, second! with { NextOffset = 7, Write = 3 });

        Assert.Equal(third, await StoredAsync(log));
    }

    [Fact]
    public async Task Of_the_same_offset_by_another_owner_are_not_our_own()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        var first = await SaveAsync(log, new Checkpoint("servicebus", 3, 1, "me", 1, null));
        await SaveAsync(log, first! with { NextOffset = 5, Owner = "them", Write = 2 });

        Assert.Null(await SaveAsync(log, first! with { NextOffset = 5, Write = 2 }));
    }

    [Fact]
    public async Task Of_partitions_and_forwarders_are_independent()
    {
        await using var log = new SimulatedLog(partitions: 2);
        await log.Store.LayoutAsync(CancellationToken.None);

        Assert.NotNull(await log.Store.SaveCheckpointAsync(0, new Checkpoint("servicebus", 3, 1, "me", 1, null), CancellationToken.None));
        Assert.NotNull(await log.Store.SaveCheckpointAsync(1, new Checkpoint("servicebus", 4, 1, "me", 1, null), CancellationToken.None));
        Assert.NotNull(await log.Store.SaveCheckpointAsync(0, new Checkpoint("refunds", 5, 1, "me", 1, null), CancellationToken.None));

        Assert.Equal(3, (await StoredAsync(log))!.NextOffset);
    }

    private static Task<Checkpoint?> SaveAsync(SimulatedLog log, Checkpoint checkpoint) =>
        log.Store.SaveCheckpointAsync(0, checkpoint, CancellationToken.None);

    private static async Task<Checkpoint?> StoredAsync(SimulatedLog log) =>
        (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Checkpoints.GetValueOrDefault("servicebus");
}
