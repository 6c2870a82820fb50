using Xunit.Abstractions;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class Three_processes_that_forward(ITestOutputHelper output)
{
    private static readonly int Seeds = int.Parse(
        Environment.GetEnvironmentVariable("OUTPOST_FORWARDING_SEEDS") ?? "100", System.Globalization.CultureInfo.InvariantCulture);

    // Every entry arrives, first arrivals in order; no checkpoint goes back or ahead; no living lease is taken.
    [Fact]
    public void Lose_nothing_and_keep_the_order_whatever_is_paused_killed_or_fails()
    {
        var (entries, deliveries, takeOvers, steps) = (0L, 0, 0, 0L);
        for (var seed = 0; seed < Seeds; seed++)
        {
            var (wrong, world) = ForwardingWorld.Run(seed);
            Assert.True(wrong.Count == 0, $"Seed {seed}: {string.Join(Environment.NewLine, wrong.Take(5))}");
            (entries, deliveries, takeOvers, steps) =
                (entries + world.Entries, deliveries + world.Delivered.Deliveries, takeOvers + world.TakeOvers, steps + world.Steps);
        }

        output.WriteLine($"{Seeds} seeds: {entries} entries, {deliveries} deliveries, {takeOvers} take-overs, {steps} steps");
        Assert.InRange(takeOvers, Seeds / 3, int.MaxValue);
    }

    [Theory]
    [InlineData(Broken.CheckpointBeforeDelivery)]
    [InlineData(Broken.NoIfMatch)]
    [InlineData(Broken.LeaseByLocalClock)]
    public void Are_found_out_when_they_are_broken(Broken broken)
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var (wrong, _) = ForwardingWorld.Run(seed, broken);
            if (wrong.Count == 0) continue;
            output.WriteLine($"{broken}: seed {seed}: {wrong[0]}");
            return;
        }

        Assert.Fail("Nobody noticed.");
    }
}
