using Microsoft.Azure.Functions.Worker;

namespace Outpost.LocalHost;

/// <summary>When a timer ran last, is due next, and when that was worked out; UTC, default for never.</summary>
internal sealed record TimerRecord(DateTime Last, DateTime Next, DateTime LastUpdated)
{
    public static TimerRecord AfterRun(TimerSchedule schedule, DateTime startedAt) =>
        new(startedAt, schedule.NextAfter(startedAt), startedAt);

    /// <summary>
    /// Where a starting timer stands. It is past due when the run an earlier process wrote down as next has not come.
    /// A record of another schedule counts from now: its missed run is no longer one.
    /// </summary>
    public static (TimerRecord Record, bool IsPastDue) Resume(TimerRecord? stored, TimerSchedule schedule, DateTime now)
    {
        if (stored is null)
            return (Fresh(schedule, now), false);

        var next = schedule.NextAfter(stored.LastUpdated);
        if (next == stored.Next)
            return (stored, now > next);
        return (now > next ? Fresh(schedule, now) : stored with { Last = default, Next = next }, false);
    }

    public ScheduleStatus ToStatus() => new() { Last = Last, Next = Next, LastUpdated = LastUpdated };

    private static TimerRecord Fresh(TimerSchedule schedule, DateTime now) =>
        new(default, schedule.NextAfter(now), now);
}
