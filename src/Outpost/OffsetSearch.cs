namespace Outpost;

/// <summary>Finds an offset by time, with a binary search: times never decrease from one offset to the next.</summary>
internal static class OffsetSearch
{
    /// <summary>
    /// The offset of the first entry at or after <paramref name="time"/>, or the head if all entries are older. It takes about
    /// log2(entries) reads. Retention may delete the entry meanwhile.
    /// </summary>
    /// <param name="state">State of the partition. The search is between its oldest offset and its head.</param>
    /// <param name="time">The time, in any zone.</param>
    /// <param name="readTimestamp">Reads the time of the entry at an offset; null if it was deleted meanwhile.</param>
    public static async Task<long> FindAsync(PartitionState state, DateTimeOffset time, Func<long, Task<DateTimeOffset?>> readTimestamp)
    {
        // The head has the time of the last entry, so the most common questions need no search.
        if (state.HeadTimestamp is not { } last || last < time) return state.Head;
        var (low, high) = (state.Oldest, state.Head);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            // A deleted entry is older than all that are still there.
            if (await readTimestamp(middle) is { } at && at >= time) high = middle;
            else low = middle + 1;
        }

        return low;
    }
}
