using System.Globalization;

namespace Outpost.Client;

/// <summary>An event as a messaging system delivered it.</summary>
public sealed record EventMessage : ReceivedEvent
{
    /// <summary>
    /// The key that makes the effect happen once: store it in the transaction of the effect, and do nothing where it is
    /// stored already. It is the event id, or in a replay <c>{event id}~{replay id}</c>, so that a replay takes effect
    /// again, also once. At most 100 characters.
    /// </summary>
    public string Key => Replay is null ? Id : $"{Id}~{Replay}";

    /// <summary>Id of the replay that the message belongs to; null: it is no replay.</summary>
    public string? Replay { get; init; }

    /// <summary>
    /// Where the payload is when it was too large for the broker; null: it is in
    /// <see cref="ReceivedEvent.PayloadBytes"/>.
    /// </summary>
    internal Uri? Reference { get; init; }

    /// <summary>Reads a message with CloudEvents attributes. Call it from a source of your own.</summary>
    /// <param name="attribute">
    /// Gives the value of an attribute such as <c>id</c>, without a binding's prefix; null: there is none.
    /// </param>
    /// <param name="replay">Value of the header <c>replay</c>; null: there is none.</param>
    /// <param name="contentType">Media type of the payload; null: <c>application/octet-stream</c>.</param>
    /// <param name="payload">The body. It is kept, not copied.</param>
    /// <exception cref="FormatException">The message is no event of Outpost; the exception says what is wrong.</exception>
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

    // An event id takes 33 characters, and the tilde one: together with this a key has at most 100.
    private const int ReplayMax = 66;
}
