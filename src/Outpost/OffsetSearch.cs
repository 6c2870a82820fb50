namespace Outpost;

/// <summary>Finds an offset by time. Timestamps never decrease along offsets, so a binary search does it.</summary>
internal static class OffsetSearch
{
    /// <summary>
    /// The offset of the first entry at or after <paramref name="time"/>, in about log2(entries) reads; the head when
    /// all entries are older. The answer may be an entry that retention deletes meanwhile.
    /// </summary>
    /// <param name="state">Where the partition stands: the search is between oldest and head.</param>
    /// <param name="time">The time, in any zone.</param>
    /// <param name="readTimestamp">The time of the entry at an offset; null: it was deleted since.</param>
    public static async Task<long> FindAsync(PartitionState state, DateTimeOffset time, Func<long, Task<DateTimeOffset?>> readTimestamp)
    {
        // The head's time is that of the last entry: the commonest questions need no search.
        if (state.HeadTimestamp is not { } last || last < time) return state.Head;
        var (low, high) = (state.Oldest, state.Head);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            // Deleted since: older than anything that is still there.
            if (await readTimestamp(middle) is { } at && at >= time) high = middle;
            else low = middle + 1;
        }

        return low;
    }
}
