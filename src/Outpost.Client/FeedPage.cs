namespace Outpost.Client;

/// <summary>Entries that a reader handles together, and the position to store with them.</summary>
/// <param name="Position">
/// The stored position that the page follows; null: nothing was stored yet, and the page has no entries.
/// </param>
/// <param name="Entries">
/// The entries in order, each once. An empty list means that only the position moved: past entries of types that were
/// not asked for, or to where a new reader starts.
/// </param>
/// <param name="Next">The position to store together with the effect of these entries.</param>
public sealed record FeedPage(FeedPosition? Position, IReadOnlyList<FeedEntry> Entries, FeedPosition Next);
