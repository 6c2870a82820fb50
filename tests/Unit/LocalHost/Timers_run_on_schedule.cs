using System.Threading.Channels;
using Outpost.LocalHost;

namespace Outpost.Tests.Unit.LocalHost;

public sealed class Timers_run_on_schedule
{
    private const string EveryTenSeconds = "*/10 * * * * *";
    private const string EveryHour = "0 0 * * * *";

    [Fact]
    public async Task A_timer_runs_at_each_tick_and_not_before()
    {
        await using var timer = new RunningTimer(EveryTenSeconds, at: "12:00:03.5");

        Assert.Equal(TimeSpan.FromSeconds(6.5), await timer.Time.WaitForWaiter());
        timer.Time.Advance(TimeSpan.FromSeconds(6.499));
        Assert.Equal(0, timer.Started);

        timer.Time.Advance(TimeSpan.FromMilliseconds(1));
        await timer.NextRun();
        Assert.Equal(TimeSpan.FromSeconds(10), await timer.Time.WaitForWaiter());
        timer.Time.Advance(TimeSpan.FromSeconds(10));
        await timer.NextRun();
        Assert.Equal(2, timer.Started);
    }

    [Fact]
    public async Task A_wait_is_rounded_up_to_what_timers_can_count()
    {
        await using var timer = new RunningTimer(EveryTenSeconds, at: "12:00:03.5006");

        Assert.Equal(TimeSpan.FromSeconds(6.5), await timer.Time.WaitForWaiter());
    }

    [Fact]
    public async Task Ticks_missed_during_a_long_run_become_one_run_right_after_it()
    {
        await using var timer = new RunningTimer(EveryTenSeconds, at: "12:00:00", runsBlock: true);

        await timer.Advance(10);
        var longRun = await timer.NextRun();
        timer.Time.Advance(TimeSpan.FromSeconds(35));
        Assert.Equal(1, timer.Started);

        longRun.End();
        var makeUp = await timer.NextRun();
        Assert.False(makeUp.Info.IsPastDue);
        makeUp.End();

        Assert.Equal(TimeSpan.FromSeconds(5), await timer.Time.WaitForWaiter());
        Assert.Equal(2, timer.Started);
    }

    [Fact]
    public async Task A_run_that_fails_is_logged_once_and_the_next_tick_comes()
    {
        await using var timer = new RunningTimer(EveryTenSeconds, at: "12:00:00", runsBlock: true);

        await timer.Advance(10);
        (await timer.NextRun()).Fail(new InvalidOperationException("no"));
        await timer.Advance(10);
        (await timer.NextRun()).End();

        Assert.Single(timer.Log.Errors);
    }

    [Fact]
    public async Task A_timer_that_runs_on_startup_runs_at_once_and_then_on_schedule()
    {
        await using var timer = new RunningTimer(EveryHour, at: "12:10:00", runOnStartup: true);

        var run = await timer.NextRun();

        Assert.False(run.Info.IsPastDue);
        await timer.Advance(50 * 60);
        await timer.NextRun();
    }

    [Fact]
    public async Task A_run_knows_the_one_before_it_and_when_it_was_due()
    {
        await using var timer = new RunningTimer(EveryHour, at: "12:10:00");

        await timer.Advance(50 * 60);
        var first = (await timer.NextRun()).Info.ScheduleStatus!;
        await timer.Advance(60 * 60);
        var second = (await timer.NextRun()).Info.ScheduleStatus!;

        Assert.Equal(default, first.Last);
        Assert.Equal(RunningTimer.Today("13:00:00"), first.Next);
        Assert.Equal(RunningTimer.Today("13:00:00"), second.Last);
        Assert.Equal(RunningTimer.Today("14:00:00"), second.Next);
        Assert.Equal(second.Last, second.LastUpdated);
    }

    [Fact]
    public async Task A_timer_that_runs_more_often_than_each_minute_has_no_schedule_status()
    {
        await using var timer = new RunningTimer(EveryTenSeconds, at: "12:00:00");

        await timer.Advance(10);

        Assert.Null((await timer.NextRun()).Info.ScheduleStatus);
    }

    [Fact]
    public async Task After_the_machine_has_slept_past_a_tick_the_run_comes_within_a_minute()
    {
        await using var timer = new RunningTimer(EveryHour, at: "12:10:00");
        await timer.Time.WaitForWaiter();

        timer.Time.Sleep(TimeSpan.FromMinutes(55));
        await timer.Advance(60);

        await timer.NextRun();
    }

    [Fact]
    public async Task Stopping_ends_a_wait_at_once()
    {
        await using var timer = new RunningTimer(EveryHour, at: "12:10:00");
        await timer.Time.WaitForWaiter();

        timer.Stop();

        await timer.Ended;
        Assert.Equal(0, timer.Started);
    }

    [Fact]
    public async Task Stopping_tells_a_run_and_waits_for_it_and_starts_no_other()
    {
        await using var timer = new RunningTimer(EveryTenSeconds, at: "12:00:00", runsBlock: true);
        await timer.Advance(10);
        var run = await timer.NextRun();

        timer.Stop();
        timer.Time.Advance(TimeSpan.FromSeconds(30));

        Assert.True(run.Cancellation.IsCancellationRequested);
        Assert.False(timer.Ended.IsCompleted);
        run.End();
        await timer.Ended;
        Assert.Equal(1, timer.Started);
    }

    [Fact]
    public async Task A_run_that_gives_up_because_the_host_stops_is_no_error()
    {
        await using var timer = new RunningTimer(EveryTenSeconds, at: "12:00:00", runsBlock: true);
        await timer.Advance(10);
        var run = await timer.NextRun();

        timer.Stop();
        run.Fail(new OperationCanceledException(run.Cancellation));
        await timer.Ended;

        Assert.Empty(timer.Log.AboveDebug);
    }

    private sealed record Run(TimerTick Info, TaskCompletionSource Outcome, CancellationToken Cancellation)
    {
        public void End() => Outcome.SetResult();

        public void Fail(Exception failure) => Outcome.SetException(failure);
    }

    private sealed class RunningTimer : IAsyncDisposable
    {
        private readonly Channel<Run> _runs = Channel.CreateUnbounded<Run>();
        private readonly CancellationTokenSource _stop = new();
        private readonly bool _runsBlock;
        private int _started;

        public RunningTimer(string schedule, string at, bool runOnStartup = false, bool runsBlock = false)
        {
            Time = new ManualTime(Today(at));
            _runsBlock = runsBlock;
            var parsed = TimerSchedule.TryParse(schedule)!;
            var plan = new TimerPlan("Tick", parsed, runOnStartup, IsMonitored: !parsed.IsSubMinute(Today(at)));
            Ended = Task.Run(() => new TimerLoop(plan, RunAsync, files: null, Time, Log).RunAsync(_stop.Token))
                .WaitAsync(3 * ManualTime.Patience);
        }

        public ManualTime Time { get; }

        public LogLines Log { get; } = new();

        public Task Ended { get; }

        public int Started => Volatile.Read(ref _started);

        public static DateTime Today(string time) =>
            DateTime.SpecifyKind(new DateTime(2026, 11, 22) + TimeSpan.Parse(time, null), DateTimeKind.Utc);

        public async Task Advance(int seconds)
        {
            // In the steps in which the timer waits, so that each one has begun before its time passes.
            for (var left = TimeSpan.FromSeconds(seconds); left > TimeSpan.Zero;)
            {
                var step = await Time.WaitForWaiter();
                step = step < left ? step : left;
                Time.Advance(step);
                left -= step;
            }
        }

        public async Task<Run> NextRun() => await _runs.Reader.ReadAsync().AsTask().WaitAsync(ManualTime.Patience);

        public void Stop() => _stop.Cancel();

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _runs.Writer.Complete();
            _stop.Dispose();
        }

        private Task RunAsync(TimerTick info, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _started);
            var run = new Run(info, new(TaskCreationOptions.RunContinuationsAsynchronously), cancellation);
            if (!_runsBlock)
                run.End();
            _runs.Writer.TryWrite(run);
            return run.Outcome.Task;
        }
    }
}
