using System.Diagnostics;
using System.Globalization;

namespace Outpost.Tests.Benchmarks;

/// <summary>Large commands at full speed must not grow the process: what waits is bounded, what is done is let go.</summary>
internal static class CommitMemory
{
    private const int EventBytes = 64 * 1024;
    private const int Many = 64;
    private const int Looks = 4;

    public static async Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        // Some 260 KB each in Azurite, which keeps them all: more of them would be its memory's test.
        var stretch = options.Quick ? 150 : 1000;
        var orders = new OrderCommands(EventBytes);
        await using var log = await MeasuredLog.CreateAsync();
        // The SDK keeps buffers of up to 4 MiB for transactions of this size, one per thread in the end.
        await PlaceAsync(stretch * 2);
        var inUse = new List<double> { InUse() };
        var elapsed = TimeSpan.Zero;
        for (var look = 1; look <= Looks; look++)
        {
            var start = Stopwatch.GetTimestamp();
            await PlaceAsync(stretch);
            elapsed += Stopwatch.GetElapsedTime(start);
            inUse.Add(InUse());
        }

        var course = string.Join(", ", inUse.Select(each => each.ToString("0.0", CultureInfo.InvariantCulture)));
        figures.Sample(
            "memory.growth_mb.64k",
            inUse[^1] - inUse[0],
            "MB",
            $"in {elapsed.TotalSeconds:0} s at full speed; in use after every {stretch} commands: {course} MB; one run");
        figures.Sample(
            "commit.commands_per_s.64k",
            Looks * stretch / elapsed.TotalSeconds,
            "commands/s",
            "bytes: entity, receipt and event of 64 KiB each; one run");

        Task PlaceAsync(int count) => Callers.RunAsync(Many, count, _ => orders.PlaceAsync(log.Log, withKey: true));
    }

    private static double InUse() => GC.GetTotalMemory(forceFullCollection: true) / 1e6;
}
