using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Outpost.Tests.Integration.LocalHost;

/// <summary>LocalHost as a process of its own, with the sample app's worker, on a free port.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly List<(string Text, TaskCompletionSource<string> Found)> _awaited = [];
    private readonly string _leaveFile = Path.Combine(Path.GetTempPath(), $"outpost-leave-{Guid.NewGuid():N}");
    private readonly Task _output;

    private HostProcess(IEnumerable<string> options, string root, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Outpost.LocalHost.dll"), "--root", root, "--port", "0", "--exit-with-stdin", .. options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LEAVE_FILE"] = _leaveFile;
        start.Environment["TICK_SCHEDULE"] = "0 0 0 * * *";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
        _output = Task.WhenAll(ReadAsync(_process.StandardOutput, Printed), ReadAsync(_process.StandardError, Errors));
    }

    /// <summary>The folder of the sample app as it was built.</summary>
    public static string SampleApp { get; } = Folder("tests", "SampleApp");

    public List<string> Printed { get; } = [];

    public List<string> Errors { get; } = [];

    public HttpClient Http { get; } = new();

    private static string Configuration =>
        AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";

    public static HostProcess Begin(IEnumerable<string>? options = null, string? root = null, Dictionary<string, string>? environment = null) =>
        new(options ?? [], root ?? SampleApp, environment ?? []);

    public static async Task<HostProcess> StartAsync(IEnumerable<string>? options = null, string? root = null, Dictionary<string, string>? environment = null)
    {
        var host = Begin(options, root, environment);
        host.Http.BaseAddress = new Uri((await host.LineAsync("Ready: "))["Ready: ".Length..]);
        return host;
    }

    public static string Folder(string parent, string project)
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Functions.sln"))) return Path.Combine(folder, parent, project, "bin", Configuration, "net10.0");
        }

        throw new InvalidOperationException("The tests do not run below the repository.");
    }

    /// <summary>A copy of the sample app's folder with files of the test's own.</summary>
    public static string CopyOfSampleApp(params (string Name, string Text)[] files)
    {
        var copy = Directory.CreateTempSubdirectory("outpost-sample-").FullName;
        foreach (var file in Directory.GetFiles(SampleApp)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        foreach (var (name, text) in files) File.WriteAllText(Path.Combine(copy, name), text);
        return copy;
    }

    /// <summary>The first line, of either stream, that has the text in it.</summary>
    public async Task<string> LineAsync(string text)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lines)
        {
            if (_lines.Find(line => line.Contains(text, StringComparison.Ordinal)) is { } line) return line;
            _awaited.Add((text, found));
        }

        if (await Task.WhenAny(found.Task, _output).WaitAsync(Patience) == found.Task) return await found.Task;
        throw new InvalidOperationException($"No line with '{text}' among:\n{string.Join('\n', _lines)}");
    }

    /// <summary>What the function waits for that stays.</summary>
    public void LetGo() => File.WriteAllText(_leaveFile, "");

    /// <summary>The processes of its workers.</summary>
    public IReadOnlyList<int> Workers() =>
    [
        .. Directory.GetDirectories($"/proc/{_process.Id}/task")
            .SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(id => int.Parse(id, CultureInfo.InvariantCulture)),
    ];

    public async Task SignalAsync(string signal, int? process = null)
    {
        using var kill = Process.Start("kill", ["-s", signal, $"{process ?? _process.Id}"]);
        await kill.WaitForExitAsync();
    }

    public void EndInput() => _process.StandardInput.Close();

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        await _output.WaitAsync(Patience);
        return _process.ExitCode;
    }

    /// <summary>The status line that the raw request is answered with.</summary>
    public async Task<string?> RawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Http.BaseAddress!.Host, Http.BaseAddress.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync();
    }

    public async ValueTask DisposeAsync()
    {
        LetGo();
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Http.Dispose();
        File.Delete(_leaveFile);
    }

    private async Task ReadAsync(StreamReader reader, List<string> stream)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_lines)
            {
                stream.Add(line);
                _lines.Add(line);
                foreach (var (text, found) in _awaited)
                {
                    if (line.Contains(text, StringComparison.Ordinal)) found.TrySetResult(line);
                }
            }
        }
    }
}
