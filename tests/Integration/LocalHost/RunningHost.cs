using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Outpost.LocalHost;

namespace Outpost.Tests.Integration.LocalHost;

/// <summary>LocalHost in this process with a test's functions, a free port and an environment of its own.</summary>
internal sealed class RunningHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lines _out = new();
    private readonly StringWriter _error = new();

    private RunningHost(
        Type functions, string root, IEnumerable<string> options, Action<IHostApplicationBuilder>? wire,
        IEnumerable<KeyValuePair<string, string>>? environment, TextReader? input) =>
        Ended = Task.Run(() => LocalHostApp.RunAsync(
            ["--port", "0", "--root", root, .. options], new Surroundings
            {
                Functions = [functions],
                Wire = builder =>
                {
                    builder.Services.AddSingleton(Signals);
                    wire?.Invoke(builder);
                },
                Environment = () => environment ?? [],
                SetEnvironment = (key, value) => Set[key] = value,
                In = input ?? TextReader.Null,
                Out = _out,
                Error = _error,
                Stop = _stop.Token,
            })).WaitAsync(TimeSpan.FromSeconds(60));

    public Signals Signals { get; } = new();

    /// <summary>What the host made environment variables of.</summary>
    public Dictionary<string, string> Set { get; } = [];

    /// <summary>The exit code.</summary>
    public Task<int> Ended { get; }

    public IReadOnlyList<string> Printed => _out.Written;

    public string Error => _error.ToString();

    public Uri Address { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public static async Task<RunningHost> StartAsync<TFunctions>(
        IEnumerable<string>? options = null, string? root = null, TextReader? input = null,
        Action<IHostApplicationBuilder>? wire = null, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        var host = new RunningHost(
            typeof(TFunctions), root ?? Path.GetTempPath(), options ?? [], wire, environment, input);
        if (await Task.WhenAny(host._out.Ready, host.Ended) == host.Ended)
            return host;
        host.Address = new Uri(await host._out.Ready);
        host.Http = new HttpClient { BaseAddress = host.Address };
        return host;
    }

    /// <summary>The status line that the raw request is answered with.</summary>
    public async Task<string?> RawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Address.Host, Address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync();
    }

    public void Stop() => _stop.Cancel();

    public async Task<int> StopAsync()
    {
        Stop();
        return await Ended;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Http?.Dispose();
        _stop.Dispose();
    }

    private sealed class Lines : StringWriter
    {
        private readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<string> _written = [];

        public Task<string> Ready => _ready.Task;

        public IReadOnlyList<string> Written => _written;

        public override Task WriteLineAsync(string? value)
        {
            _written.Add(value ?? "");
            if (value?.StartsWith("Ready: ", StringComparison.Ordinal) == true)
                _ready.TrySetResult(value["Ready: ".Length..]);
            return Task.CompletedTask;
        }
    }
}

/// <summary>How a test and its functions tell each other where they are.</summary>
internal sealed class Signals
{
    public Signal Entered { get; } = new();

    public Signal Cancelled { get; } = new();

    public Signal Leave { get; } = new();

    public Signal Left { get; } = new();
}

internal sealed class Signal
{
    private readonly TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsSet => _set.Task.IsCompleted;

    public void Set() => _set.TrySetResult();

    /// <summary>Waits as long as it takes; only where the code is wrong does it give up.</summary>
    public Task Wait() => _set.Task.WaitAsync(TimeSpan.FromSeconds(15));
}
