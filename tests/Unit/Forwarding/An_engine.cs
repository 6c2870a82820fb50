using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class An_engine
{
    [Fact]
    public async Task May_be_disposed_by_more_than_one()
    {
        await using var log = new SimulatedLog();
        var engine = log.Engine([new Forwarder("servicebus", new RecordingTarget())]);
        await engine.RunAsync(CancellationToken.None);

        await engine.DisposeAsync();
        await engine.DisposeAsync();
    }

    [Fact]
    public async Task Leaves_it_to_others_to_say_that_the_log_has_another_partition_count()
    {
        await using var log = new SimulatedLog(partitions: 2);
        await log.Store.LayoutAsync(CancellationToken.None);
        await using var wrong = new SimulatedLog(log.Table, log.Time, partitions: 3);
        await using var engine = wrong.Engine([new Forwarder("servicebus", new RecordingTarget())]);

        await engine.ForwardCommitsAsync(CancellationToken.None);
    }

    // A new role is in effect only after minutes; whoever starts the app would end it with this task.
    [Fact]
    public void Outlasts_a_table_that_does_not_let_it_in_yet() => Scene.Play(async scene =>
    {
        var refused = 0;
        scene.Table.Faults = _ => ++refused <= 3 ? new TableFault.BeforeEffect(() => TableError.Status(403, "AuthorizationPermissionMismatch")) : null;
        var process = scene.Forwarding("a", new ScriptedTarget(), Scene.Never, linger: TimeSpan.Zero);
        await scene.PassAsync(60);
        Assert.InRange(refused, 4, 100);

        await scene.CommitAsync(process);

        await scene.UntilAsync(() => scene.Next == 1, 0.5);
    });

    // Found by the simulation, seed 381: the layout took 10 s, and the 15 s for the drains began after it.
    [Fact]
    public void Counts_the_time_of_a_run_from_its_start() => Scene.Play(async scene =>
    {
        var process = scene.Process("a");
        var target = new ScriptedTarget(async (_, _, token) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(4), scene.World, token);
            return new Delivery.Accepted(1);
        });
        var engine = process.Engine([new Forwarder(Scene.Name, target)], TimeSpan.Zero);
        await process.Start(() => engine.RunAsync(CancellationToken.None));
        await scene.CommitAsync(process, events: 10);
        await scene.PassAsync(60);
        scene.Table.Faults = request => request.Keys[0] == "layout" ? new TableFault.Silence() : null;

        var start = scene.World.Elapsed;
        await process.Start(() => engine.RunAsync(CancellationToken.None));

        Assert.Equal((15.0, 2), ((scene.World.Elapsed - start).TotalSeconds, target.Begun));
    });
}
