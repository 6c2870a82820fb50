namespace Outpost.Client;

/// <summary>Handles entries of a feed, at least once each. It comes from a service scope of its own for each entry.</summary>
public interface IFeedHandler
{
    /// <summary>
    /// Handles one entry; the position is stored after it. Entries of a partition come one after the other, partitions side
    /// by side. After an exception the same entry comes again, for as long as it takes.
    /// </summary>
    Task HandleAsync(FeedEntry entry, CancellationToken cancellationToken);
}

/// <summary>
/// Handles pages of a feed, exactly once each, by storing the position in the transaction of its effect. It comes from a
/// service scope of its own for each call.
/// </summary>
public interface IFeedPageHandler
{
    /// <summary>The stored position of a partition; null: none yet.</summary>
    Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken);

    /// <summary>
    /// Handles a page and stores <see cref="FeedPage.Next"/> in the same transaction, also of a page without entries. It has
    /// to fail where the stored position is no longer <see cref="FeedPage.Position"/>. After an exception the position is
    /// loaded again.
    /// </summary>
    Task HandleAsync(FeedPage page, CancellationToken cancellationToken);
}
