namespace Outpost.Forwarding;

/// <summary>Reads a partition's entries in order, with the next page already on its way. Used by one drain only.</summary>
internal sealed class EntryReader(IEventStore store, int partition, long offset)
{
    // Two pages are in memory at once.
    private const long PageBytes = 2 * 1024 * 1024;
    private const int PageEntriesFirst = 250;

    private IReadOnlyList<EventEntry> _page = [];
    private int _used;
    private Task<IReadOnlyList<EventEntry>>? _ahead;
    private int _limit = PageEntriesFirst;

    /// <summary>Where it stands: the next entry to be used.</summary>
    public long Next { get; private set; } = offset;

    /// <summary>The entries from <see cref="Next"/> on that are here; empty when there are none (yet).</summary>
    public async Task<IReadOnlyList<EventEntry>> PeekAsync(CancellationToken cancellationToken)
    {
        if (_used < _page.Count) return _used == 0 ? _page : new Rest(_page, _used);
        var ahead = _ahead;
        _ahead = null;
        (_page, _used) = (ahead is null ? [] : await ahead, 0);
        // It may have been read before the entries were there.
        if (_page.Count == 0) _page = await store.ReadEventsAsync(partition, Next, _limit, cancellationToken);
        if (_page.Count == 0) return _page;
        var mayHaveMore = _page.Count >= _limit || store.Heads[partition] > _page[^1].Offset + 1;
        _limit = LimitFor(_page);
        if (mayHaveMore) _ahead = ReadAheadAsync(_page[^1].Offset + 1, cancellationToken);
        return _page;
    }

    /// <summary>Entries below <paramref name="offset"/> have been dealt with.</summary>
    public void AdvanceTo(long offset)
    {
        _used += (int)(offset - Next);
        Next = offset;
    }

    /// <summary>As many entries as make a page of about the same number of bytes, whatever their size. Pure.</summary>
    internal static int LimitFor(IReadOnlyList<EventEntry> page)
    {
        var bytes = page.Sum(entry => (long)entry.Payload.Length + 512);
        return (int)Math.Clamp(PageBytes * page.Count / bytes, 1, Limits.PageEntriesMax);
    }

    // A failure is told to whoever asks for the page, and to nobody when nobody does.
    private async Task<IReadOnlyList<EventEntry>> ReadAheadAsync(long offset, CancellationToken cancellationToken)
    {
        try
        {
            return await store.ReadEventsAsync(partition, offset, _limit, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            return [];
        }
        catch (OperationCanceledException)
        {
            return [];
        }
    }

    private sealed class Rest(IReadOnlyList<EventEntry> page, int skip) : IReadOnlyList<EventEntry>
    {
        public int Count => page.Count - skip;

        public EventEntry this[int index] => page[skip + index];

        public IEnumerator<EventEntry> GetEnumerator()
        {
            for (var i = skip; i < page.Count; i++) yield return page[i];
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
