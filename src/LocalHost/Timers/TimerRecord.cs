using System.Text.Json;

namespace Outpost.LocalHost;

/// <summary>
/// When a timer last ran, when it is due next, and when that was computed. Times are UTC; the default value means
/// never.
/// </summary>
internal sealed record TimerRecord(DateTime Last, DateTime Next, DateTime LastUpdated)
{
    public static TimerRecord AfterRun(TimerSchedule schedule, DateTime startedAt) =>
        new(startedAt, schedule.NextAfter(startedAt), startedAt);

    /// <summary>
    /// The state of a timer that starts. It is past due when an earlier process recorded a next run that did not come.
    /// A record of another schedule counts from now, so its missed run no longer counts.
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

/// <summary>What a timer tells its function.</summary>
/// <param name="IsPastDue">Whether the run makes up for a missed one.</param>
/// <param name="ScheduleStatus">The timer's record; null for a timer that runs more than once a minute.</param>
internal sealed record TimerTick(bool IsPastDue, TimerRecord? ScheduleStatus)
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = false };

    /// <summary>The JSON that the real host sends.</summary>
    public string ToJson() => JsonSerializer.Serialize(new { Schedule = new { AdjustForDST = true }, ScheduleStatus, IsPastDue }, Options);
}
