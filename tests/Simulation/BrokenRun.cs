namespace Outpost.Tests.Simulation;

/// <summary>How many seeds it takes to find what is broken on purpose.</summary>
internal static class BrokenRun
{
    public const int SeedsMax = 2000;

    // Far apart, so that no two begin with the same seeds.
    private const int Apart = 1_000_000;
    private const int Times = 10;

    /// <summary>Seeds from the first on until it was noticed, with what was noticed; null: not within the bound.</summary>
    public static (int Seeds, string What)? Find(Broken broken, int first)
    {
        var wrong = Runner.Run(Enumerable.Range(first, SeedsMax).Select(seed => Plan.Of(seed, broken)), new Total());
        return wrong is null ? null : (wrong.Plan.Seed - first + 1, wrong.Violations[0].Trim());
    }

    public static int Run(TextWriter output)
    {
        output.WriteLine($"{"broken",-30}{"fewest",8}{"median",8}{"most",8}  first noticed as");
        var missed = 0;
        foreach (var broken in Enum.GetValues<Broken>().Where(one => one != Broken.Nothing))
        {
            var found = Enumerable.Range(1, Times).Select(time => Find(broken, time * Apart)).ToList();
            missed += found.Count(one => one is null);
            var seeds = found.OfType<(int Seeds, string What)>().Select(one => one.Seeds).Order().ToList();
            output.WriteLine(seeds.Count == Times
                ? $"{broken,-30}{seeds[0],8}{seeds[seeds.Count / 2],8}{seeds[^1],8}  {found[0]!.Value.What}"
                : $"{broken,-30}missed {Times - seeds.Count} times of {Times}");
        }

        return missed == 0 ? 0 : 1;
    }
}
