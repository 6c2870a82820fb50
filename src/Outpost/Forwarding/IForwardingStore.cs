namespace Outpost.Forwarding;

/// <summary>What forwarding, its operators and retention need of a store besides the log itself.</summary>
internal interface IForwardingStore
{
    /// <summary>
    /// Writes a checkpoint if it is still what the caller last saw (compare-and-swap on <see cref="Checkpoint.Tag"/>), together with
    /// entries to park and to unpark: all or nothing. Returns null if somebody else wrote the checkpoint meanwhile. After a lost
    /// answer, it finds the outcome. Takes at most <see cref="Limits.ParkedPerWriteMax"/> parked entries at once.
    /// </summary>
    Task<Checkpoint?> SaveAsync(
        int partition, Checkpoint checkpoint, IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark, CancellationToken cancellationToken);

    /// <summary>
    /// Writes a forwarder's first checkpoint in a partition, if there is none and retention has not moved since
    /// <paramref name="state"/> was read. So the first entry of the forwarder is still there. Retention that read the partition
    /// before, even in a process that does not know this forwarder, then loses its next move and reads again. Returns null if
    /// somebody else was faster.
    /// </summary>
    Task<Checkpoint?> BeginAsync(PartitionState state, Checkpoint checkpoint, CancellationToken cancellationToken);

    /// <summary>At most <paramref name="limit"/> parked entries of one forwarder and partition from an offset on, in offset order.</summary>
    Task<IReadOnlyList<ParkedEntry>> ReadParkedAsync(
        int partition, string forwarder, long fromOffset, int limit, CancellationToken cancellationToken);

    /// <summary>Writes what operators ask for, by compare-and-swap. Returns false if somebody else wrote it meanwhile.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="forwarder">The forwarder.</param>
    /// <param name="control">What operators ask for.</param>
    /// <param name="untrimmedSince">
    /// The state in which the entries asked for were seen: nothing is written if retention has moved since. Null if no entries are
    /// needed.
    /// </param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    Task<bool> SaveControlAsync(int partition, string forwarder, Control control, PartitionState? untrimmedSince, CancellationToken cancellationToken);

    /// <summary>
    /// Asks the holder of a lease to hand it over. Best effort: only fairness depends on it. Of two wishes, the later one stays.
    /// </summary>
    Task WishAsync(int partition, string forwarder, LeaseWish wish, CancellationToken cancellationToken);

    /// <summary>Deletes a forwarder's checkpoint, control and parked rows in a partition.</summary>
    Task ForgetAsync(int partition, string forwarder, CancellationToken cancellationToken);
}
