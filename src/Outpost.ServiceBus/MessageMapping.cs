using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Messaging.ServiceBus;

namespace Outpost.ServiceBus;

/// <summary>
/// An entry as a Service Bus message: the payload as body and the entry's attributes as CloudEvents 1.0 in AMQP binary
/// mode (<see href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md"/>).
/// </summary>
internal static class MessageMapping
{
    private const int SessionIdMax = 128;
    private static readonly TimeSpan TimeToLiveMin = TimeSpan.FromMinutes(1);

    /// <summary>The message for an entry. Its MessageId is the event id, so the broker drops what is sent twice.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="source">CloudEvents <c>source</c>, a URI reference.</param>
    /// <param name="replay">Names a replay; its messages have MessageIds of their own, or the broker would drop them.</param>
    public static ServiceBusMessage ToMessage(EventEntry entry, string source, string? replay = null)
    {
        var message = WithAttributes(new ServiceBusMessage(entry.Payload), entry, source, replay);
        message.ContentType = entry.ContentType;
        return message;
    }

    /// <summary>
    /// The message for an entry that is too large for the broker: no body, and CloudEvents <c>dataref</c> with the URL
    /// that serves the payload (<see href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/dataref.md"/>).
    /// </summary>
    /// <param name="entry">The entry.</param>
    /// <param name="source">CloudEvents <c>source</c>.</param>
    /// <param name="publicUrl">Base URL of the app, without a trailing slash.</param>
    /// <param name="replay">Names a replay.</param>
    public static ServiceBusMessage ToReference(EventEntry entry, string source, string publicUrl, string? replay = null)
    {
        var message = WithAttributes(new ServiceBusMessage(), entry, source, replay);
        message.ContentType = entry.ContentType;
        message.ApplicationProperties["cloudEvents:dataref"] = $"{publicUrl}/api/events/{entry.Id}/data";
        return message;
    }

    /// <summary>
    /// How long a reference is worth being received: what is left of the time that its payload is kept for, at least a minute
    /// (what was parked for long, and released just now).
    /// </summary>
    public static TimeSpan TimeToLive(EventEntry entry, TimeSpan kept, DateTimeOffset now)
    {
        var left = entry.Timestamp + kept - now;
        return left < TimeToLiveMin ? TimeToLiveMin : left < kept ? left : kept;
    }

    /// <summary>The session of a subject: itself, or its SHA-256 in hex where it is longer than a SessionId may be.</summary>
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
        // A string: an AMQP timestamp has milliseconds only.
        properties["cloudEvents:time"] = entry.Timestamp.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
        properties["cloudEvents:sequence"] = entry.Offset.ToString("D19", CultureInfo.InvariantCulture);
        properties["cloudEvents:partitionkey"] = entry.Partition.ToString("D4", CultureInfo.InvariantCulture);
        if (entry.TraceParent is { } traceParent)
        {
            // Both forms: the CloudEvents extension, and the plain property that messaging instrumentation reads.
            properties["cloudEvents:traceparent"] = traceParent;
            properties["traceparent"] = traceParent;
        }

        return message;
    }
}
