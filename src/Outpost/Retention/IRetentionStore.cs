namespace Outpost.Retention;

/// <summary>What retention needs of a store.</summary>
internal interface IRetentionStore
{
    /// <summary>Times, commits and receipts of at most <paramref name="limit"/> entries from an offset on, up to the first hole.</summary>
    Task<IReadOnlyList<EntryTrace>> ReadTracesAsync(int partition, long offset, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Moves the oldest retained offset, and notes how far deletion has come, by compare-and-swap on <see cref="Trimmed.Tag"/>.
    /// Returns null if somebody else did so meanwhile.
    /// </summary>
    Task<Trimmed?> SaveOldestAsync(int partition, long oldest, Trimmed trimmed, CancellationToken cancellationToken);

    /// <summary>Deletes at most <see cref="Limits.TransactionRowsMax"/> event rows. Rows that are gone already do not matter.</summary>
    Task DeleteEventsAsync(int partition, long from, int count, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes the receipts that entries name, at most <see cref="ReceiptsMax"/>, and notes in the same transaction how far this has
    /// come. So a late or repeated call does not delete a new receipt that has taken the place of a deleted one. Returns null, and
    /// deletes nothing, if somebody else did so meanwhile.
    /// </summary>
    Task<Trimmed?> DeleteReceiptsAsync(
        int partition, long oldest, Trimmed trimmed, IReadOnlyList<EntryTrace> entries, CancellationToken cancellationToken);

    /// <summary>The most receipts in one transaction, beside the row that says how far deletion has come.</summary>
    const int ReceiptsMax = Limits.TransactionRowsMax - 1;
}

/// <summary>What retention reads of an entry.</summary>
/// <param name="Offset">Offset of the entry.</param>
/// <param name="At">When the entry was committed.</param>
/// <param name="Commit">Id of the commit, which the receipt names too; null if the row is damaged.</param>
/// <param name="Receipt">Key of the command's receipt; null if there is none.</param>
internal sealed record EntryTrace(long Offset, DateTimeOffset At, string? Commit, string? Receipt);
