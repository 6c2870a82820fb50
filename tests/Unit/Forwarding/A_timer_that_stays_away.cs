using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Retention;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_timer_that_stays_away
{
    [Theory]
    [InlineData(10, 30)]
    // One that comes every second may be late for a moment.
    [InlineData(1, 15)]
    public void Is_missed_after_three_of_its_periods(int period, int missedAfter) =>
        Assert.Equal(TimeSpan.FromSeconds(missedAfter), Heartbeats.Missed(TimeSpan.FromSeconds(period)));

    [Theory]
    [InlineData(true, 1)]
    // Others may commit, and forward: this one has nothing to do.
    [InlineData(false, 0)]
    public void Is_replaced_by_a_process_that_commits(bool commits, int delivered) => Scene.Play(async scene =>
    {
        var target = new ScriptedTarget();
        var process = scene.Process("one");
        await scene.CommitAsync(scene.Process("another"));
        _ = process.Start(async () =>
        {
            await using var engine = process.Engine([new Forwarder(Scene.Name, target)], linger: TimeSpan.Zero);
            var ticks = Ticks(process, engine);
            // The host does not tell how often it comes: that shows.
            await ticks.RunTimerAsync(null, CancellationToken.None);
            await Task.Delay(TimeSpan.FromSeconds(10), process.Time);
            await ticks.RunTimerAsync(null, CancellationToken.None);
            await ticks.ReplaceTimerAsync(CancellationToken.None);
        });
        await scene.PassAsync(11);
        Assert.Equal([0], target.Offsets);

        if (commits) await scene.CommitAsync(process);
        await scene.PassAsync(25);
        Assert.Equal([0], target.Offsets);
        await scene.PassAsync(15);

        Assert.Equal(Enumerable.Range(0, 1 + delivered).Select(offset => (long)offset), target.Offsets);
    });

    [Fact]
    public async Task Comes_with_an_operator_s_tick_and_both_are_one()
    {
        await using var log = await ParkedLog.WithAsync("a");
        var reached = new TaskCompletionSource();
        var target = new RecordingTarget { Before = (_, _) => reached.Task };
        await using var engine = log.To(target);
        var ticks = log.Ticks(engine);

        var timer = ticks.RunTimerAsync(null, CancellationToken.None);
        var operators = ticks.RunAsync(CancellationToken.None);
        reached.SetResult();

        Assert.Same(timer, operators);
        Assert.Equal(1, (await operators).Delivered);
    }

    private static Ticks Ticks(VirtualProcess process, ForwardingEngine engine) => new(
        engine,
        new RetentionRunner(
            process.Store, new TableRetentionStore(process.Table, process.Sources), process.Checkpoints, process.Watch, engine, new RetentionOptions(null, TimeSpan.FromDays(2)),
            process.Sources, process.Metrics, NullLogger<RetentionRunner>.Instance),
        process.Store.Heads,
        process.Time,
        NullLogger<Ticks>.Instance);
}
