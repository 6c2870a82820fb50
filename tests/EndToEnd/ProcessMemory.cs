using System.Diagnostics;

namespace Outpost.Tests.EndToEnd;

/// <summary>What the operating system says of a process.</summary>
internal static class ProcessMemory
{
    /// <summary>What it has in memory, shared pages included.</summary>
    public static int ResidentMegabytes(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return (int)(process.WorkingSet64 / 1024 / 1024);
    }
}
