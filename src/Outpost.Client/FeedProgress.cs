namespace Outpost.Client;

/// <summary>Where a reader stands in one partition, for monitoring.</summary>
/// <param name="Partition">Which partition.</param>
/// <param name="Position">The stored position, up to which everything is handled; null: not known yet.</param>
/// <param name="Head">
/// The next offset to be written, as last heard from the server: at most a minute old while the server answers.
/// </param>
/// <param name="LastError">The last failure, until a try succeeds; null: all is well.</param>
public sealed record FeedProgress(int Partition, FeedPosition? Position, long Head, Exception? LastError)
{
    /// <summary>Entries from the position to the head; null while the position is not known.</summary>
    public long? Lag => Position is null ? null : Math.Max(0, Head - Position.Offset);
}

/// <summary>A failure that the reader will try again.</summary>
/// <param name="Partition">The partition; null: the request for the list of partitions failed.</param>
/// <param name="Error">The error of the connection, the server, the store or the handler.</param>
/// <param name="Failures">Failures in a row, from 1.</param>
/// <param name="RetryIn">How long until the next try.</param>
public sealed record FeedFault(int? Partition, Exception Error, int Failures, TimeSpan RetryIn);
