namespace Outpost.Tests.Unit.Tables;

public sealed class Commands_that_write_nothing
{
    [Fact]
    public async Task Are_those_that_decide_no_events()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var before = log.Table.Rows("0000").Select(row => row.ETag).ToList();

        var known = await log.DoAsync(Nothing("a"));
        var unknown = await log.DoAsync(Nothing("b"));

        Assert.Equal((1L, 1), (known.Version, known.State.Count));
        Assert.Equal(0, unknown.Version);
        Assert.Equal(before, log.Table.Rows("0000").Select(row => row.ETag));
    }

    [Fact]
    public async Task Are_those_that_are_refused()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        log.Table.ForgetRequests();

        var refused = await log.RunAsync(Tallies.Count("a", "a2", max: 1));

        Assert.Equal("full", Assert.IsType<CommandResult<Tally>.Refused>(refused).Refusal.Code);
        Assert.Equal([TableOperation.Get], log.Table.Requests.Select(request => request.Kind));
    }

    [Fact]
    public async Task Are_refused_on_facts_and_not_on_a_guess()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var onlyOnce = Tallies.Count("a", "a2") with
        {
            LikelyNew = true,
            Decide = tally => new Decision<Tally>.Refused(new Refusal(RefusalKind.Conflict, tally is null ? "guessed" : "known", "")),
        };

        Assert.Equal("known", Assert.IsType<CommandResult<Tally>.Refused>(await log.RunAsync(onlyOnce)).Refusal.Code);
    }

    [Theory]
    [InlineData(new long[] { 1 }, null, "an older version")]
    [InlineData(new long[] { 3, 4 }, null, "only versions that are yet to come")]
    [InlineData(new long[] { }, null, "nothing that is a version")]
    [InlineData(new long[] { 2 }, 3L, "the current version")]
    [InlineData(new long[] { 1, 2 }, 3L, "the current version among others")]
    [InlineData(null, 3L, "any version")]
    public async Task Are_those_whose_If_Match_is_stale(long[]? accepted, long? version, string why)
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        await log.DoAsync(Tallies.Count("a", "a2"));

        var result = await log.RunAsync(Tallies.Count("a", "a3") with { IfMatch = new VersionCondition(accepted) });

        if (version is null) Assert.Equal((2, why), (Assert.IsType<CommandResult<Tally>.Stale>(result).CurrentVersion, why));
        else Assert.Equal((version, why), (Assert.IsType<CommandResult<Tally>.Done>(result).Version, why));
        Assert.Equal(version is null ? 2 : 3, SoundLog.Check(log.Table).Count);
    }

    [Theory]
    [InlineData(new long[] { 1 }, false)]
    [InlineData(null, false)]
    [InlineData(null, true)]
    public async Task Are_those_that_expect_a_version_of_what_does_not_exist(long[]? accepted, bool likelyNew)
    {
        await using var log = new SimulatedLog();

        var result = await log.RunAsync(
            Tallies.Count("a", "a1") with { IfMatch = new VersionCondition(accepted), LikelyNew = likelyNew });

        Assert.Null(Assert.IsType<CommandResult<Tally>.Stale>(result).CurrentVersion);
        Assert.Empty(SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Are_those_that_are_too_large()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var large = new NewEvent("Large", "application/octet-stream", new byte[Limits.PayloadBytesMax + 1]);
        var command = Tallies.Count("a", "a2", key: "k") with
        {
            Decide = tally => new Decision<Tally>.Accepted(tally ?? new Tally(0, []), [large]),
        };

        Assert.Contains("Large", Assert.IsType<CommandResult<Tally>.TooLarge>(await log.RunAsync(command)).Detail, StringComparison.Ordinal);
        Assert.IsType<CommandResult<Tally>.TooLarge>(await log.RunAsync(Tallies.Count("b", "b1", events: 98)));
        Assert.IsType<CommandResult<Tally>.TooLarge>(await log.RunAsync(Tallies.Count(new string('x', 401), "x") with { LikelyNew = true }));
        Assert.Equal(["a1"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Are_those_with_an_id_that_is_too_long()
    {
        await using var log = new SimulatedLog();

        Assert.IsType<CommandResult<Tally>.TooLarge>(await log.RunAsync(Tallies.Count(new string('x', 401), "x")));
    }

    [Fact]
    public async Task Are_those_with_a_correlation_id_beyond_the_limit()
    {
        await using var log = new SimulatedLog();

        Assert.IsType<CommandResult<Tally>.TooLarge>(
            await log.RunAsync(Tallies.Count("a", "a1") with { CorrelationId = new string('x', 40_000) }));
    }

    private static Command<Tally> Nothing(string id) => Tallies.Count(id, "never") with
    {
        Decide = tally => new Decision<Tally>.Accepted(tally ?? new Tally(0, []), []),
    };
}
