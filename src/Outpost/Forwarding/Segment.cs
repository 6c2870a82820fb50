namespace Outpost.Forwarding;

/// <summary>A stretch of the log without holes: entries to deliver, and entries that must wait behind parked ones.</summary>
/// <param name="Send">Entries to deliver, in order.</param>
/// <param name="Hold">Followers of parked entries, in order.</param>
/// <param name="End">The offset after the stretch.</param>
internal sealed record Segment(IReadOnlyList<EventEntry> Send, IReadOnlyList<ParkedEntry> Hold, long End)
{
    /// <summary>The next stretch of <paramref name="entries"/>. Pure.</summary>
    /// <param name="entries">One or more entries.</param>
    /// <param name="parked">The entries that are parked already.</param>
    /// <param name="sendMax">The most entries to deliver: fewer than all while a refused entry is being looked for.</param>
    /// <param name="now">The time for entries that are parked now.</param>
    public static Segment Of(IReadOnlyList<EventEntry> entries, ParkedEntries parked, int sendMax, DateTimeOffset now)
    {
        if (parked.Followers == 0 && sendMax >= entries.Count && !entries.Any(entry => parked.Holds(entry.Subject) is not null))
            return new Segment(entries, [], entries[^1].Offset + 1);
        var send = new List<EventEntry>();
        var hold = new List<ParkedEntry>();
        foreach (var entry in entries)
        {
            if (parked.Holds(entry.Subject) is { } behind)
            {
                if (hold.Count == Limits.ParkedPerWriteMax - 1 || parked.Followers + hold.Count == Limits.FollowersMax) break;
                hold.Add(new ParkedEntry(entry.Partition, entry.Offset, entry.Subject, entry.Type, $"behind {behind}", behind, 0, now));
            }
            else
            {
                if (send.Count == sendMax) break;
                send.Add(entry);
            }
        }

        return new Segment(send, hold, entries[0].Offset + send.Count + hold.Count);
    }

    /// <summary>The next offset once the target has accepted the first <paramref name="accepted"/> entries of <see cref="Send"/>.</summary>
    public long NextAfter(int accepted) => accepted == Send.Count ? End : Send[accepted].Offset;

    /// <summary>The followers below an offset.</summary>
    public IReadOnlyList<ParkedEntry> HeldBelow(long offset) =>
        Hold.Count == 0 || Hold[^1].Offset < offset ? Hold : [.. Hold.TakeWhile(entry => entry.Offset < offset)];
}
