using System.Globalization;
using System.Text;
using Confluent.Kafka;

namespace Outpost.Kafka;

/// <summary>
/// Maps an entry to a Kafka message: the payload is the value, the subject is the key, and the entry's attributes are
/// CloudEvents 1.0 headers in binary mode
/// (<see href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md"/>).
/// Pure.
/// </summary>
internal static class MessageMapping
{
    /// <summary>
    /// The message for an entry. It gets no timestamp: with the entry's own, the topic might delete a late message at
    /// once.
    /// </summary>
    /// <param name="entry">The entry.</param>
    /// <param name="source">CloudEvents <c>source</c>.</param>
    /// <param name="replay">Id of the replay that the message belongs to; null: none.</param>
    public static Message<string, ReadOnlyMemory<byte>> ToMessage(EventEntry entry, string source, string? replay = null)
    {
        var headers = new Headers();
        Add("ce_specversion", "1.0");
        Add("ce_id", entry.Id.ToString());
        Add("ce_source", source);
        Add("ce_type", entry.Type);
        Add("ce_subject", entry.Subject);
        Add("ce_time", entry.Timestamp.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        Add("ce_sequence", entry.Offset.ToString("D19", CultureInfo.InvariantCulture));
        Add("ce_partitionkey", entry.Partition.ToString("D4", CultureInfo.InvariantCulture));
        Add("content-type", entry.ContentType);
        if (entry.CorrelationId is { } correlationId) Add("ce_correlationid", correlationId);
        if (replay is not null) Add("replay", replay);
        if (entry.TraceParent is { } traceParent)
        {
            // Written in both forms: as the CloudEvents extension, and as the plain header that messaging instrumentation reads.
            Add("ce_traceparent", traceParent);
            Add("traceparent", traceParent);
        }

        return new Message<string, ReadOnlyMemory<byte>> { Key = entry.Subject, Value = entry.Payload, Headers = headers };

        void Add(string name, string value) => headers.Add(name, Encoding.UTF8.GetBytes(value));
    }

    /// <summary>
    /// The message for an entry that is too large. It has an empty value, and <c>dataref</c> with the URL that serves
    /// the payload.
    /// </summary>
    /// <param name="entry">The entry.</param>
    /// <param name="source">CloudEvents <c>source</c>.</param>
    /// <param name="publicUrl">Base URL of the app, without a trailing slash.</param>
    /// <param name="replay">Id of the replay that the message belongs to; null: none.</param>
    public static Message<string, ReadOnlyMemory<byte>> ToReference(EventEntry entry, string source, string publicUrl, string? replay = null)
    {
        var message = ToMessage(entry with { Payload = default }, source, replay);
        message.Headers.Add("ce_dataref", Encoding.UTF8.GetBytes($"{publicUrl}/api/events/{entry.Id}/data"));
        return message;
    }

    /// <summary>Copies the payload, because the client takes only arrays.</summary>
    internal sealed class Bytes : ISerializer<ReadOnlyMemory<byte>>
    {
        public byte[] Serialize(ReadOnlyMemory<byte> data, SerializationContext context) => data.ToArray();
    }
}
