using Xunit.Abstractions;

namespace Outpost.Tests.Simulation;

public sealed class What_is_broken_on_purpose(ITestOutputHelper output)
{
    public static TheoryData<string> Each => [.. Enum.GetNames<Broken>().Where(name => name != nameof(Broken.Nothing))];

    [Theory]
    [MemberData(nameof(Each))]
    public void Is_noticed(string broken)
    {
        var found = BrokenRun.Find(Enum.Parse<Broken>(broken), first: 0);
        Assert.True(found is not null, $"{broken} was not noticed within {BrokenRun.SeedsMax} seeds.");
        output.WriteLine($"{broken}: after {found.Value.Seeds} seeds: {found.Value.What}");
    }

    [Fact]
    public void Is_told_with_a_smaller_plan_that_shows_it_too()
    {
        var found = Enumerable.Range(0, 20).Select(seed => World.Run(Plan.Of(seed, Broken.CheckpointBeforeSend))).First(outcome => !outcome.IsGood);
        var small = Shrinking.Shrink(found.Plan);
        output.WriteLine(small.Difference());
        Assert.False(World.Run(Plan.Of(small.Seed).With(small.Difference())).IsGood);
        Assert.InRange(small.Commands, 0, found.Plan.Commands / 4);
    }
}
