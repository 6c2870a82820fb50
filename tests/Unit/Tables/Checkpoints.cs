using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Tables;

public sealed class Checkpoints
{
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

    private static Checkpoint Of(string forwarder, long next) => new() { Forwarder = forwarder, NextOffset = next, Epoch = 1, Owner = "me", Write = 1 };

    private static Task<Checkpoint?> SaveAsync(SimulatedLog log, Checkpoint checkpoint, int partition = 0) =>
        log.Checkpoints.SaveAsync(partition, checkpoint, [], [], CancellationToken.None);

    private static async Task<Checkpoint?> StoredAsync(SimulatedLog log) =>
        (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Checkpoints.GetValueOrDefault("servicebus");
}
