using Outpost.Retention;

namespace Outpost.Tests.Unit.Retention;

public sealed class Old_receipts
{
    private static readonly RetentionOptions TwoDays = new(null, TimeSpan.FromHours(48));

    [Fact]
    public async Task Are_deleted_and_a_repeat_is_a_new_command_from_then_on()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "first", key: "k"));
        var retained = new RetainedLog(log, TwoDays);
        log.Time.Advance(TimeSpan.FromHours(47));
        await retained.RunAsync();
        Assert.True((await log.DoAsync(Tallies.Count("a", "first", key: "k"))).Replayed);
        log.Time.Advance(TimeSpan.FromHours(2));

        await retained.RunAsync();

        Assert.Empty(RetainedLog.Rows(log, "r|"));
        Assert.False((await log.DoAsync(Tallies.Count("a", "second", key: "k"))).Replayed);
        Assert.Equal([0, 1], RetainedLog.Rows(log));
        // The new one is as old as its own command.
        await new RetainedLog(log, TwoDays).RunAsync();
        Assert.Single(RetainedLog.Rows(log, "r|"));
    }

    [Fact]
    public async Task Of_commands_with_several_events_take_one_request_for_almost_a_hundred_events()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 100; i++) await log.DoAsync(Tallies.Count($"s{i}", "s", key: $"k{i}", events: 7));
        log.Time.Advance(TimeSpan.FromHours(49));
        log.Table.ForgetRequests();

        await new RetainedLog(log, TwoDays).RunAsync();

        Assert.Empty(RetainedLog.Rows(log, "r|"));
        // Fourteen commands are 98 events.
        Assert.Equal((8, 0, 0), (log.Table.Sent(TableOperation.Transaction), log.Table.Sent(TableOperation.Delete), log.Table.Sent(TableOperation.Update)));
    }

    [Fact]
    public async Task Are_deleted_although_one_of_them_is_gone_already()
    {
        await using var log = new SimulatedLog();
        foreach (var id in new[] { "a", "b", "c" }) await log.DoAsync(Tallies.Count(id, "first", key: id));
        await log.Table.DeleteEntityAsync("0000", log.Table.Rows("0000").First(row => row.RowKey.StartsWith("r|", StringComparison.Ordinal)).RowKey);
        log.Time.Advance(TimeSpan.FromHours(49));

        await new RetainedLog(log, TwoDays).RunAsync();

        Assert.Empty(RetainedLog.Rows(log, "r|"));
    }

    [Fact]
    public async Task Of_many_partitions_take_some_seconds_of_a_run_and_the_next_run_begins_where_it_ended()
    {
        await using var log = new SimulatedLog(partitions: 8);
        for (var i = 0; i < 100; i++) await log.DoAsync(Tallies.Count($"s{i}", "s", key: $"k{i}"));
        log.Time.Advance(TimeSpan.FromHours(49));
        log.Table.Faults = request =>
        {
            if (request.Kind == TableOperation.Transaction) log.Time.Advance(TimeSpan.FromSeconds(1));
            return null;
        };
        var retained = new RetainedLog(log, TwoDays);
        var left = new List<int>();

        for (var run = 0; run < 3; run++)
        {
            await retained.RunAsync();
            left.Add(Enumerable.Range(0, 8).Count(partition => RetainedLog.Rows(log, "r|", partition).Any()));
        }

        // A second for the transaction, three of rest: the third ends after ten.
        Assert.Equal([5, 2, 0], left);
    }

    // The pause after a slow request would be thrice as long: the run ends, and the partition is left alone for the rest.
    [Fact]
    public async Task Never_hold_the_timer_for_longer_than_15_seconds_however_slow_the_store_is()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 250; i++) await log.DoAsync(Tallies.Count($"s{i}", "s", key: $"k{i}"));
        log.Time.Advance(TimeSpan.FromHours(49));
        log.Table.Faults = request =>
        {
            if (request.Kind == TableOperation.Transaction) log.Time.Advance(TimeSpan.FromSeconds(9));
            return null;
        };
        var retained = new RetainedLog(log, TwoDays);
        var left = new List<int>();
        for (var second = 0; second < 60; second += 10)
        {
            var start = log.Time.GetTimestamp();
            await retained.RunAsync();
            Assert.InRange(log.Time.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(15));
            left.Add(RetainedLog.Rows(log, "r|").Count());
            log.Time.Advance(TimeSpan.FromSeconds(10) - log.Time.GetElapsedTime(start));
        }

        // Nine seconds of work, then 27 of rest.
        Assert.Equal(2, left.Distinct().Count());
    }

    [Fact]
    public async Task Lead_from_their_events_which_are_kept_as_long()
    {
        await using var log = await RetainedLog.WithAsync(3, forwarded: false);
        log.Time.Advance(TimeSpan.FromHours(30));

        await new RetainedLog(log, new RetentionOptions(TimeSpan.FromHours(24), TimeSpan.FromHours(48))).RunAsync();
        Assert.Equal(3, RetainedLog.Rows(log).Count());
        log.Time.Advance(TimeSpan.FromHours(19));
        await new RetainedLog(log, new RetentionOptions(TimeSpan.FromHours(24), TimeSpan.FromHours(48))).RunAsync();

        Assert.Empty(RetainedLog.Rows(log));
    }
}
