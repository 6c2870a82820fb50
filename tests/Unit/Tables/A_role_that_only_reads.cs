using Outpost.Forwarding;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

/// <summary>The app has Storage Table Data Reader, or lost its role: the store answers reads, and forbids writes.</summary>
public sealed class A_role_that_only_reads
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly (string Name, Func<SimulatedLog, Task> Write)[] Writes =
    [
        ("a checkpoint", log => log.Checkpoints.SaveAsync(0, new Checkpoint { Forwarder = "bus", NextOffset = 0, Write = 1 }, [], [], CancellationToken.None)),
        ("an operator's request", log => log.Checkpoints.SaveControlAsync(0, "bus", new Control(false, [], null), null, CancellationToken.None)),
        ("a wish for a lease", log => log.Checkpoints.WishAsync(0, "bus", new LeaseWish("me", 1), CancellationToken.None)),
        ("forgetting", log => log.Checkpoints.ForgetAsync(0, "bus", CancellationToken.None)),
        ("a heartbeat", log => new TableHeartbeatStore(log.Table, log.Sources).SaveAsync(new Heartbeat("me", Now, null, TimeSpan.FromSeconds(5), [], false), CancellationToken.None)),
        ("an action", log => new TableHistoryStore(log.Table, log.Sources).SaveAsync(new OperatorAction("1", Now, "bus", "pause", "", null, null), CancellationToken.None)),
        ("the oldest offset", log => new TableRetentionStore(log.Table, log.Sources).SaveOldestAsync(0, 1, new Trimmed(0, 0, null), CancellationToken.None)),
        ("deleting events", log => new TableRetentionStore(log.Table, log.Sources).DeleteEventsAsync(0, 0, 1, CancellationToken.None)),
        ("deleting receipts", log => new TableRetentionStore(log.Table, log.Sources).DeleteReceiptsAsync(0, 1, new Trimmed(0, 0, null), [], CancellationToken.None)),
    ];

    public static TheoryData<string> Names => [.. Writes.Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Is_named_as_the_reason_by_every_write(string name)
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        log.Table.Faults = request => request.Kind is TableOperation.Get or TableOperation.QueryPage ? null : new TableFault.BeforeEffect(TableError.Forbidden);

        var fault = await Assert.ThrowsAsync<StoreUnavailableException>(() => Writes.Single(one => one.Name == name).Write(log));

        Assert.Equal("store-forbidden", fault.Code);
    }

    [Fact]
    public async Task Is_named_as_the_reason_by_a_command()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        log.Table.Faults = request => request.Kind is TableOperation.Get or TableOperation.QueryPage ? null : new TableFault.BeforeEffect(TableError.Forbidden);

        var fault = await Assert.ThrowsAsync<StoreUnavailableException>(() => log.Log.ExecuteAsync(Tallies.Count("a", "a2"), CancellationToken.None));

        Assert.Equal("store-forbidden", fault.Code);
    }
}
