namespace Outpost.Client;

/// <summary>What a reader handles and stores as one.</summary>
/// <param name="Position">The stored position it follows; null: nothing was stored yet, and there are no entries.</param>
/// <param name="Entries">
/// In order, each once. May be empty: then only the position moved, past entries of other types than those asked for,
/// or to where a new reader starts.
/// </param>
/// <param name="Next">The position to store together with the effect of these entries.</param>
public sealed record FeedPage(FeedPosition? Position, IReadOnlyList<FeedEntry> Entries, FeedPosition Next);
