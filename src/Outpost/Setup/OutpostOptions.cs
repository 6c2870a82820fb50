using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Outpost.Forwarding;
using Outpost.Retention;

namespace Outpost;

/// <summary>Options of Outpost in this app. Each has a setting (docs/reference.md). A value that code sets wins over the setting.</summary>
public sealed class OutpostOptions
{
    private const int SecondsMax = 7 * 24 * 3600;

    /// <summary>The setting for the timer's schedule. Its name is flat, because the scale controller knows no sections.</summary>
    internal const string ScheduleSetting = "FORWARDER_SCHEDULE";

    /// <summary>The default schedule of an app that ticks by itself: every 10 seconds.</summary>
    internal const string ScheduleDefault = "*/10 * * * * *";

    /// <summary>CloudEvents source of every event: a URI reference of 1 to 200 characters. Default <c>/outpost</c>.</summary>
    public string Source { get; set; } = "/outpost";

    /// <summary>
    /// Base URL in references and links, without a slash at the end. Null by default: then links are relative, and references use the
    /// host's name.
    /// </summary>
    public string? PublicUrl { get; set; }

    /// <summary>
    /// URL of the dashboard's links to traces, with <c>{traceId}</c>, and perhaps <c>{spanId}</c>, in it. Null by default: then there are
    /// no links.
    /// </summary>
    public string? TraceUrl { get; set; }

    /// <summary>Schedule of the timer: a six-field NCRONTAB expression. In Azure Functions, the host reads the setting itself.</summary>
    public string? Schedule { get; set; }

    /// <summary>
    /// Whether this process ticks by itself, by <see cref="Schedule"/>, or every 10 s if that is null. A function app uses the timer of
    /// its host instead. Default true.
    /// </summary>
    public bool HasOwnTimer { get; set; } = true;

    /// <summary>Where a new forwarder starts. Default: with the oldest entry.</summary>
    public StartAt StartAt { get; set; } = StartAt.Oldest;

    /// <summary>How long a forwarder stays awake after work: 0 to 10 minutes. Default 5 s.</summary>
    public TimeSpan Linger { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The shortest time between two looks while a forwarder is awake: 10 ms to a minute. As long as looks find nothing, the time
    /// between them grows (docs/adr/0029). Default 100 ms.
    /// </summary>
    public TimeSpan Poll { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>An entry that waits longer than this for a target is late, unless the target has its own value: 1 s to 7 days. Default 60 s.</summary>
    public TimeSpan Within { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>After this many refusals in a row, no more entries are parked: 0 (no limit) to 10,000. Default 10.</summary>
    public int RefusalsInARow { get; set; } = 10;

    /// <summary>Forwarded entries older than this are deleted: 1 hour to 36,500 days. Null by default: then none are deleted.</summary>
    public TimeSpan? KeepEvents { get; set; }

    /// <summary>Receipts of idempotency keys older than this are deleted: 1 hour to a year. Default 48 hours.</summary>
    public TimeSpan KeepReceipts { get; set; } = TimeSpan.FromHours(48);

    /// <summary>How long caches may keep a final page: 0 to a year. Default a day.</summary>
    public TimeSpan FinalMaxAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How many readers may wait at once in this process: 0 to 10,000. Default 50.</summary>
    public int WaitersMax { get; set; } = 50;

    /// <summary>
    /// The shortest time for which an event is kept; null means for ever. It is never shorter than <see cref="KeepReceipts"/>, since
    /// only the event leads to its receipt.
    /// </summary>
    public TimeSpan? EventsAtLeast => new RetentionOptions(KeepEvents, KeepReceipts).EventsAtLeast;

    /// <summary>
    /// How handlers read payloads. You can add the source-generated context of your events to its resolvers. Default: camelCase names,
    /// by reflection.
    /// </summary>
    public JsonSerializerOptions Json { get; } = new(JsonSerializerOptions.Web);

    /// <summary>Base URL in references to payloads: <see cref="PublicUrl"/>, or the host's own name.</summary>
    public string BaseUrl => PublicUrl ?? _hostUrl;

    private string _hostUrl = "http://localhost:7071";

    /// <summary>Takes the values of the settings.</summary>
    /// <exception cref="InvalidSettingException">A setting has a value that is not allowed.</exception>
    internal void Read(IConfiguration configuration)
    {
        var read = new SettingReader(configuration);
        Source = read.Text("Outpost__Source", Source, SourceAllowed, IsSource);
        if (read.OptionalText("Dashboard__TraceUrl") is { } trace) TraceUrl = read.Text("Dashboard__TraceUrl", trace, TraceAllowed, IsTraceUrl);
        if (read.OptionalText("Outpost__PublicUrl") is { } url) PublicUrl = read.Text("Outpost__PublicUrl", url, UrlAllowed, IsHttpUrl).TrimEnd('/');
        _hostUrl = HostUrl(configuration["WEBSITE_HOSTNAME"]);
        if (read.OptionalText("Forwarder__Schedule") is not null)
            throw new InvalidSettingException($"Forwarder__Schedule: is not allowed any more; name it {ScheduleSetting}.");
        Schedule = read.OptionalText(ScheduleSetting);
        StartAt = read.Text("Forwarder__StartAt", "oldest", "oldest or head", value => value is "oldest" or "head") == "head" ? StartAt.Head : StartAt.Oldest;
        Linger = TimeSpan.FromSeconds(read.Number("Forwarder__LingerSeconds", 5, 0, 600));
        Poll = TimeSpan.FromMilliseconds(read.Number("Forwarder__PollMilliseconds", 100, 10, 60_000));
        Within = TimeSpan.FromSeconds(read.Number("Forwarder__WithinSeconds", 60, 1, SecondsMax));
        RefusalsInARow = read.Number("Forwarder__RefusalsInARow", 10, 0, 10_000);
        KeepEvents = read.Number("Retention__Days", 0, 0, 36_500) is > 0 and var days ? TimeSpan.FromDays(days) : null;
        KeepReceipts = TimeSpan.FromHours(read.Number("Idempotency__Hours", 48, 1, 8760));
        FinalMaxAge = TimeSpan.FromSeconds(read.Number("Feed__MaxAgeSeconds", 86_400, 0, 31_536_000));
        WaitersMax = read.Number("Feed__WaitersMax", 50, 0, 10_000);
    }

    /// <summary>What is wrong with the values that code has set, in words; empty if nothing is.</summary>
    internal IEnumerable<string> Problems()
    {
        if (!IsSource(Source)) yield return $"{nameof(Source)}: '{Source}' is not allowed; {SourceAllowed} is.";
        if (PublicUrl is not null && !IsHttpUrl(PublicUrl)) yield return $"{nameof(PublicUrl)}: '{PublicUrl}' is not allowed; {UrlAllowed} is.";
        if (TraceUrl is not null && !IsTraceUrl(TraceUrl)) yield return $"{nameof(TraceUrl)}: '{TraceUrl}' is not allowed; {TraceAllowed} is.";
        if (!Enum.IsDefined(StartAt)) yield return $"{nameof(StartAt)}: '{StartAt}' is not allowed; Oldest or Head is.";
        if (Out(Linger, TimeSpan.Zero, TimeSpan.FromMinutes(10))) yield return $"{nameof(Linger)}: {Linger} is not allowed; 0 to 10 minutes are.";
        if (Out(Poll, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1))) yield return $"{nameof(Poll)}: {Poll} is not allowed; 10 ms to a minute are.";
        if (Out(Within, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(SecondsMax))) yield return $"{nameof(Within)}: {Within} is not allowed; 1 s to 7 days are.";
        if (RefusalsInARow is < 0 or > 10_000) yield return $"{nameof(RefusalsInARow)}: {RefusalsInARow} is not allowed; 0 to 10000 are.";
        if (KeepEvents is { } events && Out(events, TimeSpan.FromHours(1), TimeSpan.FromDays(36_500))) yield return $"{nameof(KeepEvents)}: {events} is not allowed; 1 hour to 36500 days are, or null.";
        if (Out(KeepReceipts, TimeSpan.FromHours(1), TimeSpan.FromHours(8760))) yield return $"{nameof(KeepReceipts)}: {KeepReceipts} is not allowed; 1 hour to a year are.";
        if (Out(FinalMaxAge, TimeSpan.Zero, TimeSpan.FromDays(365))) yield return $"{nameof(FinalMaxAge)}: {FinalMaxAge} is not allowed; 0 to a year are.";
        if (WaitersMax is < 0 or > 10_000) yield return $"{nameof(WaitersMax)}: {WaitersMax} is not allowed; 0 to 10000 are.";
    }

    private const string SourceAllowed = "a URI reference of 1 to 200 characters";
    private const string TraceAllowed = "an absolute http or https URL with {traceId} in it";
    private const string UrlAllowed = "an absolute http or https URL";

    private static bool Out(TimeSpan value, TimeSpan min, TimeSpan max) => value < min || value > max;

    private static bool IsSource(string source) =>
        source.Length is >= 1 and <= 200 && Uri.TryCreate(source, UriKind.RelativeOrAbsolute, out _) && !source.Any(char.IsWhiteSpace);

    private static bool IsTraceUrl(string url) =>
        url.Contains("{traceId}", StringComparison.Ordinal) && Uri.TryCreate(url, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https");

    private static bool IsHttpUrl(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Query.Length == 0 && uri.Fragment.Length == 0;

    // WEBSITE_HOSTNAME is the name of this app in Azure, and localhost:port in Core Tools.
    private static string HostUrl(string? host) => host switch
    {
        null or "" => "http://localhost:7071",
        _ when host.StartsWith("localhost", StringComparison.OrdinalIgnoreCase) || host.StartsWith("127.", StringComparison.Ordinal) => $"http://{host}",
        _ => $"https://{host}",
    };
}

/// <summary>Checks the values that code has set.</summary>
internal sealed class OutpostOptionsCheck : IValidateOptions<OutpostOptions>
{
    public ValidateOptionsResult Validate(string? name, OutpostOptions options) =>
        options.Problems().ToList() is { Count: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
}
