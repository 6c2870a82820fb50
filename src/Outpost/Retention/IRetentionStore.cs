namespace Outpost.Retention;

/// <summary>What retention needs of a store.</summary>
internal interface IRetentionStore
{
    /// <summary>When entries were committed and what receipts they name, from an offset on, dense.</summary>
    Task<IReadOnlyList<EntryTrace>> ReadTracesAsync(int partition, long offset, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Moves the oldest retained offset, and notes how far deleting has come, by compare and swap on
    /// <see cref="Trimmed.Tag"/>. Null: somebody else did meanwhile.
    /// </summary>
    Task<Trimmed?> SaveOldestAsync(int partition, long oldest, Trimmed trimmed, CancellationToken cancellationToken);

    /// <summary>Deletes event rows, at most <see cref="Limits.TransactionRowsMax"/>; those that are gone already do not matter.</summary>
    Task DeleteEventsAsync(int partition, long from, int count, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes the receipts that entries name, and notes in the same transaction how far that has come: a receipt that
    /// takes the place of a deleted one is not deleted by whoever comes late or again.
    /// At most <see cref="ReceiptsMax"/> receipts. Null: somebody else did meanwhile, and nothing was deleted.
    /// </summary>
    Task<Trimmed?> DeleteReceiptsAsync(
        int partition, long oldest, Trimmed trimmed, IReadOnlyList<EntryTrace> entries, CancellationToken cancellationToken);

    /// <summary>Receipts in one transaction, beside the row that says how far it has come.</summary>
    const int ReceiptsMax = Limits.TransactionRowsMax - 1;
}

/// <summary>What retention looks at of an entry.</summary>
/// <param name="Offset">Its offset.</param>
/// <param name="At">When it was committed.</param>
/// <param name="Commit">Id of its commit, which its receipt names too; null: its row is damaged.</param>
/// <param name="Receipt">Key of its command's receipt; null: it has none.</param>
internal sealed record EntryTrace(long Offset, DateTimeOffset At, string? Commit, string? Receipt);
