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
    public async Task Are_deleted_with_the_claims_in_other_partitions()
    {
        await using var log = new SimulatedLog(partitions: 8);
        var ids = Enumerable.Range(0, 30).Select(i => $"s{i}").ToList();
        foreach (var id in ids)
            await log.DoAsync(Tallies.Count(id, id) with { Idempotency = new Idempotency("scope", $"key-{id}", "same") { HomeSubject = "tally/home" } });
        Assert.InRange(Enumerable.Range(0, 8).Sum(partition => RetainedLog.Rows(log, "r|", partition).Count()), 31, 60);
        log.Time.Advance(TimeSpan.FromHours(49));

        await new RetainedLog(log, TwoDays).RunAsync();

        Assert.Equal(0, Enumerable.Range(0, 8).Sum(partition => RetainedLog.Rows(log, "r|", partition).Count()));
    }

    [Fact]
    public async Task Of_commands_with_several_events_take_one_transaction_for_each_hundred_events()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 100; i++) await log.DoAsync(Tallies.Count($"s{i}", "s", key: $"k{i}", events: 7));
        log.Time.Advance(TimeSpan.FromHours(49));
        log.Table.ForgetRequests();

        await new RetainedLog(log, TwoDays).RunAsync();

        Assert.Empty(RetainedLog.Rows(log, "r|"));
        Assert.Equal((7, 0), (log.Table.Sent(TableOperation.Transaction), log.Table.Sent(TableOperation.Delete)));
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
