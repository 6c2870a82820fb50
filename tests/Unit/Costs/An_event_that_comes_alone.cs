using Outpost.Forwarding;
using Outpost.Tests.Unit.Forwarding;

namespace Outpost.Tests.Unit.Costs;

public sealed class An_event_that_comes_alone
{
    // Its own commit is not counted: one look that finds the work, the lease, the checkpoint, the lease given back, and the
    // looks of five seconds.
    [Fact]
    public void Costs_fourteen_requests_at_most()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            Scene.Play(
                async scene =>
                {
                    var process = scene.Forwarding("a", new ScriptedTarget(), Scene.Never);
                    await scene.CommitAsync(process);
                    await scene.PassAsync(60);
                    scene.Table.ForgetRequests();

                    await scene.CommitAsync(process);
                    await scene.PassAsync(60);

                    Assert.Equal(2, scene.Next);
                    Assert.Equal(3, scene.CheckpointWrites());
                    Assert.Equal(0, scene.Queries("e|"));
                    // The transaction of the commit is the one that is no part of forwarding.
                    Assert.InRange(scene.Table.Requests.Count - 1, 5, 14);
                },
                seed);
        }
    }

    [Fact]
    public void Costs_no_more_looks_where_three_forwarders_wait_for_the_next_one() => Scene.Play(async scene =>
    {
        var process = scene.Process("a");
        process.Forward(process.Engine([.. new[] { "one", "two", "three" }.Select(name => new Forwarder(name, new ScriptedTarget()))]), Scene.Never);
        await scene.CommitAsync(process);
        await scene.PassAsync(60);
        scene.Table.ForgetRequests();

        await scene.CommitAsync(process);
        await scene.PassAsync(60);

        // Nine writes, and the looks of one.
        Assert.InRange(scene.Table.Requests.Count - 1, 12, 21);
    });

    [Fact]
    public void Is_followed_by_what_others_commit_within_three_hundred_milliseconds_in_the_first_second()
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            Scene.Play(
                async scene =>
                {
                    var delivered = new TaskCompletionSource<TimeSpan>();
                    var target = new ScriptedTarget((_, entries, _) =>
                    {
                        if (entries[0].Offset == 2) delivered.TrySetResult(scene.World.Elapsed);
                        return Task.FromResult<Delivery>(new Delivery.Accepted(entries.Count));
                    });
                    var process = scene.Forwarding("a", target, Scene.Never);
                    var other = scene.Process("b");
                    await scene.CommitAsync(other);
                    await scene.CommitAsync(process);
                    await scene.UntilAsync(() => scene.Next == 2, 1);
                    await scene.PassAsync(0.9 * seed / 40);

                    await scene.CommitAsync(other);
                    var committed = scene.World.Elapsed;

                    // Seen within 300 ms, and read and given to the target with a request more.
                    Assert.InRange((await delivered.Task - committed).TotalMilliseconds, -30, 320);
                },
                seed);
        }
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.95)]
    [InlineData(3.5)]
    public void Is_followed_at_once_by_what_its_own_process_commits(double secondsLater) => Scene.Play(async scene =>
    {
        var delivered = new TaskCompletionSource<TimeSpan>();
        var target = new ScriptedTarget((_, entries, _) =>
        {
            if (entries[0].Offset == 1) delivered.TrySetResult(scene.World.Elapsed);
            return Task.FromResult<Delivery>(new Delivery.Accepted(entries.Count));
        });
        var process = scene.Forwarding("a", target, Scene.Never);
        await scene.CommitAsync(process);
        await scene.UntilAsync(() => scene.Next == 1, 1);
        await scene.PassAsync(secondsLater);

        await scene.CommitAsync(process);
        var committed = scene.World.Elapsed;

        // Nothing is read before it.
        Assert.InRange((await delivered.Task - committed).TotalMilliseconds, -1, 1);
    });

    [Theory]
    [InlineData(0, 100)]
    [InlineData(60, 120)]
    [InlineData(100, 200)]
    [InlineData(500, 240)]
    [InlineData(999, 240)]
    [InlineData(1_000, 950)]
    [InlineData(4_000, 950)]
    public void Is_looked_behind_more_and_more_rarely(int quietMilliseconds, int gapMilliseconds) =>
        Assert.Equal(
            TimeSpan.FromMilliseconds(gapMilliseconds), Looks.Gap(TimeSpan.FromMilliseconds(quietMilliseconds), TimeSpan.FromMilliseconds(100)));

    [Theory]
    [InlineData(500, 500)]
    [InlineData(60_000, 950)]
    public void Is_never_looked_behind_more_often_than_the_setting_says(int pollMilliseconds, int gapMilliseconds) =>
        Assert.All(
            [0, 500, 900],
            quiet => Assert.Equal(
                TimeSpan.FromMilliseconds(gapMilliseconds), Looks.Gap(TimeSpan.FromMilliseconds(quiet), TimeSpan.FromMilliseconds(pollMilliseconds))));
}
