using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Internal;

namespace Outpost.AspNetCore;

/// <summary>
/// Reads pages of entries, each once for all who ask for it at the same time, and keeps full ones for a short while. So
/// many readers of one log cost the table as much as one. Thread-safe; there is one per process.
/// </summary>
internal sealed class PageReader(IEventStore store) : IDisposable
{
    // In bytes: room for some hundred pages with entries of 500 bytes, and a small part of the smallest instance's
    // memory (512 MB).
    private const long KeptBytesMax = 64 * 1024 * 1024;

    // In bytes: the key of a kept page and the cache's own record of it.
    private const int KeptOverhead = 512;

    /// <summary>How long a page is kept.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);

    private readonly SharedReads<PageKey, EventPage> _reads = new();
    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = KeptBytesMax, Clock = new StoreTime(store) });

    /// <summary>Reads a page from the store, or returns a full page that was read within <see cref="KeptFor"/>.</summary>
    public Task<EventPage> ReadAsync(EventQuery query, PageFormat format, long start, CancellationToken cancellationToken)
    {
        var key = PageKey.Of(query, format, start);
        return _kept.Get<EventPage>(key) is { } kept
            ? Task.FromResult(kept)
            : _reads.ReadAsync(key, () => ReadAsync(key, query, format), page => page.IsFull, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _kept.Dispose();

    private async Task<EventPage> ReadAsync(PageKey key, EventQuery query, PageFormat format)
    {
        // Another caller may have read the page between this caller's look and its turn.
        if (_kept.Get<EventPage>(key) is { } kept) return kept;
        using var builder = new EventPage.Builder(format, key.Start, query.Limit, query.Types);
        while (!builder.IsFull)
        {
            var ask = query.Types is null ? query.Limit - builder.Count : Limits.PageEntriesMax;
            // All who wait for this page share the read, so it does not end when one of them leaves.
            var entries = await store.ReadEventsAsync(query.Partition, builder.Next, ask, CancellationToken.None);
            builder.Add(entries);
            // Fewer entries than asked mean the end of the log, or large entries.
            if (entries.Count == 0 || (entries.Count < ask && builder.Next >= store.Heads[query.Partition])) break;
        }

        var page = builder.Build();
        if (!page.IsFull) return page;
        return _kept.Set(key, page, new MemoryCacheEntryOptions { Size = page.Json.Length + KeptOverhead, AbsoluteExpirationRelativeToNow = KeptFor });
    }

    // A page has the same bytes whoever asks for it.
    private readonly record struct PageKey(int Partition, long Start, int Limit, string Types, string Format)
    {
        public static PageKey Of(EventQuery query, PageFormat format, long start) =>
            new(query.Partition, start, query.Limit, query.TypesTag, format.Name);
    }

    private sealed class StoreTime(IEventStore store) : ISystemClock
    {
        public DateTimeOffset UtcNow => store.Now;
    }
}
