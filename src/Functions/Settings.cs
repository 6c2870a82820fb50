using System.Globalization;
using Microsoft.Extensions.Configuration;
using Outpost.Forwarding;
using Outpost.AspNetCore;
using Outpost.Retention;

namespace Outpost.Functions;

/// <summary>
/// The app's settings, read and checked once at start. Names are as an environment has them: <c>__</c> separates
/// what a file of settings nests. A bad value stops the start.
/// </summary>
internal sealed record Settings
{
    /// <summary>The setting that the timer's trigger names.</summary>
    public const string ScheduleName = "FORWARDER_SCHEDULE";

    private const int SecondsMax = 7 * 24 * 3600;

    public required Connection TableStorage { get; init; }

    public required Connection? ServiceBus { get; init; }

    public required string TableName { get; init; }

    public required int PartitionCount { get; init; }

    public required string Source { get; init; }

    public required string PublicUrl { get; init; }

    /// <summary>Whether the public URL was said, not guessed.</summary>
    public required Links Links { get; init; }

    public required string? Schedule { get; init; }

    public required string Topic { get; init; }

    public required StartAt StartAt { get; init; }

    public required TimeSpan Linger { get; init; }

    public required TimeSpan Poll { get; init; }

    public required TimeSpan Within { get; init; }

    public required int RefusalsInARow { get; init; }

    public required TimeSpan FinalMaxAge { get; init; }

    public required int WaitersMax { get; init; }

    public required RetentionOptions Retention { get; init; }

    public required Uri? PaymentsUrl { get; init; }

    /// <exception cref="InvalidSettingException">A setting is missing or has a value that is not allowed.</exception>
    public static Settings Read(IConfiguration configuration)
    {
        var read = new SettingReader(configuration);
        return new Settings
        {
            TableStorage = read.Connection("TableStorage", "serviceUri")
                ?? throw new InvalidSettingException(
                    "TableStorage: is missing; a connection string is needed, or TableStorage__serviceUri for managed identity."),
            ServiceBus = read.Connection("ServiceBus", "fullyQualifiedNamespace"),
            TableName = read.Text(
                "Outpost__TableName", "outpost", "3 to 63 letters and digits, the first a letter",
                name => name.Length is >= 3 and <= 63 && char.IsAsciiLetter(name[0]) && name.All(char.IsAsciiLetterOrDigit)),
            PartitionCount = read.Number("Outpost__PartitionCount", 1, 1, Limits.PartitionsMax),
            Source = read.Text(
                "Outpost__Source", "/outpost", "a URI reference of 1 to 200 characters",
                source => source.Length is >= 1 and <= 200 && Uri.TryCreate(source, UriKind.RelativeOrAbsolute, out _) && !source.Any(char.IsWhiteSpace)),
            PublicUrl = read.Text("Outpost__PublicUrl", DefaultPublicUrl(configuration), "an absolute http or https URL", IsHttpUrl).TrimEnd('/'),
            Links = new Links(read.OptionalText("Outpost__PublicUrl")?.TrimEnd('/')),
            Schedule = ReadSchedule(read),
            Topic = read.Text(
                "Forwarder__Topic", "events", "1 to 260 letters, digits and . - _ /",
                topic => topic.Length is >= 1 and <= 260 && topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/')),
            StartAt = read.Text("Forwarder__StartAt", "oldest", "oldest or head", value => value is "oldest" or "head") == "head"
                ? StartAt.Head
                : StartAt.Oldest,
            Linger = TimeSpan.FromSeconds(read.Number("Forwarder__LingerSeconds", 5, 0, 600)),
            Poll = TimeSpan.FromMilliseconds(read.Number("Forwarder__PollMilliseconds", 100, 10, 60_000)),
            Within = TimeSpan.FromSeconds(read.Number("Forwarder__WithinSeconds", 60, 1, SecondsMax)),
            RefusalsInARow = read.Number("Forwarder__RefusalsInARow", 10, 0, 10_000),
            Retention = new RetentionOptions(
                read.Number("Retention__Days", 0, 0, 36_500) is > 0 and var days ? TimeSpan.FromDays(days) : null,
                TimeSpan.FromHours(read.Number("Idempotency__Hours", 48, 1, 8760))),
            PaymentsUrl = read.Text("Payments__Url", "none:", "an absolute http or https URL", url => url == "none:" || IsHttpUrl(url)) is not "none:" and var payments
                ? new Uri(payments)
                : null,
            FinalMaxAge = TimeSpan.FromSeconds(read.Number("Feed__MaxAgeSeconds", 86_400, 0, 31_536_000)),
            WaitersMax = read.Number("Feed__WaitersMax", 50, 0, 10_000),
        };
    }

    // Flat: the scale controller reads the trigger's text itself, and knows no sections.
    private static string? ReadSchedule(SettingReader read) => read.OptionalText("Forwarder__Schedule") is null
        ? read.OptionalText(ScheduleName)
        : throw new InvalidSettingException($"Forwarder__Schedule: is not allowed any more; name it {ScheduleName}.");

    // WEBSITE_HOSTNAME is what Azure (and Core Tools, as localhost:port) call this app.
    private static string DefaultPublicUrl(IConfiguration configuration) => configuration["WEBSITE_HOSTNAME"] switch
    {
        null or "" => "http://localhost:7071",
        var host when host.StartsWith("localhost", StringComparison.OrdinalIgnoreCase) || host.StartsWith("127.", StringComparison.Ordinal) => $"http://{host}",
        var host => $"https://{host}",
    };

    private static bool IsHttpUrl(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Query.Length == 0 && uri.Fragment.Length == 0;

    /// <summary>Reads settings by their names.</summary>
    internal sealed class SettingReader(IConfiguration configuration)
    {
        /// <summary>Whether anything is set in a group; what is not one of these names stops the start: it would do nothing.</summary>
        public bool AllowOnly(string group, params string[] names)
        {
            if (OptionalText(group) is not null) throw new InvalidSettingException($"{group}: is not allowed; it is a group and has {string.Join(", ", names)}.");
            var isSet = false;
            foreach (var section in configuration.GetSection(Key(group)).GetChildren().Where(HasValue))
            {
                isSet = true;
                if (!names.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
                    throw new InvalidSettingException($"{group}__{section.Key}: is not allowed; {group} has {string.Join(", ", names)}.");
            }

            return isSet;
        }

        public string? OptionalText(string name) => configuration[Key(name)] is { Length: > 0 } value ? value : null;

        public string Text(string name, string @default, string allowed, Func<string, bool> isAllowed)
        {
            var value = OptionalText(name) ?? @default;
            return isAllowed(value) ? value : throw new InvalidSettingException(name, value, allowed);
        }

        public int Number(string name, int @default, int min, int max)
        {
            if (OptionalText(name) is not { } value) return @default;
            // Number parsing passes over a NUL at the end.
            return value.All(char.IsAsciiDigit)
                && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
                ? number
                : throw new InvalidSettingException(name, value, string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}"));
        }

        // Azure Functions' convention: a name is either one connection string or a group for managed identity.
        public Connection? Connection(string name, string endpoint)
        {
            if (OptionalText(name) is { } connectionString) return new Connection(connectionString, null, null);
            return OptionalText($"{name}__{endpoint}") is { } address
                ? new Connection(null, address, OptionalText($"{name}__clientId"))
                : null;
        }

        private static bool HasValue(IConfigurationSection section) => !string.IsNullOrEmpty(section.Value) || section.GetChildren().Any(HasValue);

        private static string Key(string name) => name.Replace("__", ":", StringComparison.Ordinal);
    }
}

/// <summary>One service: a connection string, or its address and whose identity is used.</summary>
/// <param name="ConnectionString">Null for managed identity.</param>
/// <param name="Address">Service URI, or fully qualified namespace.</param>
/// <param name="ClientId">A user-assigned identity; null: the system-assigned one, or a developer's own sign-in.</param>
internal sealed record Connection(string? ConnectionString, string? Address, string? ClientId)
{
    // The value may hold a key.
    public override string ToString() => Address ?? "(connection string)";
}

/// <summary>A setting stops the start.</summary>
public sealed class InvalidSettingException : Exception
{
    /// <summary>A setting is missing.</summary>
    public InvalidSettingException(string message)
        : base(message)
    {
    }

    /// <summary>A setting has a value that is not allowed.</summary>
    public InvalidSettingException(string name, string value, string allowed)
        : base($"{name}: {Shown(value)} is not allowed; {allowed} is.")
    {
    }

    // A key in the wrong setting must not end in a log: keys, tokens and connection strings are long, or hold one of these.
    private static string Shown(string value) => value.Length <= 60 && !value.AsSpan().ContainsAny("=;@?")
        ? $"'{value.ReplaceLineEndings(" ")}'"
        : $"this value of {value.Length} characters (not shown, it may hold a key)";
}
