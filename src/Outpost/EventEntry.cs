namespace Outpost;

/// <summary>One stored event: what was committed, and where it stands in the log. Never changes.</summary>
/// <param name="Id">Identity on every channel; holds log, partition and offset.</param>
/// <param name="Type">Event type, for example <c>OrderPlaced</c>.</param>
/// <param name="ContentType">Media type of <paramref name="Payload"/>.</param>
/// <param name="Payload">The payload as committed, byte for byte; at most <see cref="Limits.PayloadBytesMax"/>.</param>
/// <param name="Timestamp">Time of the commit by the store's clock, UTC; never decreases along offsets.</param>
/// <param name="Subject">The domain entity the event is about: <c>{entity type}/{entity id}</c>.</param>
/// <param name="Version">Version of that entity after the event's command, from 1.</param>
/// <param name="TraceParent">W3C <c>traceparent</c> of the request that caused the event, where it had one.</param>
/// <param name="CorrelationId">Correlation id of that request, where it had one.</param>
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
