using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Outpost.Client;

/// <summary>An event as a reader gets it, from the feed or from a messaging system.</summary>
public abstract record ReceivedEvent
{
    private protected ReceivedEvent()
    {
    }

    /// <summary>The event's place in its log.</summary>
    public required FeedPosition Position { get; init; }

    /// <summary>Id of the event, the same on every channel and in every delivery: the key that makes an effect idempotent.</summary>
    public string Id => Position.ToString();

    /// <summary>Event type, such as <c>OrderPlaced</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The domain entity that the event is about, such as <c>order/o-1</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>When the event was committed, in UTC. It never decreases along offsets.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>Media type of the payload.</summary>
    public required string ContentType { get; init; }

    /// <summary>The payload: UTF-8 for JSON and text, else the bytes as they were stored.</summary>
    public required ReadOnlyMemory<byte> PayloadBytes { get; init; }

    /// <summary>W3C <c>traceparent</c> of the request that caused the event; null: it had none.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Correlation id of that request; null: it had none.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>The payload as a JSON value.</summary>
    /// <exception cref="JsonException">The payload is not JSON.</exception>
    public JsonElement PayloadJson => JsonElement.Parse(PayloadBytes.Span);

    /// <summary>
    /// The payload as an object, read by generated code. Use it in programs that are trimmed or compiled ahead of time.
    /// </summary>
    /// <exception cref="JsonException">The payload is not JSON, or not of this type.</exception>
    public T? Payload<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(PayloadBytes.Span, type);

    /// <summary>The payload as an object, read by reflection.</summary>
    /// <param name="options">
    /// How to read it. Default: <see cref="JsonSerializerOptions.Web"/> (camel case, case-insensitive).
    /// </param>
    /// <exception cref="JsonException">The payload is not JSON, or not of this type.</exception>
    [RequiresUnreferencedCode("Pass a JsonTypeInfo in a trimmed program.")]
    [RequiresDynamicCode("Pass a JsonTypeInfo in a program compiled ahead of time.")]
    public T? Payload<T>(JsonSerializerOptions? options = null) =>
        JsonSerializer.Deserialize<T>(PayloadBytes.Span, options ?? JsonSerializerOptions.Web);
}
