using Outpost.Forwarding;

namespace Outpost.Retention;

/// <summary>How long entries and receipts are kept.</summary>
/// <param name="Events">
/// Forwarded entries older than this are deleted; null keeps all. An entry is never deleted before its receipt, since only the
/// entry leads to the receipt.
/// </param>
/// <param name="Receipts">Receipts older than this are deleted. Default 48 hours.</param>
internal sealed record RetentionOptions(TimeSpan? Events, TimeSpan Receipts)
{
    /// <summary>The shortest time for which an entry is kept; null if entries are kept for ever.</summary>
    public TimeSpan? EventsAtLeast => Events is { } events && events < Receipts ? Receipts : Events;
}

/// <summary>What keeps retention from deleting more.</summary>
/// <param name="Offset">No entry from this offset on may be deleted.</param>
/// <param name="Forwarder">The forwarder that needs the entry at this offset.</param>
/// <param name="Why"><c>paused</c>, <c>behind</c>, <c>parked</c> or <c>replay</c>.</param>
internal sealed record Hold(long Offset, string Forwarder, string Why);

/// <summary>Decides what may be deleted. Pure.</summary>
internal static class RetentionPlan
{
    /// <summary>
    /// The lowest offset that a forwarder still needs: its checkpoint (configured or stored), its first parked entry, or the start of
    /// a replay that was asked for. Null if there is none.
    /// </summary>
    /// <param name="state">The partition.</param>
    /// <param name="configured">For each forwarder of this app, its next offset, or the one at which it would begin.</param>
    /// <param name="firstParked">For each forwarder with parked entries, the first parked offset.</param>
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
    /// Of the first <paramref name="count"/> entries, how many lose their receipts in one transaction: as many as fit. All entries of a
    /// command count or none, because those left over would name a receipt that is no longer theirs.
    /// </summary>
    public static int ReceiptsAtOnce(IReadOnlyList<EntryTrace> entries, int count)
    {
        while (entries.Take(count).Select(entry => entry.Receipt).Distinct().Count(receipt => receipt is not null) > IRetentionStore.ReceiptsMax) count--;
        // A page that is not full ends with the log, so it ends with a whole command.
        var next = count < entries.Count ? entries[count].Receipt : entries.Count == Limits.TransactionRowsMax ? entries[count - 1].Receipt : null;
        return next is null ? count : entries.Take(count).TakeWhile(entry => entry.Receipt != next).Count();
    }
}
