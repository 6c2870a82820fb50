namespace Outpost.Client;

/// <summary>
/// Where one reader keeps its positions: one for each partition. Partitions are read side by side, so calls for
/// different ones come at the same time.
/// </summary>
public interface IOffsetStore
{
    /// <summary>
    /// The stored position of a partition; null: none yet. Comes before the partition's first <see cref="StoreAsync"/>,
    /// and again after any failure.
    /// </summary>
    Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken);

    /// <summary>Stores the position of its partition, durably when this returns.</summary>
    /// <exception cref="FeedException">
    /// Another reader of the same name is at work (<see cref="FeedFailure.Fenced"/>): the reader stops. After any other
    /// exception it goes on from what is stored.
    /// </exception>
    Task StoreAsync(FeedPosition position, CancellationToken cancellationToken);
}
