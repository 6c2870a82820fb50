namespace Outpost.Client;

/// <summary>
/// Where one reader keeps its positions, one for each partition. The reader reads partitions side by side, so calls for
/// different partitions come at the same time.
/// </summary>
public interface IOffsetStore
{
    /// <summary>
    /// Loads the stored position of a partition; null: none yet. The reader calls it before the partition's first
    /// <see cref="StoreAsync"/>, and again after any failure.
    /// </summary>
    Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken);

    /// <summary>Stores the position of its partition. The position is durable when the task completes.</summary>
    /// <exception cref="FeedException">
    /// Another reader of the same name is at work (<see cref="FeedFailure.Fenced"/>); the reader stops. After any other
    /// exception the reader goes on from what is stored.
    /// </exception>
    Task StoreAsync(FeedPosition position, CancellationToken cancellationToken);
}
