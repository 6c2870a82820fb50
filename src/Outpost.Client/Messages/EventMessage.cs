using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Outpost.Client;

/// <summary>An event as a messaging system delivered it.</summary>
public sealed record EventMessage
{
    /// <summary>Its place in the log that it comes from.</summary>
    public required FeedPosition Position { get; init; }

    /// <summary>Id of the event, the same on every channel and in every delivery.</summary>
    public string Id => Position.ToString();

    /// <summary>
    /// What makes the effect happen once: store it in the transaction of the effect, and do nothing where it is stored already.
    /// The event id; in a replay <c>{event id}~{replay id}</c>, so that a replay takes effect again, and once.
    /// At most 100 characters.
    /// </summary>
    public string Key => Replay is null ? Id : $"{Id}~{Replay}";

    /// <summary>Event type, such as <c>OrderPlaced</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The domain entity the event is about, such as <c>order/o-1</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>When it was committed, in UTC.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>Media type of the payload.</summary>
    public required string ContentType { get; init; }

    /// <summary>The payload, as it was stored.</summary>
    public required ReadOnlyMemory<byte> PayloadBytes { get; init; }

    /// <summary>W3C <c>traceparent</c> of the request that caused it; null: it had none.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Correlation id of that request; null: it had none.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>Names the replay that it comes with; null: none.</summary>
    public string? Replay { get; init; }

    /// <summary>Where the payload is, in place of <see cref="PayloadBytes"/>: it was too large for the broker.</summary>
    internal Uri? Reference { get; init; }

    /// <summary>The payload as a JSON value.</summary>
    /// <exception cref="JsonException">The payload is not JSON.</exception>
    public JsonElement PayloadJson => JsonElement.Parse(PayloadBytes.Span);

    /// <summary>The payload as an object, by generated code: for programs that are trimmed or compiled ahead of time.</summary>
    /// <exception cref="JsonException">The payload is not JSON, or not of this type.</exception>
    public T? Payload<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(PayloadBytes.Span, type);

    /// <summary>The payload as an object, by reflection.</summary>
    /// <param name="options">Default: <see cref="JsonSerializerOptions.Web"/> (camel case, case-insensitive).</param>
    /// <exception cref="JsonException">The payload is not JSON, or not of this type.</exception>
    [RequiresUnreferencedCode("Pass a JsonTypeInfo in a trimmed program.")]
    [RequiresDynamicCode("Pass a JsonTypeInfo in a program compiled ahead of time.")]
    public T? Payload<T>(JsonSerializerOptions? options = null) =>
        JsonSerializer.Deserialize<T>(PayloadBytes.Span, options ?? JsonSerializerOptions.Web);

    /// <summary>Reads a message whose attributes are those of CloudEvents.</summary>
    /// <param name="attribute">The value of an attribute such as <c>id</c>, without a binding's prefix; null: there is none.</param>
    /// <param name="replay">The header <c>replay</c>.</param>
    /// <param name="contentType">Media type of the payload.</param>
    /// <param name="payload">The body; it is kept, not copied.</param>
    /// <exception cref="FormatException">It is no event of Outpost; says what is wrong.</exception>
    public static EventMessage Read(Func<string, string?> attribute, string? replay, string? contentType, ReadOnlyMemory<byte> payload)
    {
        if (!FeedPosition.TryParse(Needed("id"), out var position)) throw Wrong("id", "an event id such as k3v9x2ab-0000-0000000000000000041");
        if (!DateTimeOffset.TryParse(Needed("time"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) throw Wrong("time", "a time of RFC 3339");
        if (replay is { Length: 0 or > ReplayMax }) throw new FormatException($"The header 'replay' has {replay.Length} characters; 1 to {ReplayMax} are allowed.");
        Uri? reference = null;
        if (attribute("dataref") is { } url && !Uri.TryCreate(url, UriKind.Absolute, out reference)) throw Wrong("dataref", "an absolute URL");
        return new EventMessage
        {
            Position = position,
            Type = Needed("type"),
            Subject = Needed("subject"),
            Timestamp = time,
            ContentType = contentType ?? "application/octet-stream",
            PayloadBytes = payload,
            TraceParent = attribute("traceparent"),
            CorrelationId = attribute("correlationid"),
            Replay = replay,
            Reference = reference,
        };

        string Needed(string name) => attribute(name) ?? throw new FormatException($"The attribute '{name}' is missing.");

        FormatException Wrong(string name, string wanted) => new($"The attribute '{name}' is '{attribute(name)}'; {wanted} is wanted.");
    }

    // With an event id of 33 characters, a key has at most 100.
    private const int ReplayMax = 66;
}
