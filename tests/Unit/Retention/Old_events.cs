using Outpost.Forwarding;
using Outpost.AspNetCore;
using Outpost.Retention;
using Outpost.Tests.Unit.Forwarding;
using Outpost.Tests.Unit.Http;

namespace Outpost.Tests.Unit.Retention;

public sealed class Old_events
{
    private static readonly RetentionOptions TenDays = new(TimeSpan.FromDays(10), TimeSpan.FromHours(48));

    [Fact]
    public async Task Are_deleted_and_readers_are_told()
    {
        await using var log = await RetainedLog.WithAsync(250);
        log.Time.Advance(TimeSpan.FromDays(11));
        await log.AddManyAsync("b", 5);
        await log.ForwardAsync(new RecordingTarget());

        await new RetainedLog(log, TenDays).RunToTheEndAsync();

        Assert.Equal(250, await RetainedLog.OldestAsync(log));
        Assert.Equal(Enumerable.Range(250, 5), RetainedLog.Rows(log));
        var request = Asking.Request("/api/events?offset=3");
        var api = new EventApi(log.Store, log.Watch, new EventApiOptions(TimeSpan.FromDays(1)));
        var answer = await Asking.AnswerAsync(request, await api.ReadAsync(request, CancellationToken.None));
        Assert.Equal((410, "offset-expired", 250L), (answer.Status, answer.ProblemName, answer.Json.GetProperty("oldestOffset").GetInt64()));
    }

    [Fact]
    public async Task Are_kept_until_they_are_old_enough_and_for_ever_when_nothing_is_said()
    {
        await using var log = await RetainedLog.WithAsync(5);
        log.Time.Advance(TimeSpan.FromDays(10) - TimeSpan.FromSeconds(1));
        await new RetainedLog(log, TenDays).RunAsync();
        Assert.Equal(5, RetainedLog.Rows(log).Count());
        log.Time.Advance(TimeSpan.FromDays(1000));
        await new RetainedLog(log, TenDays with { Events = null }).RunAsync();
        Assert.Equal(5, RetainedLog.Rows(log).Count());

        await new RetainedLog(log, TenDays).RunAsync();
        Assert.Empty(RetainedLog.Rows(log));
    }

    [Theory]
    [InlineData("behind")]
    [InlineData("paused")]
    [InlineData("parked")]
    [InlineData("replay")]
    [InlineData("without checkpoint")]
    public async Task Are_kept_while_a_forwarder_needs_them_which_is_said_once(string why)
    {
        await using var log = await RetainedLog.WithAsync(30, forwarded: false);
        var target = new RecordingTarget { Before = (number, _) => number == 2 && why is "behind" or "paused" ? throw new InvalidOperationException("down") : Task.CompletedTask };
        if (why == "parked") target.Refuses = ParkedLog.Only(10);
        if (why != "without checkpoint") await log.ForwardAsync(target);
        if (why == "paused") await log.Operators().PauseAsync(ParkedLog.Name, null, true, CancellationToken.None);
        if (why == "replay") await log.Operators().ReplayAsync(ParkedLog.Name, 0, 10, 12, CancellationToken.None);
        log.Time.Advance(TimeSpan.FromDays(11));
        IReadOnlyList<Forwarder> own = why == "without checkpoint" ? [new Forwarder("new", new RecordingTarget())] : [];

        var retained = new RetainedLog(log, TenDays, own);
        await retained.RunToTheEndAsync();

        var from = why == "without checkpoint" ? 0 : 10;
        Assert.Equal(Enumerable.Range(from, 30 - from), RetainedLog.Rows(log));
        var reason = why == "without checkpoint" ? "behind" : why;
        Assert.Equal([$"Retention of partition 0 is held at offset {from} by forwarder {(own.Count > 0 ? "new" : ParkedLog.Name)}: {reason}"], retained.Lines);
    }

    [Fact]
    public async Task Are_no_longer_kept_for_a_forwarder_that_starts_at_the_head_or_is_forgotten()
    {
        await using var log = await RetainedLog.WithAsync(30, forwarded: false);
        await log.ForwardAsync(new RecordingTarget { Refuses = ParkedLog.Only(10) });
        log.Time.Advance(TimeSpan.FromDays(11));
        var retained = new RetainedLog(log, TenDays, new Forwarder("new", new RecordingTarget()) { StartAt = StartAt.Head });
        await retained.RunToTheEndAsync();
        Assert.Equal(20, RetainedLog.Rows(log).Count());

        await log.Operators().ForgetAsync(ParkedLog.Name, CancellationToken.None);
        await retained.RunToTheEndAsync();

        Assert.Empty(RetainedLog.Rows(log));
    }

    [Fact]
    public async Task Are_kept_for_a_replay_that_was_asked_for_a_moment_ago()
    {
        await using var log = await RetainedLog.WithAsync(30);
        await using var operators = log.AnotherProcess();
        log.Time.Advance(TimeSpan.FromDays(11));
        // This process's picture of the partition is seconds old.
        await log.Watch.ReadAsync(0, TimeSpan.Zero, CancellationToken.None);
        await operators.Operators().ReplayAsync(ParkedLog.Name, 0, 10, 12, CancellationToken.None);

        await new RetainedLog(log, TenDays).RunToTheEndAsync();

        Assert.Equal(Enumerable.Range(10, 20), RetainedLog.Rows(log));
    }

    [Fact]
    public async Task Are_gone_for_readers_before_their_rows_are()
    {
        await using var log = await RetainedLog.WithAsync(250);
        log.Time.Advance(TimeSpan.FromDays(11));
        var before = new List<(long Oldest, long First)>();
        log.Table.Faults = request =>
        {
            if (request.Kind == TableOperation.Transaction && request.Keys[0].StartsWith("e|", StringComparison.Ordinal))
                before.Add((log.Table.Rows("0000").Single(row => row.RowKey == "!oldest").GetInt64("Offset")!.Value, request.Keys.Count));
            return null;
        };

        await new RetainedLog(log, TenDays).RunToTheEndAsync();

        Assert.Equal([(100L, 100L), (200, 100), (250, 50)], before);
    }

    // Ended anywhere, the next run (of another process) deletes what is left; nothing below the oldest offset stays for ever.
    [Theory]
    [InlineData("unreachable")]
    [InlineData("answer lost")]
    [InlineData("sent twice by the client")]
    [InlineData("the process dies")]
    public Task Are_deleted_to_the_end_whatever_request_goes_wrong(string kind) => ParkedLog.AtEachRequestAsync(kind, async goWrong =>
    {
        await using var log = await RetainedLog.WithAsync(230);
        await log.DoAsync(Tallies.Count("k", "k", key: "key"));
        await log.ForwardAsync(new RecordingTarget());
        log.Time.Advance(TimeSpan.FromDays(11));
        await log.AddAsync("b");
        goWrong(log);
        await new RetainedLog(log, TenDays, new Forwarder(ParkedLog.Name, new RecordingTarget())).RunAsync();
        log.Table.Faults = null;
        Assert.True(RetainedLog.Rows(log).Skip(1).Any() || RetainedLog.Rows(log).Single() == 231);
        await using var other = log.AnotherProcess();

        await new RetainedLog(other, TenDays).RunToTheEndAsync();

        Assert.Equal([231], RetainedLog.Rows(log));
        Assert.Empty(RetainedLog.Rows(log, "r|"));
        Assert.Equal(231, await RetainedLog.OldestAsync(log));
    });

    [Fact]
    public async Task Are_deleted_by_two_runners_at_once()
    {
        await using var log = await RetainedLog.WithAsync(950);
        await using var other = log.AnotherProcess();
        log.Time.Advance(TimeSpan.FromDays(11));
        await log.AddAsync("b");
        await log.ForwardAsync(new RecordingTarget());
        var (one, two) = (new RetainedLog(log, TenDays), new RetainedLog(other, TenDays));

        for (var i = 0; i < 20; i++)
        {
            await Task.WhenAll(one.RunAsync(), two.RunAsync());
            log.Time.Advance(TimeSpan.FromSeconds(61));
        }

        Assert.Equal([950], RetainedLog.Rows(log));
    }

    [Fact]
    public async Task That_are_gone_already_do_not_matter()
    {
        await using var log = await RetainedLog.WithAsync(50);
        log.Time.Advance(TimeSpan.FromDays(11));
        var done = false;
        log.Table.Faults = request =>
        {
            if (!done && request.Kind == TableOperation.Transaction && request.Keys[0].StartsWith("e|", StringComparison.Ordinal))
                done = log.Table.Remove("0000", $"e|{17:D19}");
            return null;
        };

        await new RetainedLog(log, TenDays).RunToTheEndAsync();

        Assert.True(done);
        Assert.Empty(RetainedLog.Rows(log));
    }

    [Fact]
    public async Task Cost_nothing_while_none_is_due()
    {
        await using var log = await RetainedLog.WithAsync(50);
        var retained = new RetainedLog(log, TenDays);
        await retained.RunToTheEndAsync();
        log.Table.ForgetRequests();

        for (var tick = 0; tick < 100; tick++)
        {
            log.Time.Advance(TimeSpan.FromMilliseconds(500));
            await retained.RunAsync();
        }

        Assert.InRange(log.Table.Requests.Count, 0, 3);
    }

    [Fact]
    public async Task Are_deleted_within_a_share_of_the_time_and_a_bound_for_each_run()
    {
        await using var log = await RetainedLog.WithAsync(3000);
        log.Time.Advance(TimeSpan.FromDays(11));
        await new RetainedLog(log, TenDays with { Events = null }).RunToTheEndAsync();
        log.Table.ForgetRequests();

        await new RetainedLog(log, TenDays).RunAsync();

        Assert.Equal(20, log.Table.Sent(TableOperation.Transaction));
        Assert.Equal(1000, RetainedLog.Rows(log).Count());
    }
}
