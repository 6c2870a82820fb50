using System.Diagnostics;

namespace Outpost.Tests.EndToEnd;

/// <summary>
/// A program that a test starts: its lines, its end, and a standard input that closes with this process, so that
/// nothing outlives the tests.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    // A build that comes first takes minutes on a slow machine.
    private static readonly TimeSpan LineWithin = TimeSpan.FromMinutes(6);
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly List<(string Prefix, TaskCompletionSource<string> Found)> _waiting = [];

    private ChildProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public string Output
    {
        get
        {
            lock (_lines) return string.Join('\n', _lines);
        }
    }

    public static ChildProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder ?? Repository.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var child = new ChildProcess(process);
        process.OutputDataReceived += (_, e) => child.Take(e.Data);
        process.ErrorDataReceived += (_, e) => child.Take(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Runs to the end and answers what it printed.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, TimeSpan? within = null, string? folder = null)
    {
        await using var child = Start(program, arguments, environment, folder);
        var exitCode = await child.ExitAsync(within);
        return (exitCode, child.Output);
    }

    /// <summary>The rest of the first line that starts so.</summary>
    public async Task<string> LineAsync(string prefix)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lines)
        {
            if (_lines.Find(line => line.StartsWith(prefix, StringComparison.Ordinal)) is { } line) return line[prefix.Length..];
            _waiting.Add((prefix, found));
        }

        var ended = _process.WaitForExitAsync();
        if (await Task.WhenAny(found.Task, ended).WaitAsync(LineWithin) == ended && !found.Task.IsCompleted)
            throw new InvalidOperationException($"It ended without saying '{prefix}':\n{Output}");
        return await found.Task;
    }

    public async Task<int> ExitAsync(TimeSpan? within = null)
    {
        await _process.WaitForExitAsync().WaitAsync(within ?? LineWithin);
        return _process.ExitCode;
    }

    /// <summary>SIGKILL: no chance to finish anything.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as an orderly stop.</summary>
    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        return await ExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null) return;
        lock (_lines)
        {
            _lines.Add(line);
            foreach (var (prefix, found) in _waiting)
            {
                if (line.StartsWith(prefix, StringComparison.Ordinal)) found.TrySetResult(line[prefix.Length..]);
            }
        }
    }
}

/// <summary>Where things are.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>The configuration these tests were built in.</summary>
    public static string Configuration { get; } =
        AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";

    private static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Functions.sln"))) return folder;
        }

        throw new InvalidOperationException("The tests do not run below the repository.");
    }
}
