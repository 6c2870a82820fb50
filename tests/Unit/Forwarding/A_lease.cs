using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_lease
{
    [Fact]
    public void Is_taken_only_when_there_is_work_and_given_back_at_the_end() => Scene.Play(async scene =>
    {
        var process = scene.Forwarding("a", new ScriptedTarget(), TimeSpan.FromSeconds(5), linger: TimeSpan.FromSeconds(1));
        await scene.PassAsync(30);
        Assert.Equal(0, scene.CheckpointWrites());

        await scene.CommitAsync(process, events: 3);
        await scene.PassAsync(10);

        Assert.Equal(("", 1L, 3L), (scene.Checkpoint.GetString("Owner"), scene.Checkpoint.GetInt64("Epoch"), scene.Next));
        Assert.Equal(3, scene.CheckpointWrites());
    });

    [Fact]
    public void Costs_an_idle_tick_of_three_forwarders_one_query_for_each_partition_and_no_write() => Scene.Play(async scene =>
    {
        var process = scene.Process("a", partitions: 4);
        var engine = process.Engine([.. new[] { "one", "two", "three" }.Select(name => new Forwarder(name, new ScriptedTarget()))], TimeSpan.Zero);
        for (var i = 0; i < 20; i++) await scene.CommitAsync(process);
        await process.Start(() => engine.RunAsync(CancellationToken.None));
        scene.Table.ForgetRequests();

        await process.Start(() => engine.RunAsync(CancellationToken.None));

        Assert.Equal(Enumerable.Repeat(TableOperation.QueryPage, 4), scene.Table.Requests.Select(request => request.Kind));
    });

    // Clocks an hour wrong: only the service's clock counts.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    public void Of_a_process_that_died_is_left_alone_until_its_end_and_taken_over_within_20_seconds(int hoursAhead) => Scene.Play(async scene =>
    {
        VirtualProcess dying = null!;
        dying = scene.Forwarding("dying", new ScriptedTarget(async (_, _, token) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), dying.Time, token);
            dying.Kill();
            await Task.Delay(TimeSpan.FromSeconds(1), dying.Time, token);
            return new Delivery.Accepted(1);
        }), Scene.Never);
        var heir = new ScriptedTarget();
        scene.Forwarding("heir", heir, TimeSpan.FromSeconds(10), clockAhead: TimeSpan.FromHours(hoursAhead));
        await scene.PassAsync(7);
        _ = scene.CommitAsync(dying);
        await scene.UntilAsync(() => dying.IsKilled, 5);
        var (killed, lease) = (scene.World.Elapsed, scene.Checkpoint.Timestamp!.Value);
        scene.Table.ForgetRequests();

        await scene.UntilAsync(() => scene.CheckpointWrites() > 0 || heir.Begun > 0, 20);

        Assert.InRange(scene.World.GetUtcNow() - lease, Checkpoint.LeaseTime, TimeSpan.FromSeconds(18));
        await scene.UntilAsync(() => heir.Begun > 0, 1);
        Assert.InRange((scene.World.Elapsed - killed).TotalSeconds, 0, 20);
    });

    [Fact]
    public void Is_not_looked_at_for_every_commit_while_another_process_holds_it() => Scene.Play(async scene =>
    {
        var dead = scene.Forwarding("dead", new ScriptedTarget(), Scene.Never);
        await scene.CommitAsync(dead);
        await scene.UntilAsync(() => scene.Next == 1, 1);
        dead.Kill();
        var target = new ScriptedTarget();
        var process = scene.Forwarding("a", target, Scene.Never);
        scene.Table.ForgetRequests();

        for (var i = 0; i < 40; i++)
        {
            await scene.CommitAsync(process);
            await scene.PassAsync(0.1);
        }

        // One for the head it had not seen, one when it found the lease taken.
        Assert.InRange(scene.Queries("d"), 1, 3);
        Assert.Equal((0, 0), (scene.CheckpointWrites(), target.Begun));
    });

    [Fact]
    public void Whose_holder_went_to_sleep_does_not_keep_others_from_forwarding_at_once() => Scene.Play(async scene =>
    {
        var sleepy = scene.Forwarding("sleepy", new ScriptedTarget(), Scene.Never, linger: TimeSpan.FromSeconds(2));
        var process = scene.Forwarding("a", new ScriptedTarget(), Scene.Never, linger: TimeSpan.FromSeconds(2));
        await scene.PassAsync(1);
        await scene.CommitAsync(sleepy);
        await scene.PassAsync(0.2);
        // Found the lease taken; its holder forwards this one, and gives the lease back two seconds later.
        await scene.CommitAsync(process);
        await scene.PassAsync(4);
        Assert.Equal("", scene.Checkpoint.GetString("Owner"));

        await scene.CommitAsync(process);

        Assert.InRange(await scene.UntilAsync(() => scene.Next == 3, 10), 0, 0.2);
    });

    [Fact]
    public void Is_given_back_with_the_reason_when_a_target_hangs_and_another_process_delivers_within_20_seconds() => Scene.Play(async scene =>
    {
        var ends = new List<TimeSpan>();
        var process = scene.Forwarding("a", new ScriptedTarget(async (number, _, token) =>
        {
            Assert.InRange((scene.World.GetUtcNow() - scene.Checkpoint.Timestamp!.Value).TotalSeconds, 0, 7.1);
            var lease = scene.Checkpoint.Timestamp!.Value;
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, scene.World, token);
            }
            finally
            {
                ends.Add(scene.World.GetUtcNow() - lease);
            }

            return new Delivery.Accepted(1);
        }), TimeSpan.FromSeconds(200));
        var other = new ScriptedTarget();
        scene.Forwarding("b", other, TimeSpan.FromSeconds(1));
        // Between two of its ticks.
        await scene.PassAsync(0.5);
        await scene.CommitAsync(process);

        var begun = scene.World.Elapsed;
        await scene.UntilAsync(() => scene.Table.Row("0000", "c|bus")?.GetInt64("Failures") > 0, 20);

        Assert.InRange(Assert.Single(ends).TotalSeconds, 5, 14.5);
        Assert.StartsWith("TimeoutException: The delivery took longer", scene.Checkpoint.GetString("LastError"), StringComparison.Ordinal);
        await scene.UntilAsync(() => other.Begun == 1, 20);
        Assert.InRange((scene.World.Elapsed - begun).TotalSeconds, 0, 20);
    });

    [Fact]
    public void Of_a_process_whose_target_times_out_passes_to_another_within_20_seconds_though_both_go_on_looking() => Scene.Play(async scene =>
    {
        var failing = new ScriptedTarget(async (_, _, token) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(5), scene.World, token);
            return new Delivery.Failed(new TimeoutException("no answer"), IsTransient: true);
        });
        var process = scene.Forwarding("a", failing, TimeSpan.FromSeconds(1));
        await scene.CommitAsync(process);
        await scene.UntilAsync(() => failing.Begun == 1, 2);
        var other = new ScriptedTarget();
        // It has seen that there is work, and after that it is told nothing more.
        var healthy = scene.Forwarding("b", other, Scene.Never);
        await scene.PassAsync(0.5);
        await scene.CommitAsync(healthy);

        Assert.InRange(await scene.UntilAsync(() => other.Begun > 0, 30), 0, 20);
        Assert.Equal([0L, 1L], other.Offsets);
        Assert.Empty(failing.Offsets);
    });

    [Fact]
    public void Is_left_to_others_for_six_seconds_by_who_has_just_failed_with_it() => Scene.Play(async scene =>
    {
        var tries = new List<TimeSpan>();
        var process = scene.Forwarding("a", new ScriptedTarget((_, _, _) =>
        {
            tries.Add(scene.World.Elapsed);
            return Task.FromResult<Delivery>(new Delivery.Failed(new IOException("down"), IsTransient: true));
        }), TimeSpan.FromSeconds(1));

        await scene.CommitAsync(process);
        await scene.UntilAsync(() => tries.Count == 7, 30);

        Assert.InRange((tries[6] - tries[5]).TotalSeconds, 6, 7);
    });

    [Fact]
    public void Is_given_back_with_the_reason_when_something_unforeseen_happens() => Scene.Play(async scene =>
    {
        var process = scene.Forwarding("a", new ScriptedTarget((_, _, _) => Task.FromResult<Delivery>(new Delivery.Accepted(0))), Scene.Never);

        await scene.CommitAsync(process);
        await scene.PassAsync(1);

        Assert.Equal("", scene.Checkpoint.GetString("Owner"));
        Assert.StartsWith("InvalidOperationException", scene.Checkpoint.GetString("LastError"), StringComparison.Ordinal);
    });

    [Fact]
    public void Is_given_back_after_six_tries_with_growing_pauses_and_nothing_is_passed_over() => Scene.Play(async scene =>
    {
        var tries = new List<(TimeSpan At, long First)>();
        var process = scene.Forwarding("a", new ScriptedTarget((_, entries, _) =>
        {
            tries.Add((scene.World.Elapsed, entries[0].Offset));
            return Task.FromResult<Delivery>(new Delivery.Failed(new IOException("down"), IsTransient: true));
        }), Scene.Never);

        await scene.CommitAsync(process, events: 5);
        await scene.UntilAsync(() => scene.Table.Row("0000", "c|bus") is { } row && row.GetInt64("Failures") > 0 && row.GetString("Owner") == "", 30);

        Assert.Equal(Enumerable.Repeat(0L, 6), tries.Select(one => one.First));
        var pauses = tries.Zip(tries.Skip(1), (one, next) => (next.At - one.At).TotalSeconds).ToList();
        Assert.All(pauses.Select((pause, i) => pause / (0.2 * Math.Pow(2, i))), factor => Assert.InRange(factor, 0.5, 1.6));
        Assert.NotEqual(pauses[0] * 2, pauses[1], 3);
        Assert.Equal(("", 0L, 1L), (scene.Checkpoint.GetString("Owner"), scene.Next, scene.Checkpoint.GetInt64("Failures")));
    });

    [Fact]
    public void Is_left_alone_when_another_process_took_it_right_after_it_was_given_back() => Scene.Play(async scene =>
    {
        var target = new ScriptedTarget();
        var process = scene.Forwarding("a", target, Scene.Never, linger: TimeSpan.Zero);
        var writes = 0;
        scene.Table.Faults = request =>
            request.Keys[0] == $"c|{Scene.Name}" && ++writes == 3 ? new TableFault.SlowAnswer(MeanwhileAsync()) : null;

        await scene.CommitAsync(process);
        await scene.PassAsync(12);

        Assert.Equal(("other", 1L), (scene.Checkpoint.GetString("Owner"), scene.Next));
        Assert.Equal(1, target.Begun);
        await scene.UntilAsync(() => scene.Next == 2, 8);

        async Task MeanwhileAsync()
        {
            // One more entry, and somebody else who sees it first.
            await scene.CommitAsync(process);
            var row = scene.Checkpoint;
            (row["Owner"], row["Epoch"], row["Write"]) = ("other", row.GetInt64("Epoch") + 1, row.GetInt64("Write") + 1);
            scene.Table.Put(row);
        }
    });

    [Fact]
    public void Is_not_taken_again_and_again_while_the_forwarder_is_paused() => Scene.Play(async scene =>
    {
        var process = scene.Forwarding("a", new ScriptedTarget(async (_, entries, token) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(0.5), scene.World, token);
            return new Delivery.Accepted(1);
        }), TimeSpan.FromSeconds(5));
        await scene.CommitAsync(process, events: 50);
        await scene.PassAsync(2);
        await process.Start(() => process.Checkpoints.SaveControlAsync(0, Scene.Name, new Control(true, [], null), null, CancellationToken.None));
        await scene.PassAsync(3);
        scene.Table.ForgetRequests();

        await scene.PassAsync(20);

        Assert.Equal(0, scene.CheckpointWrites());
        Assert.InRange(scene.Queries("d"), 1, 6);
    });
}
