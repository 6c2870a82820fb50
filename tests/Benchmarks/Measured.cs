using System.Diagnostics;

namespace Outpost.Tests.Benchmarks;

/// <summary>What a piece of work took.</summary>
/// <param name="Count">How much of it was done: commands, or rows.</param>
/// <param name="Elapsed">From the first to the last.</param>
/// <param name="Requests">What was sent meanwhile.</param>
/// <param name="OwnCpu">Processor time of this process: library, SDK and the callers, who are in it too.</param>
/// <param name="AzuriteCpu">Processor time of Azurite; null where the operating system does not tell.</param>
/// <param name="AllocatedBytes">Allocated by this process.</param>
internal sealed record Measured(
    int Count, TimeSpan Elapsed, RequestCounts Requests, TimeSpan OwnCpu, TimeSpan? AzuriteCpu, long AllocatedBytes)
{
    public double PerSecond => Count / Elapsed.TotalSeconds;

    public double RequestsPerOne => (double)Requests.All / Count;

    /// <summary>Share of the time in which a transaction was under way; above 1 with several partitions.</summary>
    public double OnTheWire => Requests.OnTheWire / Elapsed;

    /// <summary>Where the time went, in one phrase.</summary>
    public string Busy =>
        $"busy: Azurite {AzuriteCpu / Elapsed:P0}, this process {OwnCpu / Elapsed:P0} of a core; on the wire {OnTheWire:P0}";

    /// <summary>Does the work and looks at clocks and counters before and after.</summary>
    /// <param name="count">How much of it will have been done.</param>
    /// <param name="requests">Counter of the client that does it.</param>
    /// <param name="work">The work.</param>
    public static async Task<Measured> RunAsync(int count, RequestCounter requests, Func<Task> work)
    {
        // What earlier work left behind is not this one's to clear up.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (requestsBefore, allocatedBefore) = (requests.Now, GC.GetTotalAllocatedBytes(precise: true));
        var (ownBefore, azuriteBefore) = (Environment.CpuUsage.TotalTime, ServiceProcess.Azurite.CpuTime());
        var start = Stopwatch.GetTimestamp();
        await work();
        var elapsed = Stopwatch.GetElapsedTime(start);
        var (own, azurite) = (Environment.CpuUsage.TotalTime - ownBefore, ServiceProcess.Azurite.CpuTime() - azuriteBefore);
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore;
        return new Measured(count, elapsed, requests.Now - requestsBefore, own, azurite, allocated);
    }
}
