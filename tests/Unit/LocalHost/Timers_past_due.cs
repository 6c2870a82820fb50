using Outpost.LocalHost;

namespace Outpost.Tests.Unit.LocalHost;

public sealed class Timers_past_due
{
    private static readonly DateTime Noon = new(2026, 11, 22, 12, 0, 0, DateTimeKind.Utc);
    private static readonly TimerSchedule EveryHour = TimerSchedule.TryParse("0 0 * * * *")!;

    [Fact]
    public void A_first_start_waits_for_the_next_tick()
    {
        var (record, isPastDue) = TimerRecord.Resume(stored: null, EveryHour, Noon.AddMinutes(10));

        Assert.False(isPastDue);
        Assert.Equal(new TimerRecord(default, Noon.AddHours(1), Noon.AddMinutes(10)), record);
    }

    [Theory]
    [InlineData(59, false, "stopped and started between two ticks")]
    [InlineData(61, true, "a tick passed while nothing ran")]
    [InlineData(600, true, "ten ticks passed: one run makes up for all")]
    public void A_tick_that_passed_while_the_host_was_down_is_past_due(int minutesLater, bool expected, string why)
    {
        var stored = TimerRecord.AfterRun(EveryHour, Noon);

        var (record, isPastDue) = TimerRecord.Resume(stored, EveryHour, Noon.AddMinutes(minutesLater));

        Assert.True(expected == isPastDue, why);
        Assert.Equal(Noon.AddHours(1), record.Next);
    }

    [Fact]
    public void A_tick_missed_before_the_first_run_ever_is_past_due_as_well()
    {
        var (first, _) = TimerRecord.Resume(stored: null, EveryHour, Noon.AddMinutes(10));

        Assert.True(TimerRecord.Resume(first, EveryHour, Noon.AddMinutes(65)).IsPastDue);
    }

    [Fact]
    public void A_changed_schedule_is_not_past_due_for_what_it_would_have_missed()
    {
        var stored = TimerRecord.AfterRun(TimerSchedule.TryParse("0 0 0 * * *")!, Noon);

        var (record, isPastDue) = TimerRecord.Resume(stored, EveryHour, Noon.AddHours(3).AddMinutes(5));

        Assert.False(isPastDue);
        Assert.Equal(Noon.AddHours(4), record.Next);
    }

    [Fact]
    public void A_changed_schedule_counts_from_the_last_run_while_its_tick_is_still_to_come()
    {
        var stored = TimerRecord.AfterRun(EveryHour, Noon);

        var (record, isPastDue) = TimerRecord.Resume(
            stored, TimerSchedule.TryParse("0 30 * * * *")!, Noon.AddMinutes(5));

        Assert.False(isPastDue);
        Assert.Equal(Noon.AddMinutes(30), record.Next);
    }
}
