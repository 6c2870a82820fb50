using Microsoft.Extensions.Logging;

namespace Outpost.LocalHost;

/// <summary>
/// Runs one timer, one run at a time. Ticks that pass during a long run become one run right after it. As in the real
/// host, only a start can find a run past due, in the record of an earlier process. A timer that runs more than once a
/// minute has no record: its <see cref="TimerTick.ScheduleStatus"/> is null.
/// </summary>
internal sealed partial class TimerLoop(
    TimerPlan plan, Func<TimerTick, CancellationToken, Task> run, TimerRecordFiles? files, TimeProvider time,
    ILogger logger)
{
    // Timers do not count while the machine sleeps, so sleep and a changed clock are noticed within this time.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>Runs until it is stopped and no run is under way. Then it ends without an exception.</summary>
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
            // The run was asked to stop, and did.
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
                // Timers cut off fractions of a millisecond, and a run must not come early. So the wait is rounded up.
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
