using System.Globalization;
using Microsoft.Extensions.Configuration;
using Outpost.LocalHost;

namespace Outpost.Tests.Unit.LocalHost;

public sealed class Timer_schedules
{
    [Theory]
    [InlineData("* * * * * *", "12:00:00", "12:00:01", "every second")]
    [InlineData("* * * * * *", "12:00:00.999", "12:00:01", "a part of a second counts as the second it belongs to")]
    [InlineData("*/10 * * * * *", "12:00:10", "12:00:20", "after a tick, never at it")]
    [InlineData("0 */5 * * * *", "12:04:59.5", "12:05:00", "seconds first")]
    [InlineData("*/5 * * * *", "12:04:59", "12:05:00", "five fields have no seconds")]
    [InlineData("0 0 9 * * MON", "12:00:00", "23 09:00:00", "names of days; the 23rd is the next Monday")]
    public void The_next_run_is_the_first_after_a_time(string schedule, string now, string next, string why)
    {
        var found = TimerSchedule.TryParse(schedule)!.NextAfter(At(now));

        Assert.True(found == At(next), $"{why}: {found:o}");
        Assert.Equal(DateTimeKind.Utc, found.Kind);
    }

    [Theory]
    [InlineData("*/10 * * * * *", true, "ten seconds apart")]
    [InlineData("0 * * * * *", false, "once a minute")]
    [InlineData("* * * * *", false, "once a minute, in five fields")]
    [InlineData("*/10 0 * * * *", false, "six within one minute, but then none for an hour: so the host decides")]
    public void Runs_less_than_a_minute_apart_are_not_written_down(string schedule, bool subMinute, string why) =>
        Assert.True(subMinute == TimerSchedule.TryParse(schedule)!.IsSubMinute(At("12:00:00")), why);

    [Theory]
    [InlineData("Forwarder__Schedule")]
    [InlineData("Forwarder:Schedule")]
    public void A_schedule_may_come_from_a_setting_under_either_form_of_its_name(string name)
    {
        var plan = Plan($"%{name}%", ("Forwarder:Schedule", "*/7 * * * * *"));

        Assert.Equal(At("12:00:07"), plan!.Schedule.NextAfter(At("12:00:00")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void A_missing_setting_leaves_the_function_without_a_plan(string? value) =>
        Assert.Null(Plan("%Forwarder__Schedule%", ("Forwarder:Schedule", value)));

    [Theory]
    [InlineData("every now and then")]
    [InlineData("60 * * * * *")]
    [InlineData("* * * *")]
    [InlineData("00:00:10")]
    public void What_is_no_schedule_stops_the_start(string schedule)
    {
        var refused = Assert.Throws<StartException>(() => Plan("%When%", ("When", schedule)));

        Assert.Contains($"'{schedule}' (from %When%)", refused.Message, StringComparison.Ordinal);
    }

    private static TimerPlan? Plan(string schedule, params (string Key, string? Value)[] settings) => TimerPlan.For(
        new FunctionDefinition("Forward", new TimerFunctionTrigger("timer", schedule, false, true)),
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(one => KeyValuePair.Create(one.Key, one.Value))).Build(),
        At("12:00:00"));

    private static DateTime At(string time) => DateTime.Parse(
        time.Contains(' ', StringComparison.Ordinal) ? $"2026-11-{time}" : $"2026-11-22 {time}",
        CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
}
