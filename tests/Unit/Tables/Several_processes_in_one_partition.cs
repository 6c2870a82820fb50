using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

/// <summary>
/// On the simulated table with Azure's latency and limits. Busy processes have eight callers each who never pause, and
/// are compared with one process that has as many callers as all of them together.
/// </summary>
public sealed class Several_processes_in_one_partition
{
    private const int CallersEach = 8;

    [Theory]
    [InlineData(2, 1, true)]
    [InlineData(8, 1, true)]
    [InlineData(16, 1, true)]
    [InlineData(16, 2, true)]
    [InlineData(16, 3, true)]
    [InlineData(2, 1, false)]
    [InlineData(8, 1, false)]
    [InlineData(16, 1, false)]
    public void Get_half_of_what_one_would_and_each_a_third_of_its_share(int processes, int seed, bool withKeys)
    {
        var alone = new BusyProcesses { Callers = CallersEach * processes, WithKeys = withKeys }.Run(seed);
        var shared = new BusyProcesses { Processes = processes, Callers = CallersEach, WithKeys = withKeys }.Run(seed);

        Assert.Empty(shared.Failures);
        Assert.True(shared.PerSecond >= alone.PerSecond / 2, $"{shared.PerSecond:F0} of {alone.PerSecond:F0} commands per second");
        Assert.True(shared.SmallestShare >= 1 / 3.0, $"{shared.SmallestShare:F2} of an equal share");
        SoundLog.Check(shared.Table);
    }

    // What others did is remembered for some round trips, however long they are.
    [Theory]
    [InlineData(100, 1)]
    [InlineData(100, 2)]
    [InlineData(200, 1)]
    [InlineData(200, 4)]
    public void Get_their_shares_of_a_slow_store_too(int roundTripMilliseconds, int seed)
    {
        var work = new BusyProcesses
        {
            Processes = 2,
            Callers = CallersEach,
            RoundTrip = TimeSpan.FromMilliseconds(roundTripMilliseconds),
            Seconds = 60,
        }.Run(seed);

        Assert.Empty(work.Failures);
        Assert.True(work.SmallestShare >= 0.6, $"{work.SmallestShare:F2} of an equal share");
    }

    // All requests wait for each other there, and large transactions take long, as with Azurite on a small machine.
    [Theory]
    [InlineData(200, 1)]
    [InlineData(200, 2)]
    [InlineData(200, 3)]
    [InlineData(400, 1)]
    [InlineData(400, 2)]
    [InlineData(800, 1)]
    public void Get_their_shares_of_a_store_that_is_busy_all_the_time(int entitiesPerSecond, int seed)
    {
        var work = new BusyProcesses
        {
            Processes = 2,
            Callers = 16,
            Partitions = 4,
            RoundTrip = TimeSpan.FromMilliseconds(4),
            AccountEntitiesPerSecond = entitiesPerSecond,
            Seconds = 60,
        }.Run(seed);

        Assert.Empty(work.Failures);
        Assert.True(work.SmallestShare >= 0.8, $"{work.SmallestShare:F2} of an equal share");
        Assert.InRange(work.Waits[(int)(work.Waits.Count * 0.99)].TotalSeconds, 0, 2);
        Assert.InRange(work.Waits[^1].TotalSeconds, 0, 8);
    }

    // Who is alone never looks; in a network whose latencies never vary, another's transaction would always come too late.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Let_one_in_that_comes_late(bool steady)
    {
        var work = new BusyProcesses
        {
            Processes = 2,
            Callers = CallersEach,
            Steady = steady,
            Apart = TimeSpan.FromSeconds(5),
            WarmUpSeconds = 5,
            Seconds = 30,
        }.Run(seed: 1);

        Assert.Empty(work.Failures);
        Assert.True(work.SmallestShare >= 1 / 2.0, $"{work.SmallestShare:F2} of an equal share");
        SoundLog.Check(work.Table);
    }

    // Beyond the transaction that went through: a read of the head per turn of two, a few looks while others have
    // theirs, and for each race that was lost the transaction and two reads.
    [Theory]
    [InlineData(2, 3, 0.1)]
    [InlineData(8, 5, 0.2)]
    [InlineData(16, 8, 0.6)]
    public void Cost_a_few_requests_per_commit_and_seldom_lose_a_race(int processes, double requestsMax, double lostMax)
    {
        var work = new BusyProcesses { Processes = processes, Callers = CallersEach }.Run(seed: 1);

        Assert.InRange(work.LostRaces / (double)work.Commits, 0, lostMax);
        Assert.InRange(work.Requests / (double)work.Commits, 1, requestsMax);
    }

    [Fact]
    public void Cost_one_process_a_read_in_two_seconds_while_the_others_are_idle()
    {
        var alone = new BusyProcesses { Callers = 64 }.Run(seed: 1);

        // Layout (read, table, row), the first head, and from then on one transaction after the other. In ten seconds it asks for newcomers
        // four times.
        Assert.Equal(4 + 4, alone.Requests - alone.Commits);
        Assert.Equal(0, alone.LostRaces);
    }

    // All together they offer about 97 commands a second. Without a line, sixty do half of that, and a hundred a quarter.
    [Theory]
    [InlineData(60, 1)]
    [InlineData(60, 3)]
    [InlineData(100, 1)]
    [InlineData(100, 4)]
    public void Stand_in_line_where_many_write_now_and_then(int processes, int seed)
    {
        var work = new BusyProcesses
        {
            Processes = processes,
            Callers = 1,
            Pause = TimeSpan.FromMilliseconds(20 * (processes - 1)),
            Seconds = 20,
        }.Run(seed);

        Assert.Empty(work.Failures);
        Assert.True(work.PerSecond >= 76, $"{work.PerSecond:F0} commands per second");
        Assert.InRange(work.Waits[(int)(work.Waits.Count * 0.99)].TotalSeconds, 0, 2.5);
        Assert.InRange(work.LostRaces / (double)work.Commits, 0, 1.5);
        SoundLog.Check(work.Table);
    }

    [Theory]
    [InlineData(100, 2, 140, 8)]
    [InlineData(16, 8, 450, 5)]
    public void Serve_everybody_where_many_never_pause(int processes, int callers, int perSecond, int longestSeconds)
    {
        var work = new BusyProcesses { Processes = processes, Callers = callers, Seconds = 20 }.Run(seed: 2);

        Assert.Empty(work.Failures);
        Assert.True(work.PerSecond >= perSecond, $"{work.PerSecond:F0} commands per second");
        Assert.True(work.SmallestShare >= 1 / 3.0, $"{work.SmallestShare:F2} of an equal share");
        Assert.InRange(work.Waits[^1].TotalSeconds, 0, longestSeconds);
        Assert.Empty(work.Table.Rows(Keys.Line(0)));
        SoundLog.Check(work.Table);
    }

    // Each process has one command a second, or five, and now and then two meet.
    [Theory]
    [InlineData(2, 1000, 50)]
    [InlineData(8, 1000, 100)]
    [InlineData(16, 1000, 150)]
    [InlineData(2, 200, 75)]
    public void Hardly_notice_each_other_while_there_is_little_to_do(int processes, int pause, int slowestMilliseconds)
    {
        var work = new BusyProcesses { Processes = processes, Callers = 1, Pause = TimeSpan.FromMilliseconds(2 * pause), Seconds = 20 }.Run(seed: 1);

        Assert.Empty(work.Failures);
        Assert.InRange(work.Waits[work.Waits.Count / 2].TotalMilliseconds, 0, 40);
        Assert.InRange(work.Waits[(int)(work.Waits.Count * 0.99)].TotalMilliseconds, 0, slowestMilliseconds);
    }
}
