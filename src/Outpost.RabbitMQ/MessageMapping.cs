using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using RabbitMQ.Client;

namespace Outpost.RabbitMQ;

/// <summary>
/// Maps an entry to an AMQP 0.9.1 message: the payload is the body, and the entry's attributes are headers with the
/// names of CloudEvents' binding for AMQP 1.0. CloudEvents has no binding for 0.9.1. RabbitMQ gives headers to AMQP 1.0
/// clients as application properties, so those clients see the binding. Pure.
/// </summary>
internal static class MessageMapping
{
    // AMQP 0.9.1 limits a short string, such as a property or a routing key, to this many bytes.
    private const int ShortBytesMax = 255;

    private static readonly TimeSpan ExpirationMin = TimeSpan.FromMinutes(1);

    /// <summary>The id of an entry's message: the event id, followed by the id of the replay where there is one.</summary>
    public static string MessageId(EventEntry entry, string? replay = null) => replay is null ? entry.Id.ToString() : $"{entry.Id}~{replay}";

    /// <summary>Properties and headers of an entry's message.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="source">CloudEvents <c>source</c>.</param>
    /// <param name="replay">Id of the replay that the message belongs to; null: none.</param>
    public static BasicProperties ToProperties(EventEntry entry, string source, string? replay = null)
    {
        var headers = new Dictionary<string, object?>
        {
            ["cloudEvents:specversion"] = "1.0",
            ["cloudEvents:id"] = entry.Id.ToString(),
            ["cloudEvents:source"] = source,
            ["cloudEvents:type"] = entry.Type,
            ["cloudEvents:subject"] = entry.Subject,
            // A string, because an AMQP timestamp has whole seconds only.
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
            // Written in both forms: as the CloudEvents extension, and as the plain header that messaging instrumentation reads.
            headers["cloudEvents:traceparent"] = traceParent;
            headers["traceparent"] = traceParent;
        }

        return properties;
    }

    /// <summary>
    /// Properties and headers for an entry that is too large for the broker. The message has no body, and
    /// <c>dataref</c> is the URL that serves the payload.
    /// </summary>
    /// <param name="entry">The entry.</param>
    /// <param name="options">Source, public URL, and how long payloads are kept.</param>
    /// <param name="now">The time.</param>
    /// <param name="replay">Id of the replay that the message belongs to; null: none.</param>
    public static BasicProperties ToReference(EventEntry entry, RabbitMQOptions options, DateTimeOffset now, string? replay = null)
    {
        var properties = ToProperties(entry, options.Source, replay);
        properties.Headers!["cloudEvents:dataref"] = $"{options.PublicUrl}/api/events/{entry.Id}/data";
        if (options.PayloadsKeptFor is { } kept)
        {
            // An entry that was parked for long and released just now still gets a minute.
            var left = entry.Timestamp + kept - now;
            var lives = left < ExpirationMin ? ExpirationMin : left < kept ? left : kept;
            properties.Expiration = ((long)lives.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        }

        return properties;
    }

    /// <summary>The routing key of an entry. Where the text is too long for a key, its SHA-256 in hex takes its place.</summary>
    public static string RoutingKeyOf(EventEntry entry, RoutingKey by) => by switch
    {
        RoutingKey.Partition => entry.Partition.ToString(CultureInfo.InvariantCulture),
        RoutingKey.Subject => Short(entry.Subject),
        _ => Short(entry.Type),
    };

    private static string Short(string text) => IsShort(text) ? text : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static bool IsShort(string text) => Encoding.UTF8.GetByteCount(text) <= ShortBytesMax;
}
