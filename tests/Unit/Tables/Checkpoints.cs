using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Tables;

public sealed class Checkpoints
{
    [Fact]
    public async Task Are_written_where_they_are_as_last_seen()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);

        var first = await SaveAsync(log, Of("servicebus", 3));
        var second = await SaveAsync(log, first! with { NextOffset = 5, Write = 2 });

        Assert.True(second!.IsSameWrite((await StoredAsync(log))!));
        Assert.Equal(5, second!.NextOffset);
    }

    [Fact]
    public async Task Of_somebody_else_are_never_overwritten()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        var first = await SaveAsync(log, Of("servicebus", 3));
        var theirs = await SaveAsync(log, first! with { NextOffset = 9, Owner = "them", Epoch = 2, Write = 2 });

        Assert.Null(await SaveAsync(log, first! with { NextOffset = 5, Write = 2 }));
        Assert.Null(await SaveAsync(log, Of("servicebus", 0)));
        Assert.True(theirs!.IsSameWrite((await StoredAsync(log))!));
    }

    [Fact]
    public async Task That_were_deleted_meanwhile_are_not_created_again()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        var first = await SaveAsync(log, Of("servicebus", 3));
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

        var first = await SaveAsync(log, Of("servicebus", 3));
        var second = await SaveAsync(log, first! with { NextOffset = 5, Write = 2 });
        var third = await SaveAsync(log, second! with { NextOffset = 7, Write = 3 });

        Assert.True(third!.IsSameWrite((await StoredAsync(log))!));
    }

    [Fact]
    public async Task Of_the_same_offset_by_another_owner_are_not_our_own()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        var first = await SaveAsync(log, Of("servicebus", 3));
        await SaveAsync(log, first! with { NextOffset = 5, Owner = "them", Write = 2 });

        Assert.Null(await SaveAsync(log, first! with { NextOffset = 5, Write = 2 }));
    }

    [Fact]
    public async Task Of_partitions_and_forwarders_are_independent()
    {
        await using var log = new SimulatedLog(partitions: 2);
        await log.Store.LayoutAsync(CancellationToken.None);

        Assert.NotNull(await SaveAsync(log, Of("servicebus", 3)));
        Assert.NotNull(await SaveAsync(log, Of("servicebus", 4), partition: 1));
        Assert.NotNull(await SaveAsync(log, Of("refunds", 5)));

        Assert.Equal(3, (await StoredAsync(log))!.NextOffset);
    }

    private static Checkpoint Of(string forwarder, long next) => new() { Forwarder = forwarder, NextOffset = next, Epoch = 1, Owner = "me", Write = 1 };

    private static Task<Checkpoint?> SaveAsync(SimulatedLog log, Checkpoint checkpoint, int partition = 0) =>
        log.Checkpoints.SaveAsync(partition, checkpoint, [], [], CancellationToken.None);

    private static async Task<Checkpoint?> StoredAsync(SimulatedLog log) =>
        (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Checkpoints.GetValueOrDefault("servicebus");
}
