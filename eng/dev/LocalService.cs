using System.Diagnostics;

namespace Outpost.Dev;

/// <summary>
/// A program that runs for as long as <c>up</c> does. It ends when its standard input does. Only this process holds
/// that input, so the program also ends when this process is killed.
/// </summary>
internal sealed class LocalService : IAsyncDisposable
{
    private const int LastLinesMax = 10;
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(12);
    private readonly Queue<string> _lastLines = new();
    private readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;
    private readonly string _readyStart;
    private readonly Task _output;

    private LocalService(string name, Process process, string readyStart)
    {
        Name = name;
        _process = process;
        _readyStart = readyStart;
        _output = Task.WhenAll(ReadAsync(process.StandardOutput, mayBeReady: true), ReadAsync(process.StandardError, mayBeReady: false));
        Ended = process.WaitForExitAsync(CancellationToken.None);
    }

    public string Name { get; }

    public Task Ended { get; }

    /// <summary>
    /// Starts the program. The line that begins with <paramref name="readyStart"/> says that it is ready, and
    /// <see cref="ReadyAsync"/> returns the rest of that line.
    /// </summary>
    public static LocalService Start(
        string name,
        string readyStart,
        string folder,
        IEnumerable<string> command,
        IReadOnlyDictionary<string, string>? settings = null)
    {
        string[] words = [.. command];
        var start = Shell.StartInfo(words[0], words[1..], folder);
        foreach (var (setting, value) in settings ?? new Dictionary<string, string>())
        {
            if (!start.Environment.ContainsKey(setting)) start.Environment[setting] = value; // the caller's own wins
        }

        return new LocalService(name, Shell.Start(start), readyStart);
    }

    public async Task<string> ReadyAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        try
        {
            var first = await Task.WhenAny(_ready.Task, Ended).WaitAsync(within, cancellationToken);
            return first == _ready.Task ? await _ready.Task : throw await DeathAsync(cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new DevException(
                $"{Name} was not ready after {within.TotalSeconds} seconds; its last lines:\n{LastLines()}");
        }
    }

    /// <summary>
    /// The exception to throw where the program ended although nobody asked it to. A Ctrl-C may reach it a moment
    /// before it reaches this process, so the wait is short.
    /// </summary>
    public async Task<DevException> DeathAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(300), cancellationToken);
        await Task.WhenAny(_output, Task.Delay(TimeSpan.FromSeconds(1), cancellationToken));
        return new DevException(
            $"{Name} ended by itself with exit code {_process.ExitCode}; everything is stopped. "
            + $"Its last lines:\n{LastLines()}");
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program has ended already.
        }

        await Task.WhenAny(Ended, Task.Delay(StopsWithin));
        if (!_process.HasExited)
        {
            Console.Error.WriteLine($"{Name} did not stop within {StopsWithin.TotalSeconds} seconds and is killed.");
            _process.Kill(entireProcessTree: true);
            await Task.WhenAny(Ended, Task.Delay(StopsWithin));
        }

        await Task.WhenAny(_output, Task.Delay(TimeSpan.FromSeconds(1)));
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader, bool mayBeReady)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_lastLines)
            {
                if (_lastLines.Count == LastLinesMax) _lastLines.Dequeue();
                _lastLines.Enqueue(line);
            }

            // `up` says this in its own words and order, so the line is not printed.
            var isReady = mayBeReady && line.StartsWith(_readyStart, StringComparison.Ordinal)
                && _ready.TrySetResult(line[_readyStart.Length..]);
            if (!isReady) Console.WriteLine(line);
        }
    }

    private string LastLines()
    {
        lock (_lastLines) return string.Join('\n', _lastLines.Select(line => "  " + line));
    }
}
