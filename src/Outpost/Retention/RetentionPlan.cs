using Outpost.Forwarding;

namespace Outpost.Retention;

/// <summary>How long things are kept.</summary>
/// <param name="Events">Forwarded entries older than this are deleted; null keeps all. Receipts may make it longer: an entry is what leads to its receipt.</param>
/// <param name="Receipts">Receipts older than this are deleted. Default 48 hours.</param>
internal sealed record RetentionOptions(TimeSpan? Events, TimeSpan Receipts)
{
    /// <summary>How long an entry is kept at least.</summary>
    public TimeSpan? EventsAtLeast => Events is { } events && events < Receipts ? Receipts : Events;
}

/// <summary>What keeps retention from going on.</summary>
/// <param name="Offset">Nothing from here on may be deleted.</param>
/// <param name="Forwarder">Who needs it.</param>
/// <param name="Why"><c>paused</c>, <c>behind</c>, <c>parked</c> or <c>replay</c>.</param>
internal sealed record Hold(long Offset, string Forwarder, string Why);

/// <summary>Decides what may be deleted. Pure.</summary>
internal static class RetentionPlan
{
    /// <summary>
    /// The lowest offset that somebody still needs: the checkpoint of each forwarder (configured or stored), its first
    /// parked entry, and the beginning of a replay that is asked for. Null: nobody needs anything.
    /// </summary>
    /// <param name="state">The partition.</param>
    /// <param name="configured">Forwarders of this app and where each stands or would begin.</param>
    /// <param name="firstParked">First parked offset by forwarder, where one has any.</param>
    public static Hold? Lowest(
        PartitionState state, IReadOnlyDictionary<string, long> configured, IReadOnlyDictionary<string, long> firstParked)
    {
        var holds = new List<Hold>();
        foreach (var name in configured.Keys.Union(state.Checkpoints.Keys).Union(state.Damaged.Keys))
        {
            var checkpoint = state.CheckpointOf(name);
            var control = state.ControlOf(name);
            holds.Add(new Hold(checkpoint?.NextOffset ?? configured[name], name, control.IsPaused ? "paused" : "behind"));
            if (firstParked.TryGetValue(name, out var parked)) holds.Add(new Hold(parked, name, "parked"));
            holds.AddRange(control.Requests
                .Where(request => request.Kind == ControlRequestKind.Replay && !(checkpoint?.IsDone(request) ?? false))
                .Select(request => new Hold(checkpoint?.ProgressOf(request)?.Next ?? request.Offset, name, "replay")));
        }

        return holds.MinBy(hold => hold.Offset);
    }

    /// <summary>How many of the first entries may be deleted: old enough, and below <paramref name="end"/>.</summary>
    public static int Deletable(IReadOnlyList<EntryTrace> entries, DateTimeOffset before, long end) =>
        entries.TakeWhile(entry => entry.At < before && entry.Offset < end).Count();

    /// <summary>
    /// How many of the first <paramref name="count"/> entries one transaction takes the receipts of: as many receipts as fit,
    /// and all entries of a command or none, since those left over would name a receipt that is no longer theirs.
    /// </summary>
    public static int ReceiptsAtOnce(IReadOnlyList<EntryTrace> entries, int count)
    {
        while (entries.Take(count).Select(entry => entry.Receipt).Distinct().Count(receipt => receipt is not null) > IRetentionStore.ReceiptsMax) count--;
        // A page that is not full ends with the log, and so with a command.
        var next = count < entries.Count ? entries[count].Receipt : entries.Count == Limits.TransactionRowsMax ? entries[count - 1].Receipt : null;
        return next is null ? count : entries.Take(count).TakeWhile(entry => entry.Receipt != next).Count();
    }
}
