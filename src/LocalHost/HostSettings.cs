using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Outpost.LocalHost;

/// <summary>
/// Merges <c>host.json</c>, <c>local.settings.json</c> and the environment as the Functions tools do. A local setting
/// becomes an environment variable, unless one of that name has a value. <c>__</c> in a name means <c>:</c>.
/// <c>host.json</c> is the section <c>AzureFunctionsJobHost</c>, which the environment can override.
/// </summary>
internal static partial class HostSettings
{
    private const string HostSection = "AzureFunctionsJobHost";

    // The runtime's timers cannot count longer than this.
    private static readonly TimeSpan FunctionTimeoutMax = TimeSpan.FromDays(49);

    private static readonly KeyValuePair<string, string?>[] Defaults =
    [
        new("Logging:LogLevel:Default", "Information"),
        new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"),
        new("Logging:LogLevel:Microsoft.Hosting", "Warning"),
        new("Logging:LogLevel:Yarp", "None"),
        new("Logging:LogLevel:Grpc", "Error"),
    ];

    /// <summary>Reads all settings; those of higher precedence replace those of lower.</summary>
    public static Dictionary<string, string?> Load(
        string root, IEnumerable<KeyValuePair<string, string>> environment, Action<string, string> setEnvironment)
    {
        var settings = new Dictionary<string, string?>(Defaults, StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in HostJson(root))
            settings[key] = value;

        var variables = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in environment)
            variables[Key(key)] = value;
        foreach (var (key, value) in LocalValues(root).Where(local => !HasValue(variables, local.Key)))
        {
            variables[Key(key)] = value;
            setEnvironment(key, value);
        }

        foreach (var (key, value) in variables)
            settings[key] = value;
        return settings;
    }

    /// <summary>The first part of every route: <c>api</c> unless <c>host.json</c> says otherwise.</summary>
    public static string RoutePrefix(IConfiguration configuration) =>
        (configuration[$"{HostSection}:extensions:http:routePrefix"] ?? "api").Trim('/');

    /// <summary>The headers that <c>host.json</c> adds to every answer.</summary>
    public static IReadOnlyList<KeyValuePair<string, string?>> CustomHeaders(IConfiguration configuration) =>
        [.. configuration.GetSection($"{HostSection}:extensions:http:customHeaders").GetChildren().Select(header => KeyValuePair.Create(header.Key, header.Value))];

    /// <summary>A limit for requests in <c>host.json</c>; null: none.</summary>
    public static int? HttpLimit(IConfiguration configuration, string name)
    {
        if (configuration[$"{HostSection}:extensions:http:{name}"] is not { Length: > 0 } text) return null;
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var limit) || limit is 0 or < -1)
            throw new StartException($"{name} in host.json is '{text}'; it must be a number above 0, or -1 for no limit.");
        return limit == -1 ? null : limit;
    }

    /// <summary>
    /// How long a run may take before its worker is ended: <c>functionTimeout</c> of <c>host.json</c>. Default 30
    /// minutes, as in Azure.
    /// </summary>
    public static TimeSpan FunctionTimeout(IConfiguration configuration) => configuration[$"{HostSection}:functionTimeout"] switch
    {
        null or "" => TimeSpan.FromMinutes(30),
        "-1" => Timeout.InfiniteTimeSpan,
        var text when TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var timeout) && timeout >= TimeSpan.FromSeconds(1) && timeout < FunctionTimeoutMax => timeout,
        var text => throw new StartException($"functionTimeout in host.json is '{text}'; it must be a time such as 00:10:00, from one second on, or -1 for none."),
    };

    /// <summary>Whether the real host records a span for each request, whether or not it exports it.</summary>
    public static bool RecordsSpans(IConfiguration configuration) =>
        string.Equals(configuration[$"{HostSection}:telemetryMode"], "OpenTelemetry", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads <c>AzureWebJobs.{name}.Disabled</c>. A disabled function is listed, but answers and runs nothing.</summary>
    public static bool IsDisabled(IConfiguration configuration, string function) =>
        bool.TryParse(configuration[$"AzureWebJobs.{function}.Disabled"], out var disabled) && disabled;

    /// <summary>
    /// Replaces each <c>%name%</c> in the text by that setting. An empty setting counts as missing. <c>A:B</c> and
    /// <c>A__B</c> name the same setting.
    /// </summary>
    public static string Expand(IConfiguration configuration, string text, Func<string, string> missing) =>
        Reference().Replace(text, match => match.Groups[1].Value is var name
            && configuration[Key(name)] is { Length: > 0 } value ? value : missing(name));

    private static string Key(string name) => name.Replace("__", ":", StringComparison.Ordinal);

    private static bool HasValue(Dictionary<string, string> variables, string name) =>
        variables.TryGetValue(Key(name), out var value) && value.Length > 0;

    private static IEnumerable<KeyValuePair<string, string?>> HostJson(string root)
    {
        var file = Read(root, "host.json").AsEnumerable();
        foreach (var (key, value) in file.Where(pair => pair.Value is not null))
        {
            yield return new($"{HostSection}:{key}", value);
            if (key.StartsWith("logging:logLevel:", StringComparison.OrdinalIgnoreCase))
                yield return new(key, value);
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> LocalValues(string root)
    {
        var file = Read(root, "local.settings.json");
        if (bool.TryParse(file["IsEncrypted"], out var encrypted) && encrypted)
        {
            throw new StartException(
                "local.settings.json is encrypted, so only `func` can read it. Decrypt it with `func settings decrypt`.");
        }
        return file.GetSection("Values").AsEnumerable(makePathsRelative: true)
            .Where(pair => !string.IsNullOrEmpty(pair.Key) && !string.IsNullOrEmpty(pair.Value))
            .Select(pair => KeyValuePair.Create(pair.Key, pair.Value!));
    }

    private static IConfiguration Read(string root, string name)
    {
        try
        {
            return new ConfigurationBuilder().SetBasePath(root).AddJsonFile(name, optional: true).Build();
        }
        catch (InvalidDataException failure)
        {
            throw new StartException($"{Path.Combine(root, name)}: {failure.GetBaseException().Message}");
        }
    }

    [GeneratedRegex("%([^%]+)%")]
    private static partial Regex Reference();
}
