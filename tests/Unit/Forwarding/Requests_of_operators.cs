using Azure.Data.Tables;
using Outpost.Forwarding;
using static Outpost.Tests.Unit.Forwarding.ParkedLog;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>Each request is carried out by itself, says how far it has come or why it does not go on, and can be taken back.</summary>
public sealed class Requests_of_operators
{
    [Fact]
    public async Task Are_not_held_up_by_a_replay_that_always_fails()
    {
        await using var log = await WithAsync("a", "b", "c");
        var target = new RecordingTarget { Refuses = Only(1, 2) };
        await log.ForwardAsync(target);
        var operators = log.Operators();
        var replay = await RequestAsync(operators.ReplayAsync(Name, 0, 0, 0, CancellationToken.None));
        target.Refuses = _ => false;
        target.Before = (_, entries) => entries[0].Offset == 0 ? throw new InvalidOperationException("a bug") : Task.CompletedTask;
        await RequestAsync(operators.RetryAsync(Name, 0, 1, CancellationToken.None));
        await RequestAsync(operators.DiscardAsync(Name, 0, 2, "nobody needs it", CancellationToken.None));

        await log.ForwardAsync(target);

        Assert.Empty(await log.ParkedAsync());
        Assert.Equal([0, 1], target.Offsets());
        var left = Assert.Single((await StandingAsync(log)).Requests);
        Assert.Equal((replay, "failing", 0L, 1L), (left.Id, left.State, left.Done, left.Total));
        Assert.Contains("a bug", left.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task That_fail_leave_the_others_their_turn_however_many_they_are()
    {
        await using var log = await WithAsync([.. Enumerable.Range(0, 40).Select(i => $"s{i}")]);
        var target = new RecordingTarget();
        await log.ForwardAsync(target);
        for (var i = 0; i < 40; i++) await RequestAsync(log.Operators().ReplayAsync(Name, 0, i, i, CancellationToken.None));
        target.Before = (_, entries) => entries[0].Offset < 39 ? throw new InvalidOperationException("a bug") : Task.CompletedTask;

        await log.ForwardAsync(target);

        Assert.Equal(39, Assert.Single(target.Replayed).Offset);
        Assert.Equal(39, (await StandingAsync(log)).Requests.Count(request => request.State == "failing"));
    }

    [Fact]
    public async Task Over_a_missing_row_say_so_and_step_over_it_only_when_somebody_asks_for_what_is_left()
    {
        await using var log = await WithAsync("a", "b", "c", "d");
        var target = new RecordingTarget();
        await log.ForwardAsync(target);
        await log.Table.DeleteEntityAsync("0000", $"e|{2:D19}");
        await using var later = log.AnotherProcess();
        var operators = later.Operators();
        var replay = await RequestAsync(operators.ReplayAsync(Name, 0, 1, 3, CancellationToken.None));

        await later.ForwardAsync(target);

        var blocked = Assert.Single((await StandingAsync(later)).Requests);
        Assert.Equal((replay, "blocked", 1L, 3L), (blocked.Id, blocked.State, blocked.Done, blocked.Total));
        Assert.Equal("Entry 2 is no longer in the log. Take this request back, and ask for 3 to 3.", blocked.Reason);
        // It costs nothing more, and holds up nobody.
        later.Table.ForgetRequests();
        await later.ForwardAsync(target);
        Assert.Equal(0, later.Table.Sent(TableOperation.Update));

        await RequestAsync(operators.TakeBackAsync(Name, replay, CancellationToken.None));
        await RequestAsync(operators.ReplayAsync(Name, 0, 3, 3, CancellationToken.None));
        await later.ForwardAsync(target);

        Assert.Equal([1, 3], target.Replayed.Select(entry => (int)entry.Offset));
        Assert.Empty((await StandingAsync(later)).Requests);
    }

    [Fact]
    public async Task Can_be_taken_back_and_what_is_asked_for_next_is_carried_out()
    {
        await using var log = await WithAsync("a", "b");
        var target = new RecordingTarget();
        await log.ForwardAsync(target);
        var operators = log.Operators();
        for (var i = 0; i < 3; i++)
        {
            var request = await RequestAsync(operators.ReplayAsync(Name, 0, 0, 0, CancellationToken.None, "somebody"));
            var standing = Assert.Single((await StandingAsync(log)).Requests);
            Assert.Equal((request, "waiting", "somebody"), (standing.Id, standing.State, standing.Request.By));
            Assert.NotNull(standing.Request.At);
            Assert.Equal(request, await RequestAsync(operators.TakeBackAsync(Name, request, CancellationToken.None)));
            Assert.IsType<OperationResult.NoRequest>(await operators.TakeBackAsync(Name, request, CancellationToken.None));
        }

        await log.ForwardAsync(target);
        Assert.Empty(target.Replayed);

        await RequestAsync(operators.ReplayAsync(Name, 0, 1, 1, CancellationToken.None));
        await log.ForwardAsync(target);
        Assert.Equal(1, Assert.Single(target.Replayed).Offset);
        Assert.IsType<OperationResult.NotFound>(await operators.TakeBackAsync("nobody", "x", CancellationToken.None));
    }

    // Its holder has seen the request before it was taken back, and says that it is done after another one was asked for.
    [Fact]
    public void That_are_taken_back_do_not_lend_their_number_to_later_ones()
    {
        var first = Control.None.With(new ControlRequest(0, ControlRequestKind.Replay, 0, 0, "a") { At = default(DateTimeOffset) }, null)!;
        var second = first.Without(request => request.Id == "a").With(new ControlRequest(0, ControlRequestKind.Replay, 1, 1, "b") { At = default(DateTimeOffset) }, null)!;
        var checkpoint = new Checkpoint { Forwarder = Name, NextOffset = 9 }.With(new RequestProgress(1, "a") { IsDone = true }, first);

        Assert.Equal("b", Assert.Single(second.Waiting(checkpoint)).Id);
    }

    [Fact]
    public void That_are_done_out_of_order_are_remembered_only_as_long_as_earlier_ones_wait()
    {
        var control = Control.None;
        foreach (var id in new[] { "a", "b", "c" }) control = control.With(new ControlRequest(0, ControlRequestKind.Retry, 5, null, id) { At = default(DateTimeOffset) }, null)!;
        var checkpoint = new Checkpoint { Forwarder = Name, NextOffset = 9 };

        checkpoint = checkpoint.With(new RequestProgress(3, "c") { IsDone = true }, control);
        Assert.Equal((0, "a b"), (checkpoint.RequestDone, string.Join(' ', control.Waiting(checkpoint).Select(one => one.Id))));
        checkpoint = checkpoint.With(new RequestProgress(1, "a") { IsDone = true }, control);
        Assert.Equal((1, "b"), (checkpoint.RequestDone, string.Join(' ', control.Waiting(checkpoint).Select(one => one.Id))));
        checkpoint = checkpoint.With(new RequestProgress(2, "b") { IsDone = true }, control);
        Assert.Equal((3, 0, 0), (checkpoint.RequestDone, checkpoint.Requests.Count, control.Waiting(checkpoint).Count()));
    }

    [Fact]
    public async Task Of_older_versions_are_read_and_carried_out_from_where_they_were()
    {
        await using var log = await WithAsync("a", "b", "c", "d");
        var target = new RecordingTarget { Refuses = Only(3) };
        await log.ForwardAsync(target);
        var row = log.Table.Row("0000", $"c|{Name}")!;
        row["RequestDone"] = 4L;
        row["ReplayNext"] = 1L;
        await log.Table.UpdateEntityAsync(row, Azure.ETag.All, TableUpdateMode.Replace);
        await log.Table.AddEntityAsync(new TableEntity("0000", $"c|{Name}|control")
        {
            ["Paused"] = false,
            ["Requests"] = """[{"Number":5,"Kind":"Replay","Offset":0,"ToOffset":2,"Id":"0a1b2c3d"},{"Number":6,"Kind":"Discard","Offset":3,"Id":"nobody needs it"}]""",
        });
        await using var later = log.AnotherProcess();
        Assert.Equal(["0a1b2c3d", "0-6"], (await StandingAsync(later)).Requests.Select(request => request.Id));

        await later.ForwardAsync(target);

        Assert.Equal([("0a1b2c3d", 1L), ("0a1b2c3d", 2L)], target.Replayed);
        Assert.Empty(await later.ParkedAsync());
        Assert.Equal(6, (await later.CheckpointAsync()).RequestDone);
        await RequestAsync(later.Operators().ReplayAsync(Name, 0, 0, 0, CancellationToken.None));
        Assert.Equal(7, Assert.Single((await StandingAsync(later)).Requests).Request.Number);
    }

    [Fact]
    public async Task Of_which_one_is_waiting_already_are_not_written_twice()
    {
        await using var log = await WithAsync("a");
        await log.ForwardAsync(new RecordingTarget { Refuses = Only(0) });

        var first = await RequestAsync(log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None));
        var second = await RequestAsync(log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None));

        Assert.Equal(first, second);
        Assert.Single((await StandingAsync(log)).Requests);
    }

    private static async Task<ForwarderStanding> StandingAsync(SimulatedLog log) =>
        (await log.Operators().StatusAsync(CancellationToken.None)).Forwarders.Single(forwarder => forwarder.Name == Name).Partitions[0];

    private static async Task<string> RequestAsync(Task<OperationResult> asked) => Assert.IsType<OperationResult.Done>(await asked).RequestId!;
}
