using Xunit.Abstractions;

namespace Outpost.Tests.Simulation;

/// <summary>
/// Which request takes effect next, and (in the second) whether one request or its answer gets lost: all of the first
/// choices of each run. <c>simulate --exhaustive DEPTH</c> goes deeper.
/// </summary>
public sealed class All_orders_of_two_writers_and_a_forwarder(ITestOutputHelper output)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Are_sound(bool sameEntity) => Explore(11, sameEntity, faults: 0);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Are_sound_with_one_fault(bool sameEntity) => Explore(6, sameEntity, faults: 1);

    private void Explore(int depth, bool sameEntity, int faults)
    {
        var explored = SmallWorld.Explore(depth, sameEntity, faults);
        output.WriteLine($"{explored.Schedules} schedules to depth {depth}; {explored.MostChoices} choices at most");
        Assert.Null(explored.Violation);
        Assert.InRange(explored.Schedules, 500, long.MaxValue);
    }
}
