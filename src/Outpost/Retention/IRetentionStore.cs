namespace Outpost.Retention;

/// <summary>What retention needs of a store.</summary>
public interface IRetentionStore
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

    /// <summary>Deletes the receipts that entries name, and the claims that go with them.</summary>
    Task DeleteReceiptsAsync(int partition, IReadOnlyList<EntryTrace> entries, CancellationToken cancellationToken);
}

/// <summary>What retention looks at of an entry.</summary>
/// <param name="Offset">Its offset.</param>
/// <param name="At">When it was committed.</param>
/// <param name="Receipt">Key of its command's receipt; null: it has none.</param>
/// <param name="ClaimedIn">Partition in which the command's key is claimed; null: none.</param>
public sealed record EntryTrace(long Offset, DateTimeOffset At, string? Receipt, int? ClaimedIn);
