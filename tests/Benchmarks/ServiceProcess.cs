using System.Globalization;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// The processor time of a service that this process started, from Linux's /proc: whether it is the limit has to be seen,
/// not guessed.
/// </summary>
internal sealed class ServiceProcess(string script)
{
    public static readonly ServiceProcess Azurite = new("azurite.mjs");

    public static readonly ServiceProcess Bus = new("servicebus/main.mjs");

    /// <summary>USER_HZ, the same on every Linux .NET runs on.</summary>
    public const int TicksPerSecond = 100;

    private const int Parent = 1;
    private const int UserTicks = 11;
    private const int SystemTicks = 12;
    private string? _folder;

    /// <summary>Null: it does not run as a child of this process, or this is not Linux.</summary>
    public TimeSpan? CpuTime()
    {
        if (!OperatingSystem.IsLinux()) return null;
        _folder ??= Directory.EnumerateDirectories("/proc").FirstOrDefault(each => IsProcess(each) && IsOurs(each));
        if (_folder is null || Stat(_folder) is not { } stat) return null;
        return TimeSpan.FromSeconds((Number(stat[UserTicks]) + Number(stat[SystemTicks])) / TicksPerSecond);
    }

    private static bool IsProcess(string folder) => char.IsAsciiDigit(Path.GetFileName(folder)[0]);

    private bool IsOurs(string folder)
    {
        if (Stat(folder) is not { } stat || Number(stat[Parent]) != Environment.ProcessId) return false;
        return File.ReadAllText(Path.Combine(folder, "cmdline")).Contains(script, StringComparison.Ordinal);
    }

    // What follows the program's name, which is in parentheses and may hold anything.
    private static string[]? Stat(string folder)
    {
        try
        {
            var text = File.ReadAllText(Path.Combine(folder, "stat"));
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null; // no process, or it has just ended
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
