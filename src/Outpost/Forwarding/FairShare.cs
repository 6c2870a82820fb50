namespace Outpost.Forwarding;

/// <summary>
/// A process wishes for a lease that another process holds. The wish counts only while the lease has the same epoch. So an old
/// wish means nothing, and needs no clock.
/// </summary>
/// <param name="Owner">The process that wishes for the lease.</param>
/// <param name="Epoch">Epoch of the lease that the process saw.</param>
internal sealed record LeaseWish(string Owner, long Epoch)
{
    /// <summary>Whether this wish asks the holder of a lease to hand it over.</summary>
    internal bool IsFor(Checkpoint lease) => Epoch == lease.Epoch && Owner != lease.Owner;
}

/// <summary>
/// How several processes share the partitions of one forwarder, although none of them ever runs out of work. A process that holds
/// clearly fewer leases than another asks for some of them, and the other hands those over.
/// </summary>
internal static class FairShare
{
    /// <summary>How long a process that handed over a lease leaves it to the one that asked.</summary>
    public static readonly TimeSpan YieldTime = TimeSpan.FromSeconds(3);

    /// <summary>How much later that process looks whether another one took the lease.</summary>
    public static readonly TimeSpan BackLater = TimeSpan.FromSeconds(0.5);

    /// <summary>How often the process that asked looks, meanwhile, whether the lease is free.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// The leases that <paramref name="me"/> should ask for. They are taken from the process with the most, until nobody has two more
    /// than <paramref name="me"/>, and only in partitions with work. Pure, apart from the random choice between partitions.
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
