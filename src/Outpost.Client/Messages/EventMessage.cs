using System.Globalization;

namespace Outpost.Client;

/// <summary>An event as a messaging system delivered it.</summary>
public sealed record EventMessage : ReceivedEvent
{
    /// <summary>
    /// What makes the effect happen once: store it in the transaction of the effect, and do nothing where it is stored already.
    /// The event id; in a replay <c>{event id}~{replay id}</c>, so that a replay takes effect again, and once.
    /// At most 100 characters.
    /// </summary>
    public string Key => Replay is null ? Id : $"{Id}~{Replay}";

    /// <summary>Names the replay that it comes with; null: none.</summary>
    public string? Replay { get; init; }

    /// <summary>Where the payload is, in place of <see cref="ReceivedEvent.PayloadBytes"/>: it was too large for the broker.</summary>
    internal Uri? Reference { get; init; }

    /// <summary>For a source: reads a message whose attributes are those of CloudEvents.</summary>
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
