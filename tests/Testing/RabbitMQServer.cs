using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Outpost.Tests.Testing;

/// <summary>
/// A RabbitMQ node of this test run, on loopback: free ports, a folder and a name of its own. One is shared by all tests; a
/// test that breaks its node starts another. It ends when this process does, however that ends: its script watches its
/// standard input, which only this process holds open.
/// </summary>
internal sealed class RabbitMQServer : IAsyncDisposable
{
    /// <summary>The largest message that it takes.</summary>
    public const int MessageBytesMax = 300_000;

    // Debian's and Ubuntu's package; what is on the path there drops root's rights.
    private const string Program = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    private const string Control = "/usr/lib/rabbitmq/bin/rabbitmqctl";

    // A group of its own, so that all of it ends together; the node would start epmd as a daemon, which would stay. A Ctrl-C
    // reaches the script too, and must not end it before it has ended the node.
    private const string Script = $"""
        trap '' INT TERM HUP
        setsid /bin/sh -c 'epmd & exec {Program}' </dev/null & node=$!
        cat >/dev/null
        kill -s KILL -- -$node
        [ -e keep ] || rm -rf "$HOME"
        """;

    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(90);
    private static readonly Lazy<Task<RabbitMQServer>> Started = new(StartAsync);

    private readonly string _folder = Directory.CreateTempSubdirectory("outpost-rabbitmq-").FullName;
    private readonly Dictionary<string, string> _environment;
    private readonly int _port;
    private Process? _process;

    private RabbitMQServer()
    {
        var ports = FreePorts(3);
        _port = ports[0];
        _environment = new Dictionary<string, string>
        {
            ["HOME"] = _folder,
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["ERL_EPMD_PORT"] = $"{ports[1]}",
            ["RABBITMQ_NODENAME"] = $"outpost{_port}@localhost",
            ["RABBITMQ_DIST_PORT"] = $"{ports[2]}",
            ["RABBITMQ_MNESIA_BASE"] = $"{_folder}/mnesia",
            ["RABBITMQ_LOG_BASE"] = $"{_folder}/log",
            ["RABBITMQ_CONFIG_FILE"] = $"{_folder}/rabbitmq",
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = $"{_folder}/plugins",
            ["RABBITMQ_CONF_ENV_FILE"] = $"{_folder}/no-such-file",
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
        };
        File.WriteAllText($"{_folder}/plugins", "[].");
        File.WriteAllText($"{_folder}/rabbitmq.conf", $"listeners.tcp.1 = 127.0.0.1:{_port}\nmax_message_size = {MessageBytesMax}\n");
    }

    /// <summary>Why its tests are skipped here; null: it is installed.</summary>
    public static string? Missing { get; } = File.Exists(Program) ? null : "RabbitMQ is not installed (Debian and Ubuntu: apt-get install rabbitmq-server).";

    public Uri Uri => new($"amqp://guest:guest@127.0.0.1:{_port}/");

    public int Port => _port;

    /// <summary>The one that tests share.</summary>
    public static Task<RabbitMQServer> SharedAsync() => Started.Value;

    /// <summary>One of a test's own.</summary>
    public static async Task<RabbitMQServer> StartAsync()
    {
        var server = new RabbitMQServer();
        await server.RunAsync();
        return server;
    }

    /// <summary>Starts it on what it had when it was killed.</summary>
    public async Task RunAsync()
    {
        File.Delete($"{_folder}/keep");
        var start = new ProcessStartInfo("/bin/sh", ["-c", Script]) { WorkingDirectory = _folder, RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in _environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(StartsWithin);
        var last = new Queue<string>();
        while (await _process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            if (line.Contains("completed with", StringComparison.Ordinal))
            {
                _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return;
            }

            last.Enqueue(line);
        }

        throw new InvalidOperationException($"RabbitMQ did not start: {string.Join('\n', last.TakeLast(20))}");
    }

    /// <summary>Kills it; its messages are kept.</summary>
    public async Task KillAsync()
    {
        await File.WriteAllTextAsync($"{_folder}/keep", "");
        await EndAsync();
    }

    /// <summary>What an operator types: <c>rabbitmqctl</c> and this.</summary>
    public async Task ControlAsync(params string[] words)
    {
        var start = new ProcessStartInfo(Control, ["-q", .. words]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in _environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"rabbitmqctl {string.Join(' ', words)}: {await output}{await errors}");
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete($"{_folder}/keep");
        await EndAsync();
    }

    private async Task EndAsync()
    {
        if (_process is null) return;
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    // Held together, so that they differ.
    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        listeners.ForEach(listener => listener.Dispose());
        return ports;
    }
}

/// <summary>A test that needs RabbitMQ: skipped, and said so, where it is not installed.</summary>
internal sealed class RabbitMQFactAttribute : FactAttribute
{
    public RabbitMQFactAttribute() => Skip = RabbitMQServer.Missing;
}

/// <summary>A theory that needs RabbitMQ.</summary>
internal sealed class RabbitMQTheoryAttribute : TheoryAttribute
{
    public RabbitMQTheoryAttribute() => Skip = RabbitMQServer.Missing;
}
