using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_process_that_is_paused
{
    // For three minutes, in the middle of its second delivery; its stopwatch runs on, or not.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void In_a_delivery_stops_at_its_first_write(bool stopsClock) => Scene.Play(async scene =>
    {
        VirtualProcess slow = null!;
        var target = new ScriptedTarget(async (number, _, token) =>
        {
            if (number == 2) slow.Pause(stopsClock);
            await Task.Delay(TimeSpan.FromMilliseconds(20), slow.Time, token);
            return new Delivery.Accepted(5);
        });
        slow = scene.Forwarding("slow", target, Scene.Never);
        await scene.CommitAsync(slow, events: 50);
        await OvertakeAndResumeAsync(scene, slow);

        // What was under way, and at most one that began before the write's answer was there.
        Assert.InRange(target.Begun, 2, 3);
        Assert.InRange(target.Offsets.Count, 5, 15);
    });

    // The write is on its way (the service sees it minutes later), or done and its answer waits.
    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void In_a_checkpoint_write_never_moves_the_checkpoint_back(int milliseconds)
    {
        for (var seed = 0; seed < 10; seed++)
        {
            Scene.Play(
                async scene =>
                {
                    VirtualProcess slow = null!;
                    var target = new ScriptedTarget((number, _, _) =>
                    {
                        if (number == 2) _ = PauseSoonAsync();
                        return Task.FromResult<Delivery>(new Delivery.Accepted(2));
                    });
                    slow = scene.Forwarding("slow", target, Scene.Never);
                    await scene.CommitAsync(slow, events: 50);
                    await OvertakeAndResumeAsync(scene, slow);
                    // While a checkpoint is being written, eight more batches may be delivered; the next waits for the write.
                    Assert.InRange(target.Begun, 2, 11);

                    async Task PauseSoonAsync()
                    {
                        await scene.PassAsync(milliseconds / 1000.0);
                        slow.Pause(stopsClock: true);
                    }
                },
                seed);
        }
    }

    [Fact]
    public void Does_not_take_back_what_a_late_write_of_its_own_said() => Scene.Play(async scene =>
    {
        var landing = new Landing();
        var slow = scene.Forwarding("slow", new ScriptedTarget((_, _, _) => Task.FromResult<Delivery>(new Delivery.Accepted(5))), Scene.Never);
        // Its second write is under way when it dies.
        var writes = 0;
        scene.Table.Faults = request =>
        {
            if (request.Kind != TableOperation.Update || ++writes != 2) return null;
            slow.Kill();
            return new TableFault.LandsLate(TableError.TimedOut, landing);
        };
        _ = scene.CommitAsync(slow, events: 50);
        await scene.UntilAsync(() => slow.IsKilled, 1);
        scene.Forwarding("heir", new ScriptedTarget(), TimeSpan.FromSeconds(5));
        await scene.UntilAsync(() => scene.Next == 50, 25);

        landing.Now();

        Assert.Equal((50, "heir"), (scene.Next, scene.Checkpoint.GetString("Owner")));
    });

    private static async Task OvertakeAndResumeAsync(Scene scene, VirtualProcess slow)
    {
        await scene.PassAsync(5);
        var heir = new ScriptedTarget();
        scene.Forwarding("heir", heir, TimeSpan.FromSeconds(5));
        await scene.UntilAsync(() => scene.Next == 50, 30);
        Assert.Equal(Enumerable.Range((int)heir.Offsets[0], 50 - (int)heir.Offsets[0]), heir.Offsets.Select(offset => (int)offset));
        await scene.PassAsync(150);
        var before = scene.Checkpoint.ETag;

        slow.Resume();
        await scene.PassAsync(10);

        Assert.Equal((50, before), (scene.Next, scene.Checkpoint.ETag));
    }
}
