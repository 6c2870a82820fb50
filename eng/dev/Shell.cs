using System.ComponentModel;
using System.Diagnostics;

namespace Outpost.Dev;

/// <summary>Runs other programs to their end. When this tool is asked to stop, they stop first.</summary>
internal sealed class Shell(CancellationToken stop)
{
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(5);

    public CancellationToken Stopped => stop;

    /// <summary>Settings that turn off compiler and build servers, which would stay behind after a build.</summary>
    private static Dictionary<string, string> BuildEnvironment { get; } = new()
    {
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["UseSharedCompilation"] = "false",
        ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
        ["DOTNET_NOLOGO"] = "1",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
    };

    public static ProcessStartInfo StartInfo(string program, IEnumerable<string> arguments, string folder)
    {
        // On Windows npm is a script, which only the command interpreter runs.
        var start = OperatingSystem.IsWindows() && program == "npm"
            ? new ProcessStartInfo("cmd", ["/c", "npm", .. arguments])
            : new ProcessStartInfo(program, arguments);
        start.WorkingDirectory = folder;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        foreach (var (name, value) in BuildEnvironment) start.Environment[name] = value;
        return start;
    }

    /// <summary>Runs a program and passes each line that it prints to <paramref name="onLine"/> at once.</summary>
    public async Task<ShellResult> RunAsync(
        string program,
        IEnumerable<string> arguments,
        string folder,
        Action<string>? onLine = null,
        TimeSpan? within = null)
    {
        stop.ThrowIfCancellationRequested();
        using var process = Start(StartInfo(program, arguments, folder));
        process.StandardInput.Close();
        var lines = new List<string>();
        var output = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (within is { } time) end.CancelAfter(time);
        try
        {
            await process.WaitForExitAsync(end.Token);
            await output.WaitAsync(StopsWithin, end.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync(process);
            stop.ThrowIfCancellationRequested();
            return new ShellResult(ExitCode: -1, Copy(), TimedOut: true);
        }
        catch (TimeoutException)
        {
            // The program has ended, although something that it started still holds its output open.
        }

        return new ShellResult(process.ExitCode, Copy(), TimedOut: false);

        async Task ReadAsync(StreamReader reader)
        {
            while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
            {
                lock (lines) lines.Add(line);
                onLine?.Invoke(line);
            }
        }

        string[] Copy()
        {
            lock (lines) return [.. lines];
        }
    }

    public static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new DevException(start.FileName switch
            {
                "node" or "npm" => $"{start.FileName} was not found: install Node.js 20 or newer (https://nodejs.org).",
                "dotnet" => "dotnet was not found on the PATH: install the .NET 10 SDK (https://dot.net).",
                var program => $"{program} was not found: install it.",
            });
        }
    }

    /// <summary>Kills a build or an install with its children. It has nothing to tidy up.</summary>
    private static async Task KillAsync(Process process)
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(CancellationToken.None).WaitAsync(StopsWithin, CancellationToken.None)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}

internal sealed record ShellResult(int ExitCode, IReadOnlyList<string> Lines, bool TimedOut)
{
    public bool Succeeded => ExitCode == 0 && !TimedOut;
}
