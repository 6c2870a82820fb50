using System.Text.Json.Nodes;

namespace Outpost.Tests.Benchmarks;

/// <summary>Commands per second over partitions, in virtual time on the simulated table with Azure's published latency and limits.</summary>
internal static class ScaleBenchmarks
{
    public static Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        _ = options;
        Console.WriteLine("scale: simulating");
        var points = ScalingOverPartitions.Measure();
        figures.Set("scale.partitions", List(points.Where(point => point.WithKeys)), "commands/s", "three rows and a share of the head's each");
        figures.Set("scale.partitions.nokey", List(points.Where(point => !point.WithKeys)), "commands/s", "two rows and a share of the head's each");
        figures.Set(
            "scale.instances",
            new JsonArray([.. Instances.Select(Measure)]),
            "commands/s",
            "simulated at a 10 ms round trip, one partition: a hand-over between processes costs a round trip, so 100 commits a second");
        return Task.CompletedTask;
    }

    // One caller each that pauses, so that all together offer about 97 commands a second; then callers without a pause.
    private static readonly (int Processes, int Callers, bool Pauses)[] Instances =
    [
        (1, 1, true), (2, 1, true), (8, 1, true), (16, 1, true), (40, 1, true), (60, 1, true), (100, 1, true),
        (100, 2, false), (2, 8, false), (8, 8, false), (16, 8, false),
    ];

    private static JsonNode? Measure((int Processes, int Callers, bool Pauses) of)
    {
        // Half the longest pause on average, and a round trip: a hundredth of a second for each process.
        TimeSpan? pause = of.Pauses && of.Processes > 1 ? TimeSpan.FromMilliseconds(20 * (of.Processes - 1)) : null;
        var work = new BusyProcesses { Processes = of.Processes, Callers = of.Callers, Pause = pause, Seconds = 20 }.Run(seed: 1);
        return new JsonObject
        {
            ["processes"] = of.Processes,
            ["callers"] = of.Callers,
            ["pauses"] = of.Pauses,
            ["commandsPerSecond"] = Math.Round(work.PerSecond),
            ["p99Ms"] = Math.Round(work.Waits[(int)(work.Waits.Count * 0.99)].TotalMilliseconds),
            ["longestMs"] = Math.Round(work.Waits[^1].TotalMilliseconds),
            ["lostRacesPerCommit"] = Math.Round(work.LostRaces / (double)work.Commits, 2),
            ["failures"] = work.Failures.Count,
        };
    }

    private static JsonArray List(IEnumerable<Scaling> points)
    {
        var list = new JsonArray();
        foreach (var point in points)
        {
            list.Add(new JsonObject
            {
                ["partitions"] = point.Partitions,
                ["commandsPerSecond"] = Math.Round(point.CommandsPerSecond),
                ["limitedBy"] = point.LimitedBy,
            });
        }

        return list;
    }
}
