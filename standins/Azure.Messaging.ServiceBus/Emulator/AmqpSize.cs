using System.Runtime.Serialization;
using System.Text;

namespace Azure.Messaging.ServiceBus.Emulator;

/// <summary>
/// How many bytes a message takes in the AMQP encoding the real client sends: batch limits count these, whatever
/// this stand-in puts on its own wire. Lists are written with all their fields, absent ones as one-byte nulls.
/// </summary>
internal static class AmqpSize
{
    private const int Null = 1;
    private const int Timestamp = 9;
    private const int DescriptorOfSection = 3; // 0x00, 0x53, code
    private const int PropertiesFields = 13;
    private const string PartitionKeyAnnotation = "x-opt-partition-key";
    private const string ScheduledAnnotation = "x-opt-scheduled-enqueue-time";

    public static long OfMessage(ServiceBusMessage message) =>
        OfHeader(message) + OfAnnotations(message) + OfProperties(message) + OfApplicationProperties(message)
        + OfData(message.Body?.ToMemory().Length ?? 0);

    /// <summary>
    /// What one more message adds to a batch of <paramref name="count"/>: the first brings the envelope along, which
    /// repeats its MessageId, SessionId and PartitionKey.
    /// </summary>
    public static long OfBatchEntry(ServiceBusMessage message, int count)
    {
        var size = OfMessage(message);
        var overhead = size <= byte.MaxValue ? 5 : 8;
        return count > 0 ? size + overhead : OfEnvelope(message) + OfData(size) + overhead;
    }

    /// <summary>The whole transfer for messages sent together without a batch: one alone travels as itself.</summary>
    public static long OfTransfer(IReadOnlyList<ServiceBusMessage> messages)
    {
        if (messages.Count == 1) return OfMessage(messages[0]);
        var size = OfEnvelope(messages[0]);
        foreach (var message in messages) size += OfData(OfMessage(message));
        return size;
    }

    private static long OfEnvelope(ServiceBusMessage first)
    {
        long size = 0;
        if (first.PartitionKey is { } key) size += OfMap(1, OfSymbol(PartitionKeyAnnotation) + OfString(key));
        if (first.MessageId is null && first.SessionId is null) return size;
        const int otherFields = PropertiesFields - 2;
        return size + OfList(PropertiesFields, OfString(first.MessageId) + OfString(first.SessionId) + (otherFields * Null));
    }

    private static long OfHeader(ServiceBusMessage message)
    {
        if (message.TimeToLive == TimeSpan.MaxValue) return 0;
        const int otherFields = 4;
        return OfList(otherFields + 1, OfUInt(unchecked((uint)message.TimeToLive.TotalMilliseconds)) + (otherFields * Null));
    }

    private static long OfAnnotations(ServiceBusMessage message)
    {
        var count = 0;
        long size = 0;
        if (message.ScheduledEnqueueTime > DateTimeOffset.MinValue)
        {
            count++;
            size += OfSymbol(ScheduledAnnotation) + Timestamp;
        }

        if (message.PartitionKey is { } key)
        {
            count++;
            size += OfSymbol(PartitionKeyAnnotation) + OfString(key);
        }

        return count == 0 ? 0 : OfMap(count, size);
    }

    private static long OfProperties(ServiceBusMessage message)
    {
        const int neverSet = 3; // user-id, content-encoding, group-sequence
        var expiry = message.TimeToLive == TimeSpan.MaxValue ? Null : Timestamp;
        return OfList(
            PropertiesFields,
            OfString(message.MessageId) + OfString(message.To) + OfString(message.Subject) + OfString(message.ReplyTo)
            + OfString(message.CorrelationId) + OfString(message.ContentType) + OfString(message.SessionId)
            + OfString(message.ReplyToSessionId) + (2 * expiry) + (neverSet * Null));
    }

    private static long OfApplicationProperties(ServiceBusMessage message)
    {
        if (message.ApplicationProperties.Count == 0) return 0;
        long size = 0;
        foreach (var (name, value) in message.ApplicationProperties) size += OfString(name) + OfValue(value);
        return OfMap(message.ApplicationProperties.Count, size);
    }

    private static long OfValue(object? value) => value switch
    {
        null => Null,
        string text => OfString(text),
        bool => 1,
        byte or sbyte => 2,
        short or ushort => 3,
        int number => number is >= sbyte.MinValue and <= sbyte.MaxValue ? 2 : 5,
        uint number => OfUInt(number),
        long number => OfLong(number),
        ulong number => number == 0 ? 1 : number <= byte.MaxValue ? 2 : 9,
        float or char => 5,
        double => 9,
        decimal or Guid => 17,
        DateTime => Timestamp,
        DateTimeOffset time => OfDescribed("com.microsoft:datetime-offset", OfLong(time.UtcTicks)),
        TimeSpan span => OfDescribed("com.microsoft:timespan", OfLong(span.Ticks)),
        Uri uri => OfDescribed("com.microsoft:uri", OfString(uri.AbsoluteUri)),
        byte[] bytes => OfVariable(bytes.Length),
        ArraySegment<byte> bytes => OfVariable(bytes.Count),
        Stream stream => OfVariable(stream.Length),
        _ => throw new SerializationException(
            $"Serialization operation failed due to unsupported type {value.GetType().FullName}."),
    };

    private static long OfData(long length) => DescriptorOfSection + OfVariable(length);

    private static long OfDescribed(string symbol, long value) => 1 + OfSymbol(symbol) + value;

    private static long OfString(string? text) => text is null ? Null : OfVariable(Encoding.UTF8.GetByteCount(text));

    private static long OfSymbol(string text) => OfVariable(text.Length);

    private static long OfVariable(long length) => (length <= byte.MaxValue ? 2 : 5) + length;

    private static long OfUInt(uint number) => number == 0 ? 1 : number <= byte.MaxValue ? 2 : 5;

    private static long OfLong(long number) => number is >= sbyte.MinValue and <= sbyte.MaxValue ? 2 : 9;

    private static long OfMap(int pairs, long size) => OfList(2 * pairs, size);

    private static long OfList(int count, long size) =>
        DescriptorOfSection + 1 + (size < byte.MaxValue && count <= byte.MaxValue ? 2 : 8) + size;
}
