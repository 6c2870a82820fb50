using Outpost.Forwarding;

namespace Outpost.Testing;

internal sealed partial class InMemoryLog
{
    private readonly SortedDictionary<string, Heartbeat> _heartbeats = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<OperatorAction>> _history = new(StringComparer.Ordinal);

    Task<Checkpoint?> IForwardingStore.SaveAsync(
        int partition, Checkpoint checkpoint, IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(park.Count + unpark.Count, Limits.ParkedPerWriteMax);
        return DoAsync(
            () =>
            {
                var here = _partitions[partition];
                if (Refusal(here, checkpoint, out var stored)) return stored;
                var parked = ParkedOf(here, checkpoint.Forwarder);
                foreach (var entry in park) parked[entry.Offset] = entry;
                foreach (var offset in unpark) parked.Remove(offset);
                return Write(here, checkpoint);
            },
            cancellationToken);
    }

    Task<Checkpoint?> IForwardingStore.BeginAsync(PartitionState state, Checkpoint checkpoint, CancellationToken cancellationToken) => DoAsync(
        () =>
        {
            var here = _partitions[state.Partition];
            if (Refusal(here, checkpoint with { Tag = null }, out var stored)) return stored;
            return TouchOldest(here, state.Trimmed) ? Write(here, checkpoint) : null;
        },
        cancellationToken);

    Task<IReadOnlyList<ParkedEntry>> IForwardingStore.ReadParkedAsync(
        int partition, string forwarder, long fromOffset, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, Limits.PageEntriesMax);
        return DoAsync<IReadOnlyList<ParkedEntry>>(
            () => [.. ParkedOf(_partitions[partition], forwarder).Values.Where(entry => entry.Offset >= fromOffset).Take(limit)], cancellationToken);
    }

    Task<bool> IForwardingStore.SaveControlAsync(
        int partition, string forwarder, Control control, PartitionState? untrimmedSince, CancellationToken cancellationToken) => DoAsync(
        () =>
        {
            var here = _partitions[partition];
            if (here.Controls.GetValueOrDefault(forwarder)?.Tag != control.Tag) return false;
            if (untrimmedSince is not null && !TouchOldest(here, untrimmedSince.Trimmed)) return false;
            here.Controls[forwarder] = control with { Tag = NewTag() };
            return true;
        },
        cancellationToken);

    Task IForwardingStore.WishAsync(int partition, string forwarder, LeaseWish wish, CancellationToken cancellationToken) =>
        DoAsync(() => _partitions[partition].Wishes[forwarder] = wish, cancellationToken);

    Task IForwardingStore.ForgetAsync(int partition, string forwarder, CancellationToken cancellationToken) => DoAsync(
        () =>
        {
            var here = _partitions[partition];
            here.Checkpoints.Remove(forwarder);
            here.Controls.Remove(forwarder);
            here.Wishes.Remove(forwarder);
            return here.Parked.Remove(forwarder);
        },
        cancellationToken);

    Task IHeartbeatStore.SaveAsync(Heartbeat heartbeat, CancellationToken cancellationToken) =>
        DoAsync(() => _heartbeats[heartbeat.Process] = heartbeat, cancellationToken);

    Task<IReadOnlyList<Heartbeat>> IHeartbeatStore.ReadAsync(CancellationToken cancellationToken) =>
        DoAsync<IReadOnlyList<Heartbeat>>(() => [.. _heartbeats.Values], cancellationToken);

    Task IHeartbeatStore.DeleteAsync(string process, CancellationToken cancellationToken) =>
        DoAsync(() => _heartbeats.Remove(process), cancellationToken);

    Task IHistoryStore.SaveAsync(OperatorAction action, CancellationToken cancellationToken) => DoAsync(
        () =>
        {
            var kept = HistoryOf(action.Forwarder);
            kept.RemoveAll(one => one.Id == action.Id);
            kept.Add(action);
            kept.Sort((one, other) => other.At.CompareTo(one.At) is not 0 and var later ? later : string.CompareOrdinal(one.Id, other.Id));
            if (kept.Count > OperatorAction.KeptMax) kept.RemoveRange(OperatorAction.KeptMax, kept.Count - OperatorAction.KeptMax);
            return kept.Count;
        },
        cancellationToken);

    Task IHistoryStore.DeleteAsync(OperatorAction action, CancellationToken cancellationToken) =>
        DoAsync(() => HistoryOf(action.Forwarder).RemoveAll(one => one.Id == action.Id), cancellationToken);

    Task<IReadOnlyList<OperatorAction>> IHistoryStore.ReadAsync(string forwarder, int limit, CancellationToken cancellationToken) =>
        DoAsync<IReadOnlyList<OperatorAction>>(() => [.. HistoryOf(forwarder).Take(limit)], cancellationToken);

    private List<OperatorAction> HistoryOf(string forwarder)
    {
        if (!_history.TryGetValue(forwarder, out var kept)) _history[forwarder] = kept = [];
        return kept;
    }

    // True if somebody else wrote the checkpoint meanwhile (stored is null), or if this very write came before (stored is its row).
    private static bool Refusal(Partition here, Checkpoint checkpoint, out Checkpoint? stored)
    {
        var before = here.Checkpoints.GetValueOrDefault(checkpoint.Forwarder);
        stored = before is not null && checkpoint.IsSameWrite(before) ? before : null;
        return before?.Tag != checkpoint.Tag;
    }

    private Checkpoint Write(Partition here, Checkpoint checkpoint) =>
        here.Checkpoints[checkpoint.Forwarder] = checkpoint with { StoredAt = Now, Tag = NewTag() };

    private static SortedDictionary<long, ParkedEntry> ParkedOf(Partition here, string forwarder)
    {
        if (!here.Parked.TryGetValue(forwarder, out var parked)) here.Parked[forwarder] = parked = [];
        return parked;
    }
}
