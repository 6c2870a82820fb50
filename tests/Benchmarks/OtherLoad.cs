using System.Diagnostics;
using System.Globalization;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// How much of the machine others took while this ran, from Linux's /proc: figures of a busy machine are too low, and
/// nothing else in them shows it.
/// </summary>
internal sealed class OtherLoad
{
    private const int IdleField = 3;
    private const int WaitField = 4;
    private const int Fields = 8; // user, nice, system, idle, iowait, irq, softirq, steal
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly TimeSpan _before = Busy();

    public static bool IsKnown => OperatingSystem.IsLinux();

    /// <summary>Cores' worth of processor time per time since this was made, Azurite's and this process's not counted.</summary>
    public double Cores() => Math.Max(0, (Busy() - _before) / Stopwatch.GetElapsedTime(_start));

    private static TimeSpan Busy()
    {
        if (!IsKnown) return default;
        var words = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..(Fields + 1)];
        var ticks = words.Select(word => long.Parse(word, CultureInfo.InvariantCulture)).ToArray();
        var busy = ticks.Sum() - ticks[IdleField] - ticks[WaitField];
        return TimeSpan.FromSeconds((double)busy / ServiceProcess.TicksPerSecond)
            - Environment.CpuUsage.TotalTime - (ServiceProcess.Azurite.CpuTime() ?? default) - (ServiceProcess.Bus.CpuTime() ?? default);
    }
}
