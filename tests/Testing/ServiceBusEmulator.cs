using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Outpost.Tests.Testing;

/// <summary>
/// The Service Bus emulator of <c>infra/local</c>: one per test run, started by the first test that needs it, with a
/// topic of its own for every test that asks. It ends when this process does, however that ends: it watches its
/// standard input, which only this process holds open.
/// </summary>
internal static partial class ServiceBusEmulator
{
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(30);
    private static readonly Lazy<Task<Running>> Started = new(() => StartAsync("--port", "0"));

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

    /// <summary>Creates or changes a topic or queue: <paramref name="item"/> is one of the configuration's file.</summary>
    public static Task DefineAsync(string name, object item) => PutAsync(name, item);

    /// <summary>What a queue, or one subscription of a topic, holds now.</summary>
    public static async Task<ServiceBusCounts> CountsAsync(string entity, string? subscription = null)
    {
        var emulator = await Started.Value;
        var description = await emulator.Http.GetFromJsonAsync<JsonElement>(entity);
        return description.GetProperty("messages").GetProperty(subscription ?? entity).Deserialize<ServiceBusCounts>(JsonSerializerOptions.Web)!;
    }

    /// <summary>From now on a topic takes no more than this in one message or batch; links opened before do not know.</summary>
    public static Task LimitAsync(string topic, int kilobytes) => PutAsync(topic, new
    {
        Properties = new { RequiresDuplicateDetection = true, DuplicateDetectionHistoryTimeWindow = "PT1H", MaxMessageSizeInKilobytes = kilobytes },
        Subscriptions = new[] { new { Name = "all" } },
    });

    /// <summary>
    /// From now on sends to <paramref name="entity"/> fail in this way, <paramref name="times"/> times (for ever when
    /// null), or only those that carry a message whose id matches. Another call replaces the fault, <see
    /// cref="ServiceBusFault.None"/> ends it.
    /// </summary>
    public static Task SetFaultAsync(
        string entity, ServiceBusFault fault, int? times = null, string? messageIdPattern = null) =>
        SetFaultAsync(entity, new ServiceBusFaultWish(fault) { Times = times, MessageIdPattern = messageIdPattern });

    /// <summary>From now on sends to <paramref name="entity"/>, or the links for them, meet this fault.</summary>
    public static Task SetFaultAsync(string entity, ServiceBusFaultWish wish)
    {
        var body = new Dictionary<string, object>
        {
            ["mode"] = NameOf(wish.Fault),
            ["scope"] = NameOf(wish.Scope),
            ["on"] = wish.OnAttach ? "attach" : "send",
        };
        if (wish.Times is { } times) body["times"] = times;
        if (wish.Delay is { } delay) body["delayMs"] = (int)delay.TotalMilliseconds;
        if (wish.BytesPerSecond is { } bytes) body["bytesPerSecond"] = bytes;
        if (wish.MessageIdPattern is { } pattern) body["messageIdPattern"] = pattern;
        return PutAsync($"$faults/{entity}", body);
    }

    /// <summary>How often the present fault was met: sends, links or connections, by its scope.</summary>
    public static async Task<int> FaultsMetAsync(string entity)
    {
        var emulator = await Started.Value;
        var fault = await emulator.Http.GetFromJsonAsync<JsonElement>($"$faults/{entity}");
        return fault.GetProperty("met").GetInt32();
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

    private static JsonSerializerOptions JsonOptions { get; } = new();

    private static string NameOf<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    /// <summary>One more emulator, for a test that kills it.</summary>
    public static async Task<Running> StartAsync(params string[] options)
    {
        var main = Path.Combine(Folder, "servicebus", "main.mjs");
        var process = Process.Start(new ProcessStartInfo("node", [main, "--exit-with-stdin", .. options])
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
    internal sealed record Running(Process Process, string ConnectionString, Uri Address)
    {
        public HttpClient Http { get; } = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Address };
    }
}

/// <summary>A subscription of a test's own topic.</summary>
internal sealed record ServiceBusSubscription(string Name, bool RequiresSession);

/// <summary>How many messages a queue or subscription holds, by what became of them.</summary>
internal sealed record ServiceBusCounts(int Active, int Locked, int Deferred, int DeadLettered);

/// <summary>A fault and when it is met.</summary>
internal sealed record ServiceBusFaultWish(ServiceBusFault Fault)
{
    /// <summary>How many sends, links or connections meet it; null is all that come.</summary>
    public int? Times { get; init; }

    public ServiceBusFaultScope Scope { get; init; } = ServiceBusFaultScope.Send;

    /// <summary>Met when a link for sending is opened, not when something is sent.</summary>
    public bool OnAttach { get; init; }

    /// <summary>How long each send, or the answer to an attach, is held back first.</summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>Each send is held back first for as long as it would take at this speed.</summary>
    public int? BytesPerSecond { get; init; }

    public string? MessageIdPattern { get; init; }
}

/// <summary>What a fault is met by, and what its number of times counts.</summary>
public enum ServiceBusFaultScope
{
    /// <summary>Each send by itself.</summary>
    Send,

    /// <summary>A link, with everything sent on it for as long as it lives or the fault does.</summary>
    Link,

    /// <summary>A connection, with all its links, for as long as it lives or the fault does.</summary>
    Connection,
}

/// <summary>How the emulator can be told to fail the sends to one entity.</summary>
public enum ServiceBusFault
{
    None,
    Busy,

    /// <summary>As busy, in the words of a namespace that limits how much is sent.</summary>
    Throttled,
    QuotaExceeded,

    /// <summary>The service says that it took too long.</summary>
    TimedOut,
    EntityDisabled,
    Unauthorized,
    InternalError,

    /// <summary>Neither takes the messages nor ever answers; the connection lives.</summary>
    Hang,

    /// <summary>Takes the messages and never says so; the connection lives.</summary>
    AcceptThenHang,

    /// <summary>Takes the messages after the delay, or at the speed, that goes with it.</summary>
    Slow,

    /// <summary>Does not take the messages and closes the link with an error; the connection lives.</summary>
    Detach,

    /// <summary>Does not take the messages and drops the connection.</summary>
    Reset,

    /// <summary>Takes the messages, then drops the connection instead of saying so.</summary>
    AcceptThenReset,

    /// <summary>From now on nothing is read from the connection or written to it, and it is not closed: half-open.</summary>
    Silence,
}
