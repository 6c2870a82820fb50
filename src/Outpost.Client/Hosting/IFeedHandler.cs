namespace Outpost.Client;

/// <summary>
/// Handles entries of a feed, each at least once. The handler comes from a service scope of its own for each entry.
/// </summary>
public interface IFeedHandler
{
    /// <summary>
    /// Handles one entry; the reader stores the position afterwards. Entries of one partition come one after the other;
    /// partitions run side by side. After an exception the same entry comes again, for as long as it takes.
    /// </summary>
    Task HandleAsync(FeedEntry entry, CancellationToken cancellationToken);
}

/// <summary>
/// Handles pages of a feed, each exactly once, because it stores the position in the transaction of its effect. The
/// handler comes from a service scope of its own for each call.
/// </summary>
public interface IFeedPageHandler
{
    /// <summary>Loads the stored position of a partition; null: none yet.</summary>
    Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken);

    /// <summary>
    /// Handles a page and stores <see cref="FeedPage.Next"/> in the same transaction, also for a page without entries.
    /// It must fail where the stored position is no longer <see cref="FeedPage.Position"/>. After an exception the
    /// reader loads the position again.
    /// </summary>
    Task HandleAsync(FeedPage page, CancellationToken cancellationToken);
}
