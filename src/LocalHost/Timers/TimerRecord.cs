using System.Text.Json;

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

    private static TimerRecord Fresh(TimerSchedule schedule, DateTime now) =>
        new(default, schedule.NextAfter(now), now);
}

/// <summary>What a run of a timer is told.</summary>
/// <param name="IsPastDue">It makes up for a run that was missed.</param>
/// <param name="ScheduleStatus">Null for a timer that runs more often than each minute.</param>
internal sealed record TimerTick(bool IsPastDue, TimerRecord? ScheduleStatus)
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = false };

    /// <summary>As the real host sends it.</summary>
    public string ToJson() => JsonSerializer.Serialize(new { Schedule = new { AdjustForDST = true }, ScheduleStatus, IsPastDue }, Options);
}
