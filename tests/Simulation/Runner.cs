using System.Diagnostics;

namespace Outpost.Tests.Simulation;

/// <summary>All together, over many seeds.</summary>
internal sealed class Total
{
    public FaultTally Faults { get; } = new();

    public int Seeds { get; private set; }

    public long Commands { get; private set; }

    public long Entries { get; private set; }

    public long TakeOvers { get; private set; }

    public long Steps { get; private set; }

    /// <summary>How long each seed took.</summary>
    public List<TimeSpan> Times { get; } = [];

    public int FewestCommands { get; private set; } = int.MaxValue;

    public long FewestFaults { get; private set; } = long.MaxValue;

    public void Add(Outcome outcome, TimeSpan took)
    {
        lock (Faults)
        {
            Faults.Add(outcome.Faults);
            Seeds++;
            Times.Add(took);
            Commands += outcome.Commands;
            Entries += outcome.Entries;
            TakeOvers += outcome.TakeOvers;
            Steps += outcome.Steps;
            FewestCommands = Math.Min(FewestCommands, outcome.Commands);
            FewestFaults = Math.Min(FewestFaults, outcome.Faults.Total);
        }
    }
}

/// <summary>Runs seeds on all cores, each by itself on one thread, until one goes wrong.</summary>
internal static class Runner
{
    private const int SeedsDefault = 1000;

    /// <summary>Runs seeds; the lowest that went wrong, or null.</summary>
    public static Outcome? Run(IEnumerable<Plan> plans, Total total)
    {
        Outcome? wrong = null;
        var together = new Lock();
        Parallel.ForEach(plans, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, (plan, loop) =>
        {
            var watch = Stopwatch.StartNew();
            var outcome = World.Run(plan);
            total.Add(outcome, watch.Elapsed);
            if (outcome.IsGood) return;
            lock (together)
            {
                if (wrong is null || plan.Seed < wrong.Plan.Seed) wrong = outcome;
            }

            loop.Stop();
        });
        return wrong;
    }

    public static int Run(RunOptions options, TextWriter output)
    {
        if (options.Broken) return BrokenRun.Run(output);
        if (options.Exhaustive is { } depth) return Explore(depth, output);
        if (options.OneSeed) return Replay(Plan.Of(options.Seed).With(options.Plan), output);
        var watch = Stopwatch.StartNew();
        var total = new Total();
        var seeds = options.Seeds ?? (options.Minutes is null ? SeedsDefault : int.MaxValue);
        var wrong = Run(Plans(), total);
        Print(total, watch.Elapsed, output);
        if (wrong is null) return 0;
        Tell(wrong, output);
        return 1;

        IEnumerable<Plan> Plans()
        {
            var told = TimeSpan.Zero;
            for (var i = 0; i < seeds && (options.Minutes is not { } minutes || watch.Elapsed.TotalMinutes < minutes); i++)
            {
                if (watch.Elapsed - told > TimeSpan.FromSeconds(30))
                {
                    told = watch.Elapsed;
                    output.WriteLine($"{total.Seeds:N0} seeds, {total.Seeds / watch.Elapsed.TotalSeconds:F0} per second");
                }

                yield return Plan.Of(options.Seed + i).With(options.Plan);
            }
        }
    }

    private static int Explore(int depth, TextWriter output)
    {
        var isGood = true;
        foreach (var (sameEntity, faults) in new[] { (true, 0), (false, 0), (true, 1), (false, 1) })
        {
            var watch = Stopwatch.StartNew();
            // With a fault a choice has three times as many ways.
            var walked = faults == 0 ? depth : (depth + 1) / 2;
            var explored = SmallWorld.Explore(walked, sameEntity, faults);
            output.WriteLine(
                $"{(sameEntity ? "one entity" : "two entities")}, {faults} faults: {explored.Schedules:N0} schedules to depth {walked} of {explored.MostChoices} choices, {watch.Elapsed.TotalSeconds:F0} s{(explored.Violation is { } wrong ? $": {wrong}" : "")}");
            isGood &= explored.Violation is null;
        }

        return isGood ? 0 : 1;
    }

    private static int Replay(Plan plan, TextWriter output)
    {
        var outcome = World.Run(plan, isTraced: true);
        foreach (var line in outcome.Trace) output.WriteLine(line);
        output.WriteLine(outcome.IsGood
            ? $"Seed {plan.Seed}: nothing went wrong. {outcome.Commands} commands, {outcome.Faults.Total} faults, {outcome.Entries} entries, {outcome.Steps} steps, {outcome.Requests.Count} requests ({string.Join(", ", outcome.Requests.CountBy(What).OrderByDescending(one => one.Value).Select(one => $"{one.Key} {one.Value}"))}), {outcome.Took.TotalSeconds:F0} s."
            : $"Seed {plan.Seed}: {outcome.Violations[0].Trim()}");
        return outcome.IsGood ? 0 : 1;
    }

    private static string What(TableRequest request)
    {
        var key = request.Keys[0];
        if (request.Kind != TableOperation.QueryPage) return $"{request.Kind} {key[..Math.Min(2, key.Length)]}";
        return key.Contains("lt 'd", StringComparison.Ordinal) ? "partition" : key.Contains("'p|", StringComparison.Ordinal) ? "parked" : "events";
    }

    private static void Tell(Outcome wrong, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"Seed {wrong.Plan.Seed}: {wrong.Violations[0].Trim()}");
        output.WriteLine($"  dotnet run dev.cs simulate --seed {wrong.Plan.Seed}");
        var small = Shrinking.Shrink(wrong.Plan);
        var outcome = World.Run(small, isTraced: true);
        output.WriteLine($"The smallest plan found, of {small.Commands} commands: {outcome.Violations[0].Trim()}");
        output.WriteLine($"  dotnet run dev.cs simulate --seed {small.Seed} --plan {small.Difference()}");
        foreach (var line in outcome.Trace) output.WriteLine(line);
    }

    private static void Print(Total total, TimeSpan took, TextWriter output)
    {
        output.WriteLine($"{total.Seeds:N0} seeds in {took.TotalSeconds:F0} s, {total.Seeds / took.TotalSeconds:F1} per second, on {Environment.ProcessorCount} cores; half of them took less than {total.Times.Order().ElementAt(total.Seeds / 2).TotalMilliseconds:F0} ms");
        output.WriteLine($"{total.Commands:N0} commands (at least {total.FewestCommands} in a seed), {total.Entries:N0} entries, {total.TakeOvers:N0} leases taken over, {total.Steps:N0} steps");
        output.WriteLine($"{total.Faults.Total:N0} faults (at least {total.FewestFaults} in a seed):");
        foreach (var kind in Enum.GetValues<FaultKind>()) output.WriteLine($"  {kind,-24}{total.Faults[kind],12:N0}");
    }
}
