namespace Outpost.Forwarding;

/// <summary>What forwarding, its operators and retention need of a store besides the log itself.</summary>
internal interface IForwardingStore
{
    /// <summary>
    /// Writes a checkpoint where it still is what the caller last saw (compare and swap on <see cref="Checkpoint.Tag"/>),
    /// together with what becomes parked, or is parked no more: all or nothing. Null: somebody else wrote it meanwhile.
    /// A lost answer is found out about. At most <see cref="Limits.ParkedPerWriteMax"/> parked entries at once.
    /// </summary>
    Task<Checkpoint?> SaveAsync(
        int partition, Checkpoint checkpoint, IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark, CancellationToken cancellationToken);

    /// <summary>
    /// Writes a forwarder's first checkpoint in a partition, where it has none and retention has not moved since
    /// <paramref name="state"/> was read: all or nothing, so that what it begins with is there. Retention that has read the
    /// partition before, also of a process that does not know this forwarder, then loses its next move and reads again.
    /// Null: somebody else was faster.
    /// </summary>
    Task<Checkpoint?> BeginAsync(PartitionState state, Checkpoint checkpoint, CancellationToken cancellationToken);

    /// <summary>Parked entries of one forwarder and partition from an offset on, in offset order.</summary>
    Task<IReadOnlyList<ParkedEntry>> ReadParkedAsync(
        int partition, string forwarder, long fromOffset, int limit, CancellationToken cancellationToken);

    /// <summary>Writes what operators ask for, by compare and swap. False: somebody else wrote it meanwhile.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="forwarder">The forwarder.</param>
    /// <param name="control">What is asked.</param>
    /// <param name="untrimmedSince">Asks for entries that must still be there: written only where retention has not moved since this was read.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    Task<bool> SaveControlAsync(int partition, string forwarder, Control control, PartitionState? untrimmedSince, CancellationToken cancellationToken);

    /// <summary>
    /// Asks the holder of a lease to hand it over. Best effort: nothing but fairness rests on it, and of two wishes the
    /// later one stays.
    /// </summary>
    Task WishAsync(int partition, string forwarder, LeaseWish wish, CancellationToken cancellationToken);

    /// <summary>Deletes a forwarder's checkpoint, control and parked rows in a partition.</summary>
    Task ForgetAsync(int partition, string forwarder, CancellationToken cancellationToken);
}
