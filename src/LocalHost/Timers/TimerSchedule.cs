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

    /// <summary>Null when the expression is no schedule.</summary>
    public static TimerSchedule? TryParse(string expression)
    {
        var fields = expression.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        var cron = CrontabSchedule.TryParse(
            expression, new CrontabSchedule.ParseOptions { IncludingSeconds = fields != 5 });
        return cron is null ? null : new TimerSchedule(cron);
    }

    /// <summary>The first occurrence after, never at, the given time.</summary>
    public DateTime NextAfter(DateTime utc) =>
        DateTime.SpecifyKind(_cron.GetNextOccurrence(utc), DateTimeKind.Utc);

    /// <summary>Runs too close together for the host to write down each one (more than one within a minute).</summary>
    public bool IsSubMinute(DateTime utc) =>
        _onlySecondsRestricted && _cron.GetNextOccurrences(utc, utc.AddMinutes(1)).Skip(1).Any();

    public override string ToString() => _cron.ToString();
}
