using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>
/// One of the store's first answers to a process has a wrong date. This is what its machine's clock is there for, and where
/// that is wrong too, a second answer.
/// </summary>
public sealed class A_process_that_is_told_a_wrong_time
{
    /// <summary>Which answer has the wrong date, and how many hours the machine's clock is ahead.</summary>
    public static TheoryData<int, int> Cases
    {
        get
        {
            var cases = new TheoryData<int, int>();
            for (var answer = 1; answer <= 5; answer++)
            {
                foreach (var hours in new[] { 0, 2, -2 }) cases.Add(answer, hours);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Takes_no_living_lease(int wrong, int hoursAhead) => Scene.Play(async scene =>
    {
        var slow = new ScriptedTarget(async (_, _, token) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(4), scene.World, token);
            return new Delivery.Accepted(1);
        });
        var holder = scene.Forwarding("holder", slow, Scene.Never);
        await scene.CommitAsync(holder, events: 5);
        await scene.UntilAsync(() => slow.Begun == 2, 10);
        var (epoch, target) = (scene.Checkpoint.GetInt64("Epoch"), new ScriptedTarget());

        var heir = Started(scene, wrong, hoursAhead);
        heir.Forward(heir.Engine([new Forwarder(Scene.Name, target)]), TimeSpan.FromSeconds(1));
        await scene.PassAsync(9);

        Assert.Equal(("holder", epoch, 0), (scene.Checkpoint.GetString("Owner"), scene.Checkpoint.GetInt64("Epoch"), target.Begun));
    });

    [Theory]
    [MemberData(nameof(Cases))]
    public void Takes_the_lease_of_the_dead_within_20_seconds(int wrong, int hoursAhead) => Scene.Play(async scene =>
    {
        VirtualProcess dying = null!;
        dying = scene.Forwarding("dying", new ScriptedTarget((_, _, _) =>
        {
            dying.Kill();
            return Task.FromResult<Delivery>(new Delivery.Accepted(1));
        }), Scene.Never);
        _ = scene.CommitAsync(dying);
        await scene.UntilAsync(() => dying.IsKilled, 5);
        var target = new ScriptedTarget();

        var heir = Started(scene, wrong, hoursAhead);
        heir.Forward(heir.Engine([new Forwarder(Scene.Name, target)]), TimeSpan.FromSeconds(5));

        await scene.UntilAsync(() => target.Begun > 0, 20);
    });

    [Theory]
    [MemberData(nameof(Cases))]
    public void Stamps_its_first_commit_with_the_store_s_time(int wrong, int hoursAhead) => Scene.Play(async scene =>
    {
        var process = Started(scene, wrong, hoursAhead);

        await scene.CommitAsync(process);

        var at = ((DateTimeOffset)scene.Table.Row("0000", "!head")!["At"]).UtcDateTime;
        Assert.InRange((at - scene.World.GetUtcNow().UtcDateTime).TotalSeconds, -2, 2);
    });

    [Fact]
    public void Opens_the_log_all_the_same_where_each_answer_has_another_time() => Scene.Play(async scene =>
    {
        var (process, answers) = (Started(scene, 0, 0), 0);
        scene.Table.Dates = now => now + TimeSpan.FromDays(++answers);

        await scene.CommitAsync(process).WaitAsync(TimeSpan.FromSeconds(5), scene.World);

        Assert.Equal(1, scene.Head);
    });

    private static VirtualProcess Started(Scene scene, int wrong, int hoursAhead)
    {
        var answers = 0;
        scene.Table.Dates = now => ++answers == wrong ? now + TimeSpan.FromDays(5) : now;
        return new VirtualProcess(
            scene.World, scene.Table, new Random(2), "heir", clockAhead: TimeSpan.FromHours(hoursAhead),
            connect: clock => new ProcessTable(scene.Table, Pipeline.Through(clock)));
    }
}
