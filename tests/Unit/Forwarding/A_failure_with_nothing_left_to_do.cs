using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

// Found by the simulation, seed 12: a partition without events was said to fail until its next event, with nothing to forward.
public sealed class A_failure_with_nothing_left_to_do
{
    [Fact]
    public void Is_no_longer_told_once_everything_is_forwarded() => Scene.Play(async scene =>
    {
        var process = scene.Process("a");
        var target = new ScriptedTarget();
        var engine = process.Engine([new Forwarder(Scene.Name, target)], linger: TimeSpan.FromSeconds(5));
        process.Forward(engine, Scene.Never);
        await scene.CommitAsync(process);
        await scene.UntilAsync(() => scene.Next == 1, 2);
        // The store is away for a moment while the process waits for more entries.
        scene.Table.Faults = request => request.Kind == TableOperation.QueryPage ? new TableFault.BeforeEffect(TableError.Unreachable) : null;
        await scene.UntilAsync(() => scene.Checkpoint.GetString("LastError") is not null, 10);
        scene.Table.Faults = null;

        var (state, told) = await ToldAsync(process, engine);
        Assert.Equal(("idle", null, 0, null), (state, told.LastError, told.ConsecutiveFailures, told.FailingSince));
    });

    [Fact]
    public void Is_told_again_as_soon_as_something_waits() => Scene.Play(async scene =>
    {
        var process = scene.Process("a");
        var target = new ScriptedTarget((_, _, _) => Task.FromResult<Delivery>(new Delivery.Failed(new IOException("down"), IsTransient: true)));
        var engine = process.Engine([new Forwarder(Scene.Name, target)], linger: TimeSpan.Zero);
        await scene.CommitAsync(process);
        process.Forward(engine, Scene.Never);
        await scene.UntilAsync(() => scene.Table.Row("0000", $"c|{Scene.Name}")?.GetInt64("Failures") > 0, 30);

        var (state, told) = await ToldAsync(process, engine);
        Assert.Equal(("failing", 1L), (state, told.Backlog));
        Assert.NotNull(told.FailingSince);
    });

    private static async Task<(string State, ForwarderStanding Told)> ToldAsync(VirtualProcess process, ForwardingEngine engine)
    {
        var operations = new ForwarderOperations(process.Store, process.Checkpoints, engine, process.Sources);
        var status = await process.Start(() => operations.StatusAsync(CancellationToken.None));
        var one = Assert.Single(status.Forwarders);
        return (one.State, Assert.Single(one.Partitions));
    }
}
