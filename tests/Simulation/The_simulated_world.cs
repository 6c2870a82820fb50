using System.Globalization;
using Xunit.Abstractions;

namespace Outpost.Tests.Simulation;

public sealed class The_simulated_world(ITestOutputHelper output)
{
    // In blocks, so that a slow machine is not taken for a test that hangs.
    private const int Blocks = 10;

    private static readonly int Seeds = int.Parse(
        Environment.GetEnvironmentVariable("OUTPOST_SIMULATION_SEEDS") ?? "1000", CultureInfo.InvariantCulture);

    public static TheoryData<int> Each => [.. Enumerable.Range(0, Blocks)];

    [Theory]
    [MemberData(nameof(Each))]
    public void Keeps_every_promise_whatever_goes_wrong(int block)
    {
        var (total, seeds) = (new Total(), Seeds / Blocks);
        var wrong = Runner.Run(Enumerable.Range(block * seeds, seeds).Select(seed => Plan.Of(seed)), total);
        Assert.True(wrong is null, $"dotnet run dev.cs simulate --seed {wrong?.Plan.Seed}: {wrong?.Violations[0]}");

        output.WriteLine($"{total.Seeds} seeds: {total.Commands} commands, {total.Entries} entries, {total.TakeOvers} leases taken over, {total.Faults.Total} faults");
        Assert.Equal(seeds, total.Seeds);
        Assert.InRange(total.FewestCommands, 200, int.MaxValue);
        Assert.InRange(total.FewestFaults, 20, long.MaxValue);
        Assert.InRange(total.TakeOvers, seeds, long.MaxValue);
        foreach (var kind in Enum.GetValues<FaultKind>())
        {
            var least = kind == FaultKind.ManyWriters ? seeds / Plan.CrowdedOneIn : (seeds / 100) + 1;
            Assert.True(total.Faults[kind] >= least, $"{kind} fired {total.Faults[kind]} times in {seeds} seeds.");
        }
    }

    [Fact]
    public void Does_the_same_again_with_the_same_seed()
    {
        for (var seed = 0; seed < 3; seed++)
        {
            var (once, again) = (World.Run(Plan.Of(seed), isTraced: true), World.Run(Plan.Of(seed), isTraced: true));
            Assert.Equal(once.Trace, again.Trace);
            Assert.Equal((once.Steps, once.Entries), (again.Steps, again.Entries));
        }
    }

    // Runs of many seeds have threads of the pool; a replay has the one it was started on.
    [Fact]
    public async Task Does_the_same_on_a_thread_of_the_pool_and_on_any_other()
    {
        for (var seed = 1; seed < 4; seed++)
        {
            var plan = Plan.Of(seed);
            var ofPool = await Task.Run(() => World.Run(plan, isTraced: true));
            var other = await Task.Factory.StartNew(
                () => World.Run(plan, isTraced: true), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            Assert.Equal(ofPool.Trace, other.Trace);
            Assert.Equal((ofPool.Steps, ofPool.Entries), (other.Steps, other.Entries));
        }
    }

    // Here the bus is down when a replay's turn comes, and all else is done.
    [Fact]
    public void Does_not_rest_while_a_request_of_an_operator_waits() => Assert.Empty(World.Run(Plan.Of(12_234)).Violations);

    [Fact]
    public void Does_the_same_again_with_the_text_of_a_smaller_plan()
    {
        var plan = Plan.Of(7) with { Callers = 2, CommandsPerCaller = 9, Processes = 2, Kinds = new HashSet<FaultKind>(Plan.Of(7).Kinds.Skip(3)) };
        var read = Plan.Of(7).With(plan.Difference());
        Assert.Equal(plan.Kinds.Order(), read.Kinds.Order());
        Assert.Equal(World.Run(plan, isTraced: true).Trace, World.Run(read, isTraced: true).Trace);
    }
}
