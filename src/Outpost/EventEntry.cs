namespace Outpost;

/// <summary>One stored event: what was committed, and where it is in the log. An entry never changes.</summary>
/// <param name="Id">Identity on every channel; holds log, partition and offset.</param>
/// <param name="Type">Event type, for example <c>OrderPlaced</c>.</param>
/// <param name="ContentType">Media type of <paramref name="Payload"/>.</param>
/// <param name="Payload">The payload as committed, byte for byte: at most <see cref="Limits.PayloadBytesMax"/> bytes.</param>
/// <param name="Timestamp">Time of the commit by the store's clock, in UTC. It never decreases from one offset to the next.</param>
/// <param name="Subject">The domain entity the event is about: <c>{entity type}/{entity id}</c>.</param>
/// <param name="Version">Version of that entity after the event's command, from 1.</param>
/// <param name="TraceParent">W3C <c>traceparent</c> of the request that caused the event; null if it had none.</param>
/// <param name="CorrelationId">Correlation id of that request; null if it had none.</param>
public sealed record EventEntry(
    EventId Id,
    string Type,
    string ContentType,
    ReadOnlyMemory<byte> Payload,
    DateTimeOffset Timestamp,
    string Subject,
    long Version,
    string? TraceParent,
    string? CorrelationId)
{
    /// <summary>The partition this entry is in.</summary>
    public int Partition => Id.Partition;

    /// <summary>The entry's place in its partition: 0, 1, 2, … without holes.</summary>
    public long Offset => Id.Offset;
}
