using Outpost.Retention;

namespace Outpost.Forwarding;

internal sealed partial class ForwarderOperations
{
    /// <summary>How long entries are kept. If null, this is not known, and nothing counts as held.</summary>
    internal RetentionOptions? Retention { get; init; }

    // What keeps retention from deleting entries. Costs no request if every forwarder has passed the oldest entry.
    private async Task<IReadOnlyList<(int Partition, Hold Hold)>> HoldsAsync(IReadOnlyList<PartitionState> states, CancellationToken cancellationToken)
    {
        if (Retention?.EventsAtLeast is not { } keep) return [];
        var holds = new List<(int, Hold)>();
        // With a damaged row, it is not known how far the forwarder has come. Status reports the damage.
        foreach (var state in states.Where(state => state.Damaged.Count == 0 && state.Oldest < state.Head))
        {
            var firstParked = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var name in state.Checkpoints.Where(one => one.Value.Parked > 0).Select(one => one.Key))
            {
                if (await store.ReadParkedAsync(state.Partition, name, 0, 1, cancellationToken) is [var parked, ..]) firstParked[name] = parked.Offset;
            }

            var configured = engine.Forwarders.ToDictionary(forwarder => forwarder.Name, forwarder => forwarder.CheckpointIn(state).NextOffset);
            if (RetentionPlan.Lowest(state, configured, firstParked) is not { } hold || hold.Offset > state.Oldest) continue;
            if (await events.ReadTimestampAsync(state.Partition, state.Oldest, cancellationToken) is { } at && events.Now - at > keep) holds.Add((state.Partition, hold));
        }

        return holds;
    }
}
