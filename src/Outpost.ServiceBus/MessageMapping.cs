using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Messaging.ServiceBus;

namespace Outpost.ServiceBus;

/// <summary>
/// Maps an entry to a Service Bus message: the payload is the body, and the entry's attributes are CloudEvents 1.0
/// properties in AMQP binary mode
/// (<see href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md"/>).
/// </summary>
internal static class MessageMapping
{
    private const int SessionIdMax = 128;
    private static readonly TimeSpan TimeToLiveMin = TimeSpan.FromMinutes(1);

    /// <summary>The message for an entry. Its MessageId is the event id, so the broker drops duplicates.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="source">CloudEvents <c>source</c>, a URI reference.</param>
    /// <param name="replay">
    /// Id of the replay that the message belongs to; null: none. It becomes part of the MessageId, or the broker would
    /// drop the message.
    /// </param>
    public static ServiceBusMessage ToMessage(EventEntry entry, string source, string? replay = null)
    {
        var message = WithAttributes(new ServiceBusMessage(entry.Payload), entry, source, replay);
        message.ContentType = entry.ContentType;
        return message;
    }

    /// <summary>
    /// The message for an entry that is too large for the broker. It has no body, and CloudEvents <c>dataref</c> is the
    /// URL that serves the payload
    /// (<see href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/dataref.md"/>).
    /// </summary>
    /// <param name="entry">The entry.</param>
    /// <param name="source">CloudEvents <c>source</c>.</param>
    /// <param name="publicUrl">Base URL of the app, without a trailing slash.</param>
    /// <param name="replay">Id of the replay that the message belongs to; null: none.</param>
    public static ServiceBusMessage ToReference(EventEntry entry, string source, string publicUrl, string? replay = null)
    {
        var message = WithAttributes(new ServiceBusMessage(), entry, source, replay);
        message.ContentType = entry.ContentType;
        message.ApplicationProperties["cloudEvents:dataref"] = $"{publicUrl}/api/events/{entry.Id}/data";
        return message;
    }

    /// <summary>
    /// How long a reference is worth receiving: what is left of the time that its payload is kept for, but at least a
    /// minute, for an entry that was parked for long and released just now.
    /// </summary>
    public static TimeSpan TimeToLive(EventEntry entry, TimeSpan kept, DateTimeOffset now)
    {
        var left = entry.Timestamp + kept - now;
        return left < TimeToLiveMin ? TimeToLiveMin : left < kept ? left : kept;
    }

    /// <summary>
    /// The SessionId of a subject: the subject itself, or its SHA-256 in hex where it is too long for a SessionId.
    /// </summary>
    public static string SessionId(string subject) =>
        subject.Length <= SessionIdMax ? subject : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(subject)));

    private static ServiceBusMessage WithAttributes(ServiceBusMessage message, EventEntry entry, string source, string? replay)
    {
        message.MessageId = replay is null ? entry.Id.ToString() : $"{entry.Id}~{replay}";
        message.SessionId = SessionId(entry.Subject);
        message.Subject = entry.Type;
        if (entry.CorrelationId is { } correlationId) message.CorrelationId = correlationId;
        var properties = message.ApplicationProperties;
        properties["cloudEvents:specversion"] = "1.0";
        properties["cloudEvents:id"] = entry.Id.ToString();
        if (replay is not null) properties["replay"] = replay;
        properties["cloudEvents:source"] = source;
        properties["cloudEvents:type"] = entry.Type;
        properties["cloudEvents:subject"] = entry.Subject;
        // A string, because an AMQP timestamp has milliseconds only.
        properties["cloudEvents:time"] = entry.Timestamp.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
        properties["cloudEvents:sequence"] = entry.Offset.ToString("D19", CultureInfo.InvariantCulture);
        properties["cloudEvents:partitionkey"] = entry.Partition.ToString("D4", CultureInfo.InvariantCulture);
        if (entry.TraceParent is { } traceParent)
        {
            // Written in both forms: as the CloudEvents extension, and as the plain property that messaging
            // instrumentation reads.
            properties["cloudEvents:traceparent"] = traceParent;
            properties["traceparent"] = traceParent;
        }

        return message;
    }
}
