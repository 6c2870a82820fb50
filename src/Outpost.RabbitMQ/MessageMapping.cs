using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using RabbitMQ.Client;

namespace Outpost.RabbitMQ;

/// <summary>
/// An entry as an AMQP 0.9.1 message: the payload as body, and the entry's attributes as headers with the names of
/// CloudEvents' binding for AMQP 1.0 (there is none for 0.9.1; RabbitMQ hands headers to 1.0 clients as application
/// properties, so they see that binding). Pure.
/// </summary>
internal static class MessageMapping
{
    // What AMQP 0.9.1 lets a short string have: properties and routing keys are such.
    private const int ShortBytesMax = 255;

    private static readonly TimeSpan ExpirationMin = TimeSpan.FromMinutes(1);

    /// <summary>The id of an entry's message: the event id, with the replay's behind it.</summary>
    public static string MessageId(EventEntry entry, string? replay = null) => replay is null ? entry.Id.ToString() : $"{entry.Id}~{replay}";

    /// <summary>Properties and headers of an entry's message.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="source">CloudEvents <c>source</c>.</param>
    /// <param name="replay">Names a replay that an operator asked for.</param>
    public static BasicProperties ToProperties(EventEntry entry, string source, string? replay = null)
    {
        var headers = new Dictionary<string, object?>
        {
            ["cloudEvents:specversion"] = "1.0",
            ["cloudEvents:id"] = entry.Id.ToString(),
            ["cloudEvents:source"] = source,
            ["cloudEvents:type"] = entry.Type,
            ["cloudEvents:subject"] = entry.Subject,
            // A string: an AMQP timestamp has whole seconds only.
            ["cloudEvents:time"] = entry.Timestamp.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            ["cloudEvents:sequence"] = entry.Offset.ToString("D19", CultureInfo.InvariantCulture),
            ["cloudEvents:partitionkey"] = entry.Partition.ToString("D4", CultureInfo.InvariantCulture),
        };
        var properties = new BasicProperties
        {
            MessageId = MessageId(entry, replay),
            Persistent = true,
            Timestamp = new AmqpTimestamp(entry.Timestamp.ToUnixTimeSeconds()),
            Headers = headers,
        };
        if (IsShort(entry.Type)) properties.Type = entry.Type;
        if (IsShort(entry.ContentType)) properties.ContentType = entry.ContentType;
        else headers["cloudEvents:datacontenttype"] = entry.ContentType;
        if (entry.CorrelationId is { } correlationId)
        {
            if (IsShort(correlationId)) properties.CorrelationId = correlationId;
            else headers["cloudEvents:correlationid"] = correlationId;
        }

        if (replay is not null) headers["replay"] = replay;
        if (entry.TraceParent is { } traceParent)
        {
            // Both forms: the CloudEvents extension, and the plain header that messaging instrumentation reads.
            headers["cloudEvents:traceparent"] = traceParent;
            headers["traceparent"] = traceParent;
        }

        return properties;
    }

    /// <summary>The same for an entry that is too large for the broker, whose message has no body: with <c>dataref</c>, the URL that serves the payload.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="options">Source, public URL, and how long payloads are kept.</param>
    /// <param name="now">The time.</param>
    /// <param name="replay">Names a replay that an operator asked for.</param>
    public static BasicProperties ToReference(EventEntry entry, RabbitMQOptions options, DateTimeOffset now, string? replay = null)
    {
        var properties = ToProperties(entry, options.Source, replay);
        properties.Headers!["cloudEvents:dataref"] = $"{options.PublicUrl}/api/events/{entry.Id}/data";
        if (options.PayloadsKeptFor is { } kept)
        {
            // What was parked for long and released just now has a minute all the same.
            var left = entry.Timestamp + kept - now;
            var lives = left < ExpirationMin ? ExpirationMin : left < kept ? left : kept;
            properties.Expiration = ((long)lives.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        }

        return properties;
    }

    /// <summary>The routing key of an entry; one that is longer than a key may be is replaced by its SHA-256 in hex.</summary>
    public static string RoutingKeyOf(EventEntry entry, RoutingKey by) => by switch
    {
        RoutingKey.Partition => entry.Partition.ToString(CultureInfo.InvariantCulture),
        RoutingKey.Subject => Short(entry.Subject),
        _ => Short(entry.Type),
    };

    private static string Short(string text) => IsShort(text) ? text : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static bool IsShort(string text) => Encoding.UTF8.GetByteCount(text) <= ShortBytesMax;
}
