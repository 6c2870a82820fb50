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

    private static Command<Tally> Nothing(string id) => Tallies.Count(id, "never") with
    {
        Decide = tally => new Decision<Tally>.Accepted(tally ?? new Tally(0, []), []),
    };
}
