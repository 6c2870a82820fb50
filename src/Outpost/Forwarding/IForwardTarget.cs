namespace Outpost.Forwarding;

/// <summary>Where a forwarder delivers entries: a message broker, or anything else that can take them in order.</summary>
public interface IForwardTarget
{
    /// <summary>
    /// Delivers some of <paramref name="entries"/>, from the first on and in order, and answers how many were accepted
    /// (at least one, unless <paramref name="entries"/> is empty). What was accepted is durable at the target. All or
    /// nothing is decided per call of the target's own batch: when this throws, none of the entries counts as
    /// delivered, though some may have been, and they are delivered again later.
    /// </summary>
    /// <param name="entries">Dense and in offset order, all of one partition.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    Task<int> DeliverAsync(IReadOnlyList<EventEntry> entries, CancellationToken cancellationToken);
}
