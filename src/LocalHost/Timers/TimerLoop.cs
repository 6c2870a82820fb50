using Microsoft.Extensions.Logging;

namespace Outpost.LocalHost;

/// <summary>
/// Runs one timer, one run at a time. Ticks that pass while a run takes too long become one run right after it.
/// As in the host, only a start knows of a run past due (from the record of an earlier process), and a timer that runs
/// more often than each minute has no record: its <see cref="TimerTick.ScheduleStatus"/> is null.
/// </summary>
internal sealed partial class TimerLoop(
    TimerPlan plan, Func<TimerTick, CancellationToken, Task> run, TimerRecordFiles? files, TimeProvider time,
    ILogger logger)
{
    // A machine that slept, or a clock that was set, is noticed within this time; timers do not count sleep.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>Ends, without an exception, once stopping was asked for and no run is under way.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var (record, isPastDue) = TimerRecord.Resume(Stored(), plan.Schedule, Now);
        Store(record);
        if (isPastDue)
            PastDue(plan.Name, record.Next);
        if (isPastDue || plan.RunOnStartup)
            record = await RunOnceAsync(record, isPastDue, stopping);
        while (await DueAsync(record.Next, stopping))
            record = await RunOnceAsync(record, isPastDue: false, stopping);
    }

    private async Task<TimerRecord> RunOnceAsync(TimerRecord record, bool isPastDue, CancellationToken stopping)
    {
        var startedAt = Now;
        var status = plan.IsMonitored ? record : null;
        try
        {
            await run(new TimerTick(isPastDue, status), stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // asked to stop, and did
        }
        catch (Exception failure)
        {
            RunFailed(failure, plan.Name);
        }
        var after = TimerRecord.AfterRun(plan.Schedule, startedAt);
        Store(after);
        return after;
    }

    private async Task<bool> DueAsync(DateTime next, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested && next - Now is { Ticks: > 0 } left)
        {
            var wait = left < LongestWait ? left : LongestWait;
            try
            {
                // Whole milliseconds, rounded up: timers cut the rest off, and a run must not come early.
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), time, stopping);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
        return !stopping.IsCancellationRequested;
    }

    private TimerRecord? Stored() => plan.IsMonitored ? files?.Read(plan.Name) : null;

    private void Store(TimerRecord record)
    {
        if (plan.IsMonitored)
            files?.Write(plan.Name, record);
    }

    [LoggerMessage(1, LogLevel.Information, "{Timer} is past due since {Due:o}")]
    private partial void PastDue(string timer, DateTime due);

    [LoggerMessage(2, LogLevel.Error, "{Timer} failed; its next run comes as scheduled")]
    private partial void RunFailed(Exception failure, string timer);
}
