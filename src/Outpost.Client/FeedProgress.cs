namespace Outpost.Client;

/// <summary>Where a reader stands in one partition, for monitoring.</summary>
/// <param name="Partition">Which partition.</param>
/// <param name="Position">What is handled and stored; null: not known yet.</param>
/// <param name="Head">The next offset to be written, as far as known: at most a minute old.</param>
/// <param name="LastError">What went wrong last, while it has not gone well since; null: all is well.</param>
public sealed record FeedProgress(int Partition, FeedPosition? Position, long Head, Exception? LastError)
{
    /// <summary>Entries from the position to the head; null while the position is not known.</summary>
    public long? Lag => Position is null ? null : Math.Max(0, Head - Position.Offset);
}

/// <summary>Something that went wrong and will be tried again.</summary>
/// <param name="Partition">Where; null: when asking for the partitions.</param>
/// <param name="Error">What: of the connection, the server, the store, or the handler.</param>
/// <param name="Failures">How many in a row, from 1.</param>
/// <param name="RetryIn">How long until it is tried again.</param>
public sealed record FeedFault(int? Partition, Exception Error, int Failures, TimeSpan RetryIn);
