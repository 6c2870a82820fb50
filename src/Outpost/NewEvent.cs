using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Outpost;

/// <summary>An event that a decision wants recorded.</summary>
public sealed record NewEvent
{
    /// <summary>An event with any payload.</summary>
    /// <param name="type">Event type, 1 to <see cref="Limits.HeaderCharactersMax"/> characters.</param>
    /// <param name="contentType">Media type of the payload, such as <c>text/plain</c> or <c>application/octet-stream</c>.</param>
    /// <param name="payload">At most <see cref="Limits.PayloadBytesMax"/> bytes; checked when the command commits.</param>
    /// <exception cref="ArgumentException">A name is empty or too long, or a JSON payload is not JSON.</exception>
    public NewEvent(string type, string contentType, ReadOnlyMemory<byte> payload)
        : this(type, contentType, payload, trusted: false)
    {
    }

    private NewEvent(string type, string contentType, ReadOnlyMemory<byte> payload, bool trusted)
    {
        Type = Checked(type, nameof(type));
        ContentType = Checked(contentType, nameof(contentType));
        if (!MediaTypeHeaderValue.TryParse(contentType, out _))
            throw new ArgumentException($"contentType: '{contentType}' is no media type, such as text/plain.", nameof(contentType));
        // Committed later, and kept in memory for readers after that: whoever made the event may use the array again.
        Payload = trusted ? payload : payload.ToArray();
        if (!trusted && MediaType.IsJson(contentType)) CheckJson(payload);
    }

    /// <summary>Event type.</summary>
    public string Type { get; }

    /// <summary>Media type of <see cref="Payload"/>.</summary>
    public string ContentType { get; }

    /// <summary>The payload.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>An event whose type is the <see cref="EventName"/> of <typeparamref name="T"/> and whose payload is its JSON.</summary>
    internal static NewEvent Json<T>(T payload, JsonTypeInfo<T> json) =>
        new(EventName.Of(typeof(T)), MediaType.Json, JsonSerializer.SerializeToUtf8Bytes(payload, json), trusted: true);

    /// <summary>What a decision named as an event.</summary>
    internal static NewEvent From(object @event, JsonSerializerOptions json) => @event as NewEvent ?? new NewEvent(
        EventName.Of(@event.GetType()), MediaType.Json, JsonSerializer.SerializeToUtf8Bytes(@event, json.GetTypeInfo(@event.GetType())), trusted: true);

    private static string Checked(string text, string name) =>
        text is { Length: > 0 and <= Limits.HeaderCharactersMax }
            ? text
            : throw new ArgumentException($"{name}: '{text}' must have 1 to {Limits.HeaderCharactersMax} characters.", name);

    // A reader of the feed gets JSON payloads as JSON values; one that is none would break the page it is in.
    private static void CheckJson(ReadOnlyMemory<byte> payload)
    {
        try
        {
            using var _ = JsonDocument.Parse(payload);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"payload: its content type says JSON, but it is none: {e.Message}", nameof(payload), e);
        }
    }
}
