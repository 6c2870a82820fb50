using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.RegularExpressions;

namespace Outpost.Tests.Testing;

/// <summary>
/// The Service Bus emulator of <c>infra/local</c>: one per test run, started by the first test that needs it, with a
/// topic of its own for every test that asks. It ends when this process does, however that ends: it watches its
/// standard input, which only this process holds open.
/// </summary>
public static partial class ServiceBusEmulator
{
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(30);
    private static readonly Lazy<Task<Running>> Started = new(StartAsync);

    /// <summary>Where the emulator and the packages it uses are.</summary>
    public static string Folder => Path.Combine(RepositoryRoot(), "infra", "local");

    public static async Task<string> ConnectionStringAsync() => (await Started.Value).ConnectionString;

    /// <summary>A topic nobody else uses, with the subscriptions `orders` (sessions) and `all` (none) unless told.</summary>
    public static async Task<string> NewTopicAsync(
        bool duplicateDetection = true, params ServiceBusSubscription[] subscriptions)
    {
        var topic = $"topic-{Guid.NewGuid():n}";
        ServiceBusSubscription[] wanted = subscriptions is []
            ? [new("orders", RequiresSession: true), new("all", RequiresSession: false)]
            : subscriptions;
        await PutAsync(topic, new
        {
            Properties = new { RequiresDuplicateDetection = duplicateDetection, DuplicateDetectionHistoryTimeWindow = "PT1H" },
            Subscriptions = wanted.Select(each => new { each.Name, Properties = new { each.RequiresSession } }),
        });
        return topic;
    }

    /// <summary>A topic whose messages and batches may have this many kilobytes, without subscriptions unless told.</summary>
    public static async Task<string> NewTopicAsync(int kilobytes, bool subscriptions)
    {
        var topic = $"topic-{Guid.NewGuid():n}";
        object[] wanted = subscriptions ? [new { Name = "all" }] : [];
        await PutAsync(topic, new
        {
            Properties = new { RequiresDuplicateDetection = true, DuplicateDetectionHistoryTimeWindow = "PT1H", MaxMessageSizeInKilobytes = kilobytes },
            Subscriptions = wanted,
        });
        return topic;
    }

    /// <summary>
    /// From now on sends to <paramref name="entity"/> fail in this way, <paramref name="times"/> times (for ever when
    /// null), or only those that carry a message whose id matches.
    /// </summary>
    public static Task SetFaultAsync(
        string entity, ServiceBusFault fault, int? times = null, string? messageIdPattern = null)
    {
        var body = new Dictionary<string, object> { ["mode"] = ModeOf(fault) };
        if (times is { } number) body["times"] = number;
        if (messageIdPattern is not null) body["messageIdPattern"] = messageIdPattern;
        return PutAsync($"$faults/{entity}", body);
    }

    private static async Task PutAsync(string path, object body)
    {
        var emulator = await Started.Value;
        using var response = await emulator.Http.PutAsJsonAsync(path, body, JsonOptions);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(
                $"PUT /{path} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        }
    }

    private static System.Text.Json.JsonSerializerOptions JsonOptions { get; } = new();

    private static string ModeOf(ServiceBusFault fault) => fault switch
    {
        ServiceBusFault.None => "none",
        ServiceBusFault.Busy => "busy",
        ServiceBusFault.EntityDisabled => "entity-disabled",
        ServiceBusFault.Unauthorized => "unauthorized",
        ServiceBusFault.Reset => "reset",
        ServiceBusFault.Hang => "hang",
        ServiceBusFault.AcceptThenReset => "accept-then-reset",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };

    private static async Task<Running> StartAsync()
    {
        var main = Path.Combine(Folder, "servicebus", "main.mjs");
        var process = Process.Start(new ProcessStartInfo("node", [main, "--port", "0", "--exit-with-stdin"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(StartsWithin);
        while (await process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            if (Ready().Match(line) is not { Success: true } ready) continue;
            _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return new Running(process, ready.Groups["string"].Value, new Uri($"http://{ready.Groups["address"].Value}/"));
        }

        throw new InvalidOperationException($"The Service Bus emulator did not start: {await errors}");
    }

    private static string RepositoryRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Functions.sln"))) return folder;
        }

        throw new InvalidOperationException("The tests do not run below the repository.");
    }

    [GeneratedRegex("^Service Bus emulator: (?<string>Endpoint=sb://(?<address>[^;/]+).*)$")]
    private static partial Regex Ready();

    /// <summary>Holding the process keeps its standard input open.</summary>
    private sealed record Running(Process Process, string ConnectionString, Uri Address)
    {
        public HttpClient Http { get; } = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Address };
    }
}

/// <summary>A subscription of a test's own topic.</summary>
public sealed record ServiceBusSubscription(string Name, bool RequiresSession);

/// <summary>How the emulator can be told to fail the sends to one entity.</summary>
public enum ServiceBusFault
{
    None,
    Busy,
    EntityDisabled,
    Unauthorized,
    Reset,

    /// <summary>Takes the request and never answers.</summary>
    Hang,

    /// <summary>Accepts the messages, then drops the connection instead of saying so.</summary>
    AcceptThenReset,
}
