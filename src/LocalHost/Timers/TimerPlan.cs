using Microsoft.Extensions.Configuration;

namespace Outpost.LocalHost;

/// <summary>
/// A timer function with its resolved schedule. The host remembers the runs of a monitored timer, and makes up for a missed one.
/// </summary>
internal sealed record TimerPlan(string Name, TimerSchedule Schedule, bool RunOnStartup, bool IsMonitored)
{
    /// <summary>
    /// Reads <c>%setting%</c> from the configuration. Null where that setting is missing: as in the real host, the
    /// function does not run, and the others do. An invalid schedule stops the start.
    /// </summary>
    public static TimerPlan? For(FunctionDefinition function, IConfiguration configuration, DateTime now)
    {
        var timer = (TimerFunctionTrigger)function.Trigger;
        var isMissing = false;
        var expression = HostSettings.Expand(configuration, timer.Schedule, _ =>
        {
            isMissing = true;
            return "";
        });
        if (isMissing) return null;
        var schedule = TimerSchedule.TryParse(expression) ?? throw new StartException(
            $"Function '{function.Name}': the schedule {Quote(timer.Schedule, expression)} is not an NCRONTAB "
            + "expression of six fields (or five, without seconds).");
        return new(function.Name, schedule, timer.RunOnStartup, timer.UseMonitor && !schedule.IsSubMinute(now));
    }

    private static string Quote(string written, string resolved) =>
        written == resolved ? $"'{written}'" : $"'{resolved}' (from {written})";
}
