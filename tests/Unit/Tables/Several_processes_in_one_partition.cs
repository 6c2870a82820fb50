using Xunit.Abstractions;

namespace Outpost.Tests.Unit.Tables;

/// <summary>
/// On the simulated table with Azure's latency and limits. Busy processes have eight callers each who never pause, and
/// are compared with one process that has as many callers as all of them together.
/// </summary>
public sealed class Several_processes_in_one_partition(ITestOutputHelper output)
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

        output.WriteLine(
            $"alone {alone.PerSecond:F0}/s; shared {shared.PerSecond:F0}/s = {shared.PerSecond / alone.PerSecond:P0}, smallest share {shared.SmallestShare:F2}, " +
            $"{shared.Commits} commits, {shared.LostRaces} lost races, {shared.Requests / (double)shared.Commits:F2} requests per commit, p50 {P(shared, .5)} p99 {P(shared, .99)} max {P(shared, 1)}");
        Assert.Empty(shared.Failures);
        Assert.True(shared.PerSecond >= alone.PerSecond / 2, $"{shared.PerSecond:F0} of {alone.PerSecond:F0} commands per second");
        Assert.True(shared.SmallestShare >= 1 / 3.0, $"{shared.SmallestShare:F2} of an equal share");
        SoundLog.Check(shared.Table);
    }

    [Theory]
    [InlineData(2, 1000)]
    [InlineData(8, 1000)]
    [InlineData(16, 1000)]
    [InlineData(2, 200)]
    [InlineData(8, 200)]
    [InlineData(16, 200)]
    public void Hardly_notice_each_other_while_there_is_little_to_do(int processes, int pause)
    {
        var work = new BusyProcesses { Processes = processes, Callers = 1, Pause = TimeSpan.FromMilliseconds(pause), Seconds = 20 }.Run(seed: 1);
        output.WriteLine($"alone {work.PerSecond:F0}/s, {work.LostRaces} of {work.Commits}, {work.Requests / (double)work.Commits:F2} requests per commit, p50 {P(work, .5)} p90 {P(work, .9)} p99 {P(work, .99)} max {P(work, 1)}");
    }

    private static string P(Work work, double part) => $"{work.Waits[(int)((work.Waits.Count - 1) * part)].TotalMilliseconds:F0}";
}
