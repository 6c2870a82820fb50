namespace Outpost.Forwarding;

/// <summary>
/// A process wishes to have a lease that another holds. It counts only while the lease has the epoch it was seen with,
/// so an old wish means nothing and needs no clock.
/// </summary>
/// <param name="Owner">The process that wishes.</param>
/// <param name="Epoch">Of the lease it saw.</param>
internal sealed record LeaseWish(string Owner, long Epoch)
{
    /// <summary>Whether the holder of a lease is asked to hand it over.</summary>
    internal bool IsFor(Checkpoint lease) => Epoch == lease.Epoch && Owner != lease.Owner;
}

/// <summary>
/// How several processes come to share one forwarder's partitions although none of them ever runs out of work: who
/// holds clearly fewer leases than another asks for some of the other's, and those are handed over.
/// </summary>
internal static class FairShare
{
    /// <summary>How long who handed a lease over leaves it to the one that asked.</summary>
    public static readonly TimeSpan YieldTime = TimeSpan.FromSeconds(3);

    /// <summary>How much later it looks whether another one took it.</summary>
    public static readonly TimeSpan BackLater = TimeSpan.FromSeconds(0.5);

    /// <summary>How often who asked looks whether it is free, meanwhile.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// The leases that <paramref name="me"/> should ask for: of whoever has most, until nobody has two more. Only where
    /// there is work to be taken off somebody. Pure, but for the choice between partitions.
    /// </summary>
    public static IReadOnlyList<PartitionState> Wished(
        Forwarder forwarder, string me, IReadOnlyList<PartitionState> states, Func<double> nextRandom)
    {
        var held = states
            .Where(state => !state.Damaged.ContainsKey(forwarder.Name))
            .Where(state => forwarder.CheckpointIn(state).LeaseLeft(state.ReadAt) > TimeSpan.Zero)
            .GroupBy(state => forwarder.CheckpointIn(state).Owner!)
            .ToDictionary(owner => owner.Key, owner => owner.ToList(), StringComparer.Ordinal);
        var mine = held.Remove(me, out var own) ? own.Count : 0;
        var wished = new List<PartitionState>();
        while (held.Count > 0 && held.Values.MaxBy(leases => leases.Count) is { } most && most.Count >= mine + 2)
        {
            var busy = most.Where(forwarder.HasWork).ToList();
            if (busy.Count == 0) break;
            var one = busy[(int)(nextRandom() * busy.Count)];
            most.Remove(one);
            wished.Add(one);
            mine++;
        }

        return wished;
    }
}
