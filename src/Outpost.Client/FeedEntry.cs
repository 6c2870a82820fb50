namespace Outpost.Client;

/// <summary>One entry of the feed: an event and its place in the log.</summary>
public sealed record FeedEntry : ReceivedEvent
{
    /// <summary>Partition of the entry. Each partition has its own offsets and its own order.</summary>
    public int Partition => Position.Partition;

    /// <summary>Offset in the partition: 0, 1, 2, … without holes.</summary>
    public long Offset => Position.Offset;

    /// <summary>Version of the subject after the event, from 1.</summary>
    public required long Version { get; init; }
}
