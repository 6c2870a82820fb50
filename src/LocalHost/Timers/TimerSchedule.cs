using NCrontab;

namespace Outpost.LocalHost;

/// <summary>An NCRONTAB schedule in UTC: six fields, seconds first, or five without seconds.</summary>
internal sealed class TimerSchedule
{
    private readonly CrontabSchedule _cron;
    private readonly bool _onlySecondsRestricted;

    private TimerSchedule(CrontabSchedule cron)
    {
        _cron = cron;
        _onlySecondsRestricted = cron.ToString().Split(' ').Skip(1).All(field => field == "*");
    }

    /// <summary>Reads an expression; null when it is no schedule.</summary>
    public static TimerSchedule? TryParse(string expression)
    {
        var fields = expression.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        var cron = CrontabSchedule.TryParse(
            expression, new CrontabSchedule.ParseOptions { IncludingSeconds = fields != 5 });
        return cron is null ? null : new TimerSchedule(cron);
    }

    /// <summary>The first occurrence after the given time, never at it.</summary>
    public DateTime NextAfter(DateTime utc) =>
        DateTime.SpecifyKind(_cron.GetNextOccurrence(utc), DateTimeKind.Utc);

    /// <summary>Whether it runs more than once within a minute, which is too often for the host to record each run.</summary>
    public bool IsSubMinute(DateTime utc) =>
        _onlySecondsRestricted && _cron.GetNextOccurrences(utc, utc.AddMinutes(1)).Skip(1).Any();

    public override string ToString() => _cron.ToString();
}
