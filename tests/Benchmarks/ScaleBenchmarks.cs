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
        return Task.CompletedTask;
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
