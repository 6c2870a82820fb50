using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Outpost;

/// <summary>An event for a decision to record, with any type and payload.</summary>
public sealed record NewEvent
{
    /// <summary>Creates an event with any payload.</summary>
    /// <param name="type">Event type, 1 to <see cref="Limits.HeaderCharactersMax"/> characters.</param>
    /// <param name="contentType">Media type of the payload, such as <c>text/plain</c> or <c>application/octet-stream</c>.</param>
    /// <param name="payload">The payload: at most <see cref="Limits.PayloadBytesMax"/> bytes, checked when the command commits.</param>
    /// <exception cref="ArgumentException">A name is empty or too long, the content type is not a media type, or a JSON payload is not JSON.</exception>
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
        // The payload is committed later, and kept in memory for readers after that. The caller may reuse the array meanwhile.
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

    /// <summary>The event for an object that a decision returned.</summary>
    internal static NewEvent From(object @event, JsonSerializerOptions json) => @event as NewEvent ?? new NewEvent(
        EventName.Of(@event.GetType()), MediaType.Json, JsonSerializer.SerializeToUtf8Bytes(@event, json.GetTypeInfo(@event.GetType())), trusted: true);

    private static string Checked(string text, string name) =>
        text is { Length: > 0 and <= Limits.HeaderCharactersMax }
            ? text
            : throw new ArgumentException($"{name}: '{text}' must have 1 to {Limits.HeaderCharactersMax} characters.", name);

    // The feed copies JSON payloads into its page as JSON values, so invalid JSON would break the page.
    private static void CheckJson(ReadOnlyMemory<byte> payload)
    {
        try
        {
            using var _ = JsonDocument.Parse(payload);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"payload: its content type says JSON, but it is not JSON: {e.Message}", nameof(payload), e);
        }
    }
}
