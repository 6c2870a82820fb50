using Outpost.Forwarding;
using Outpost.AspNetCore;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_forwarder_that_nobody_runs
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Is_orphaned_where_entries_wait_and_health_names_it_and_the_way_out()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        await log.AddAsync("b", "c");

        var status = await Operators(log, Process(log, "without")).StatusAsync(CancellationToken.None);

        var one = Assert.Single(status.Forwarders);
        Assert.Equal(("orphaned", false), (one.State, one.IsKnownHere));
        var problem = Assert.Single(Troubles.Of(status));
        Assert.Equal(("forwarder-orphaned", false), (problem.Code, problem.IsFatal));
        Assert.Contains("servicebus: 2 entries wait", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("outpost forget servicebus", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Is_idle_where_nothing_waits()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());

        var status = await Operators(log, Process(log, "without")).StatusAsync(CancellationToken.None);

        Assert.Equal("idle", Assert.Single(status.Forwarders).State);
    }

    [Theory]
    // A minute in which nothing is written, and three periods.
    [InlineData(80, "idle")]
    [InlineData(100, "orphaned")]
    public async Task Is_told_from_one_that_another_process_runs(int seconds, string state)
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        await log.AddAsync("b");
        await Process(log, "with", ParkedLog.Name).BeatAsync(isTimer: true, Period, CancellationToken.None);
        log.Time.Advance(TimeSpan.FromSeconds(seconds));

        var status = await Operators(log, Process(log, "without")).StatusAsync(CancellationToken.None);

        Assert.Equal(state, Assert.Single(status.Forwarders).State);
    }

    [Fact]
    public async Task Is_orphaned_as_soon_as_the_process_that_ran_it_has_stopped()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        await log.AddAsync("b");
        var ran = Process(log, "with", ParkedLog.Name);
        await ran.BeatAsync(isTimer: true, Period, CancellationToken.None);
        await ran.StopAsync(CancellationToken.None);

        var status = await Operators(log, Process(log, "without")).StatusAsync(CancellationToken.None);

        Assert.Equal("orphaned", Assert.Single(status.Forwarders).State);
    }

    [Fact]
    public async Task Has_its_late_entries_counted_by_processes_that_do_not_know_it()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        await log.AddAsync("b");
        log.Time.Advance(TimeSpan.FromSeconds(61));

        var status = await Operators(log, Process(log, "without")).StatusAsync(CancellationToken.None);

        var one = Assert.Single(status.Forwarders);
        Assert.Equal((TimeSpan.FromSeconds(60), 1), (one.Within, one.Partitions.Sum(partition => partition.Late)));
    }

    [Theory]
    [InlineData(9, true)]
    [InlineData(11, false)]
    public async Task Cannot_be_forgotten_before_ten_minutes_have_passed_paused_or_not(int minutes, bool isInUse)
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        await Process(log, "with", ParkedLog.Name).BeatAsync(isTimer: true, Period, CancellationToken.None);
        var operators = Operators(log, Process(log, "without"));
        await operators.PauseAsync(ParkedLog.Name, null, isPaused: true, CancellationToken.None);
        log.Time.Advance(TimeSpan.FromMinutes(minutes));

        var result = await operators.ForgetAsync(ParkedLog.Name, CancellationToken.None);

        Assert.Equal(isInUse, result is OperationResult.InUse);
    }

    [Theory]
    [InlineData(29, false)]
    [InlineData(31, true)]
    public async Task Timer_that_has_not_run_for_three_ticks_is_missed_and_health_says_since_when(int seconds, bool isMissed)
    {
        await using var log = await ParkedLog.WithAsync("a");
        var process = Process(log, "with");
        await process.BeatAsync(isTimer: true, Period, CancellationToken.None);
        log.Time.Advance(TimeSpan.FromSeconds(seconds));
        // An operator's tick is not the timer's.
        await process.BeatAsync(isTimer: false, null, CancellationToken.None);

        var status = await Operators(log, process).StatusAsync(CancellationToken.None);

        Assert.Equal((isMissed, "* * * * * *"), (status.Timer!.IsMissed, status.Timer.Schedule));
        Assert.Equal(isMissed ? ["timer-missing"] : [], Troubles.Of(status).Select(problem => problem.Code));
    }

    [Fact]
    public async Task Costs_a_tick_one_write_and_one_query_a_minute()
    {
        await using var log = await ParkedLog.WithAsync("a");
        var process = Process(log, "with", ParkedLog.Name);
        var before = log.Table.Requests.Count;

        for (var tick = 0; tick < 12; tick++)
        {
            await process.BeatAsync(isTimer: true, Period, CancellationToken.None);
            log.Time.Advance(Period);
        }

        Assert.Equal(4, log.Table.Requests.Count - before);
    }

    private static ForwarderOperations Operators(SimulatedLog log, Heartbeats heartbeats) => new(
        log.Store, log.Checkpoints, log.Engine([]), log.Sources, heartbeats);

    private static Heartbeats Process(SimulatedLog log, string name, params string[] forwarders) => new(
        new TableHeartbeatStore(log.Table, log.Sources), name, forwarders, "* * * * * *", () => log.Store.Now, log.Time);
}
