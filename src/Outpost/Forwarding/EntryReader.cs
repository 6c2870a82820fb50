using System.Collections;

namespace Outpost.Forwarding;

/// <summary>
/// Reads a partition's entries in order, with the next pages already on their way. Offsets are dense, so it is known where each
/// page begins. Not thread-safe: only one drain uses it.
/// </summary>
internal sealed class EntryReader(IEventStore store, int partition, long offset)
{
    // In bytes. Three pages are in memory at once: the one in use and two on their way.
    private const long PageBytes = 2 * 1024 * 1024;
    private const int PageEntriesFirst = 250;
    private const int PagesAhead = 2;

    private readonly Queue<(long Offset, Task<IReadOnlyList<EventEntry>> Page)> _ahead = new();
    private IReadOnlyList<EventEntry> _page = [];
    private int _used;
    private int _limit = PageEntriesFirst;
    private int _batch;
    private long _asked = offset;

    /// <summary>The offset of the next entry to use.</summary>
    public long Next { get; private set; } = offset;

    /// <summary>The entries from <see cref="Next"/> on that have been read; empty if there are none (yet).</summary>
    public async Task<IReadOnlyList<EventEntry>> PeekAsync(CancellationToken cancellationToken)
    {
        var left = _page.Count - _used;
        // Less than a batch is left, so the next page is added to fill the batch.
        if (left > 0 && (left >= _batch || _ahead.Count == 0)) return Rest();
        var isFresh = _ahead.Count == 0;
        if (isFresh) AskFor(_limit, cancellationToken);
        var (from, asked) = _ahead.Dequeue();
        var page = await asked;
        // The page was read before its entries were there, or follows a page that was short. Pages on their way are of no use then.
        if (page.Count == 0 || from != Next + left)
        {
            _ahead.Clear();
            _asked = Next + left;
            return left > 0 || isFresh ? Rest() : await PeekAsync(cancellationToken);
        }

        (_page, _used) = left == 0 ? (page, 0) : ([.. _page.Skip(_used), .. page], 0);
        _limit = LimitFor(page);
        if (_ahead.Count == 0) _asked = _page[^1].Offset + 1;
        while (_ahead.Count < PagesAhead && _asked < store.Heads[partition]) AskFor(_limit, cancellationToken);
        return Rest();
    }

    /// <summary>Moves on: entries below <paramref name="offset"/> have been dealt with.</summary>
    public void AdvanceTo(long offset)
    {
        _batch = (int)(offset - Next);
        _used += _batch;
        Next = offset;
    }

    /// <summary>How many entries make a page of about the same number of bytes, judged by the last page. Pure.</summary>
    internal static int LimitFor(IReadOnlyList<EventEntry> page)
    {
        var bytes = page.Sum(entry => (long)entry.Payload.Length + 512);
        return (int)Math.Clamp(PageBytes * page.Count / bytes, 1, Limits.PageEntriesMax);
    }

    private IReadOnlyList<EventEntry> Rest() => _used == 0 ? _page : new Tail(_page, _used);

    private void AskFor(int limit, CancellationToken cancellationToken)
    {
        var from = _asked;
        _asked += limit;
        _ahead.Enqueue((from, store.ReadEventsAsync(partition, from, limit, cancellationToken)));
    }

    private sealed class Tail(IReadOnlyList<EventEntry> page, int skip) : IReadOnlyList<EventEntry>
    {
        public int Count => page.Count - skip;

        public EventEntry this[int index] => page[skip + index];

        public IEnumerator<EventEntry> GetEnumerator()
        {
            for (var i = skip; i < page.Count; i++) yield return page[i];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
