using Outpost.Forwarding;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

/// <summary>While the client repeats a request in vain: it then throws all its failures at once, whatever the caller did.</summary>
public sealed class A_caller_who_leaves
{
    private static readonly Dictionary<string, Func<SimulatedLog, CancellationToken, Task>> Requests = new()
    {
        ["reads entries"] = (log, left) => log.Store.ReadEventsAsync(0, 0, 1, left),
        ["reads a partition"] = (log, left) => log.Store.ReadPartitionAsync(0, left),
        ["reads an entity"] = (log, left) => log.Store.ReadEntityAsync(0, "tally", "s0", left),
        ["reads what is parked"] = (log, left) => log.Checkpoints.ReadParkedAsync(0, "bus", 0, 1, left),
        ["asks for something"] = (log, left) => log.Checkpoints.SaveControlAsync(0, "bus", Control.None with { IsPaused = true }, null, left),
        ["wishes for a lease"] = (log, left) => log.Checkpoints.WishAsync(0, "bus", new LeaseWish("p1", 1), left),
        ["forgets a forwarder"] = (log, left) => log.Checkpoints.ForgetAsync(0, "bus", left),
        ["reads what is old"] = (log, left) => new TableRetentionStore(log.Table, log.Sources).ReadTracesAsync(0, 0, 1, left),
    };

    public static TheoryData<string> Each => [.. Requests.Keys];

    // Found by the simulation: an operator who left was a fault of the server.
    [Theory]
    [MemberData(nameof(Each))]
    public async Task Has_left_and_nothing_has_failed(string request)
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        using var leaves = new CancellationTokenSource();
        log.Table.Faults = _ =>
        {
            leaves.CancelHere();
            return new TableFault.BeforeEffect(TableError.RetriesFailed);
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Requests[request](log, leaves.Token));
    }
}
