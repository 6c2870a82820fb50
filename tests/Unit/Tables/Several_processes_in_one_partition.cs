using Xunit.Abstractions;

namespace Outpost.Tests.Unit.Tables;

/// <summary>
/// Eight callers each, without a pause, on the simulated table with Azure's latency and limits; compared with one
/// process that has as many callers as all of them together.
/// </summary>
public sealed class Several_processes_in_one_partition(ITestOutputHelper output)
{
    [Theory]
    [InlineData(2, 1, true)]
    [InlineData(8, 1, true)]
    [InlineData(16, 1, true)]
    [InlineData(2, 2, true)]
    [InlineData(8, 2, true)]
    [InlineData(16, 2, true)]
    [InlineData(2, 3, true)]
    [InlineData(8, 3, true)]
    [InlineData(16, 3, true)]
    [InlineData(2, 1, false)]
    [InlineData(8, 1, false)]
    [InlineData(16, 1, false)]
    public void Get_half_of_what_one_would_and_each_its_share(int processes, int seed, bool withKeys)
    {
        var alone = BusyProcesses.Run(1, 8 * processes, 10, seed, withKeys: withKeys);
        var shared = BusyProcesses.Run(processes, 8, 10, seed, withKeys: withKeys);

        output.WriteLine(
            $"alone {alone.PerSecond:F0}/s; shared {shared.PerSecond:F0}/s = {shared.PerSecond / alone.PerSecond:P0}, smallest share {shared.SmallestShare:F2}, " +
            $"{shared.Commits} commits, {shared.LostRaces} lost races, {shared.Requests / (double)shared.Commits:F2} requests per commit, refused {shared.Table.Service!.Refused}");
        Assert.Empty(alone.Failures);
        Assert.Empty(shared.Failures);
        Assert.Equal(0, alone.LostRaces);
        Assert.True(shared.PerSecond >= alone.PerSecond / 2, $"{shared.PerSecond:F0} of {alone.PerSecond:F0} commands per second");
        Assert.True(shared.SmallestShare >= 1 / 3.0, $"{shared.SmallestShare:F2} of an equal share");
        SoundLog.Check(shared.Table);
    }
}
