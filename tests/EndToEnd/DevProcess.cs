using System.Diagnostics;
using System.Globalization;
using Outpost.Tests.Testing;

namespace Outpost.Tests.EndToEnd;

/// <summary>`dotnet run dev.cs …` as a person starts it, and what it prints.</summary>
internal sealed class DevProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly Task _output;

    private DevProcess(Process process)
    {
        _process = process;
        _output = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    public static DevProcess Start(params string[] arguments) => new(Process.Start(
        new ProcessStartInfo("dotnet", ["run", "dev.cs", .. arguments])
        {
            WorkingDirectory = Path.GetFullPath(Path.Combine(ServiceBusEmulator.Folder, "..", "..")),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);

    /// <summary>Everything on free ports; the rest of the options as given.</summary>
    public static DevProcess Up(params string[] options) => Start(
        ["up", "--port", "0", "--tables-port", "0", "--bus-port", "0", .. options]);

    /// <summary>What follows <paramref name="start"/> on the first line that begins so.</summary>
    public async Task<string> LineAsync(string start)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Patience; await Task.Delay(50))
        {
            if (Lines.FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal)) is { } line) return line[start.Length..];
            if (_process.HasExited) break;
        }

        throw new InvalidOperationException($"No line '{start}…' among:\n{string.Join('\n', Lines)}");
    }

    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-s", signal, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        await _output.WaitAsync(Patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await SignalAsync("TERM");
        await _process.WaitForExitAsync().WaitAsync(Patience);
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_lines) _lines.Add(line);
        }
    }
}
