using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>How the event API behaves.</summary>
/// <param name="FinalMaxAge">How long caches may keep a final page.</param>
/// <param name="Source">CloudEvents <c>source</c>.</param>
internal sealed record EventApiOptions(TimeSpan FinalMaxAge, string Source = "/outpost")
{
    /// <summary>How many readers may wait at the same time. One more is answered at once. Default 50.</summary>
    public int WaitersMax { get; init; } = 50;

    /// <summary>Makes the references in answers.</summary>
    public Links Links { get; init; } = new(null);

    /// <summary>How long events are kept at least; no cache keeps a page for longer. Null (the default): for ever.</summary>
    public TimeSpan? EventsKeptFor { get; init; }
}

/// <summary>
/// The log as a feed for readers that keep their own positions: pages by offset, without holes and in order. It says
/// the truth about what is gone and what is not there yet.
/// </summary>
internal sealed class EventApi(IEventStore store, PartitionWatch watch, EventApiOptions options) : IDisposable
{
    // With jitter 240 to 360 ms, so a reader gets another process's entry within half a second.
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(300);

    // How often a page from the oldest entry is started again while retention moves that entry.
    private const int BeginningsMax = 3;

    private readonly PageFormat _cloudEvents = PageFormat.CloudEvents(options.Source);
    private readonly PageReader _pages = new(store);
    private int _waiters;

    /// <inheritdoc/>
    public void Dispose() => _pages.Dispose();

    /// <summary><c>GET /api/events</c></summary>
    public async Task<IResult> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var layout = await store.LayoutWithAsync(request.Query["partition"], cancellationToken);
        var (query, problem) = EventQuery.Read(request.Query, layout.Partitions);
        if (query is null) return problem!;
        var format = PageFormat.IsCloudEventsWanted(request) ? _cloudEvents : PageFormat.Native;
        return await PageAsync(request, layout, query, format, next => NextUrl(request, options.Links, query, next), cancellationToken);
    }

    /// <summary>
    /// <c>GET /api/feed</c> (for a log with one partition) and <c>/api/feed/{partition}</c>: HTTP Feeds
    /// (http-feeds.org). The answer is always a CloudEvents batch, because clients of HTTP Feeds do not say what they
    /// accept.
    /// </summary>
    public async Task<IResult> FeedAsync(HttpRequest request, string? partition, CancellationToken cancellationToken)
    {
        var layout = await store.LayoutWithAsync(partition, cancellationToken);
        var (query, problem) = FeedQuery.Read(request.Query, partition, layout);
        return query is null
            ? problem!
            : await PageAsync(request, layout, query, _cloudEvents, next => FeedQuery.NextUrl(request, options.Links, layout, query.Partition, next), cancellationToken);
    }

    private async Task<IResult> PageAsync(
        HttpRequest request, LogLayout layout, EventQuery query, PageFormat format, Func<long, string> nextUrl, CancellationToken cancellationToken)
    {
        if (query.Offset is { } offset) return await PageAsync(request, layout, query, format, offset, nextUrl, cancellationToken);
        for (var beginnings = 1; ; beginnings++)
        {
            var named = await watch.ReadAsync(query.Partition, cancellationToken);
            var start = query.Latest ? named.Head : named.Oldest;
            var answer = await PageAsync(request, layout, query, format, start, nextUrl, cancellationToken);
            // Retention may move the oldest offset between the look and the read. The request named no offset, so
            // nothing that it asked for is gone.
            if (query.Latest || answer is not Problem { Status: StatusCodes.Status410Gone } || beginnings == BeginningsMax) return answer;
            // The reader may have waited already.
            query = query with { Wait = TimeSpan.Zero };
        }
    }

    private async Task<IResult> PageAsync(
        HttpRequest request,
        LogLayout layout,
        EventQuery query,
        PageFormat format,
        long start,
        Func<long, string> nextUrl,
        CancellationToken cancellationToken)
    {
        var (page, state, refusal) = await ReadPageAsync(query, format, start, cancellationToken);
        if (refusal is not null) return refusal;
        var hadRoom = true;
        if (page!.Next == start)
        {
            hadRoom = await WaitAsync(query, start, cancellationToken);
            if (store.Heads[query.Partition] == start) state = await watch.ReadAsync(query.Partition, Poll * 4, cancellationToken);
            else (page, state, refusal) = await ReadPageAsync(query, format, start, cancellationToken);
            if (refusal is not null) return refusal;
        }

        // A final page has the same bytes at any later time. A page that ended because there were no more entries would
        // be longer next time.
        var canBeFinal = query.Offset is not null && page!.IsFull;
        var isFinal = canBeFinal && store.Heads[query.Partition] > page!.Next;
        if (!isFinal)
        {
            state ??= await watch.ReadAsync(query.Partition, cancellationToken);
            // The page may have been read or kept before retention came this far.
            if (start < state.Oldest) return Refuse(start, state, query.OffsetFrom)!;
            // This process's window of its own commits may end before what another process committed.
            if (!page!.IsFull && page.Next < state.Head) page = await _pages.ReadAsync(query, format, start, cancellationToken);
            isFinal = query.Offset is not null && page.IsFull && state.Head > page.Next;
            // The reader could not wait, or there are entries that are not visible: in a damaged log, or because the
            // table lost them while this process knows of their head, which ends every wait. Without Retry-After such a
            // reader would ask all the time.
            if (page.Next == start && (!hadRoom || Math.Max(state.Head, store.Heads[query.Partition]) > start))
                request.HttpContext.Response.Headers.RetryAfter = "1";
        }

        return Answer(layout, query, format, start, page!, isFinal ? null : state, nextUrl);
    }

    // Returns a page without entries where the offset is the head.
    private async Task<(EventPage? Page, PartitionState? State, Problem? Refusal)> ReadPageAsync(
        EventQuery query, PageFormat format, long start, CancellationToken cancellationToken)
    {
        if (start < store.Heads[query.Partition] && start >= (watch.LastRead(query.Partition)?.Oldest ?? 0))
        {
            // The oldest offset is read at the same time, because a deleted entry may still have its row, or still be
            // in this process's window.
            var looking = watch.ReadAsync(query.Partition, PageReader.KeptFor, cancellationToken);
            var reading = _pages.ReadAsync(query, format, start, cancellationToken);
            await Task.WhenAll(looking, reading);
            var page = await reading;
            if (start >= (await looking).Oldest && page.Next > start) return (page, null, null);
        }

        var state = await watch.ReadAsync(query.Partition, cancellationToken);
        if (Refuse(start, state, query.OffsetFrom) is { } refusal) return (null, state, refusal);
        return state.Head == start
            ? (EventPage.EmptyAt(start), state, null)
            : (await _pages.ReadAsync(query, format, start, cancellationToken), null, null);
    }

    /// <summary><c>GET /api/events/{id}</c>: one entry.</summary>
    public async Task<IResult> EntryAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var (entry, problem) = await FindAsync(request, id, cancellationToken);
        if (entry is null) return problem!;
        using var builder = new EventPage.Builder(PageFormat.Native, entry.Offset, limit: 1, types: null);
        builder.Add([entry]);
        var array = builder.Build().Json;
        return Single(entry, "json", "application/json", array[1..^1]);
    }

    /// <summary><c>GET /api/events/{id}/data</c>: an entry's payload as stored, with its content type.</summary>
    public async Task<IResult> DataAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var (entry, problem) = await FindAsync(request, id, cancellationToken);
        return entry is null
            ? problem!
            // A payload recorded as text/html must not run in the origin where operators type their keys.
            : Single(entry, "data", entry.ContentType, entry.Payload, ("Content-Security-Policy", "default-src 'none'; sandbox"));
    }

    private static Problem? Refuse(long offset, PartitionState state, string parameter)
    {
        if (offset < state.Oldest)
            return Problem.Expired($"{parameter}: {Place(parameter, offset)} is older than the oldest retained entry, {state.Oldest}.")
                .With("oldestOffset", state.Oldest).With("headOffset", state.Head);
        return offset > state.Head
            ? Problem.BadRequest($"{parameter}: {Place(parameter, offset)} is beyond the head, {state.Head}: the log never had it.", "offset-beyond-head")
                .With("headOffset", state.Head)
            : null;
    }

    private static string Place(string parameter, long offset)
    {
        var number = offset.ToString(CultureInfo.InvariantCulture);
        return parameter == "lastEventId" ? $"the entry after this one, {number}," : number;
    }

    // False: too many readers wait already.
    private async Task<bool> WaitAsync(EventQuery query, long offset, CancellationToken cancellationToken)
    {
        if (query.Wait == TimeSpan.Zero) return true;
        try
        {
            if (Interlocked.Increment(ref _waiters) > options.WaitersMax) return false;
            await watch.WaitAsync(query.Partition, offset, Poll, query.Wait, cancellationToken);
            return true;
        }
        finally
        {
            Interlocked.Decrement(ref _waiters);
        }
    }

    private PageResult Answer(
        LogLayout layout, EventQuery query, PageFormat format, long start, EventPage page, PartitionState? state, Func<long, string> nextUrl)
    {
        var types = query.Types is null ? "" : $".{query.TypesTag}";
        var live = state is null ? "" : string.Create(CultureInfo.InvariantCulture, $".{state.Oldest}.{state.Head}");
        var tag = string.Create(CultureInfo.InvariantCulture, $"\"{layout.Log}.{query.Partition}.{start}.{page.Next}{live}{types}.{format.Name}\"");
        var headers = new List<(string, string)> { ("Next-Offset", page.Next.ToString(CultureInfo.InvariantCulture)) };
        if (state is not null)
        {
            headers.Add(("Outpost-Head", Math.Max(state.Head, page.Next).ToString(CultureInfo.InvariantCulture)));
            headers.Add(("Outpost-Oldest", state.Oldest.ToString(CultureInfo.InvariantCulture)));
            // This tells readers of any partition of new ones.
            headers.Add(("Outpost-Partitions", store.Heads.Partitions.ToString(CultureInfo.InvariantCulture)));
        }

        if (state is null || state.Head > page.Next) headers.Add(("Link", $"<{nextUrl(page.Next)}>; rel=\"next\""));
        return new PageResult(format.ContentType, page.Json, tag, state is null ? Final(page.Since) : "private, no-cache", headers);
    }

    // A cache may keep the page only until retention may delete its first entry: what is gone here must not live on in caches.
    private string Final(DateTimeOffset? since)
    {
        var maxAge = options.FinalMaxAge;
        if (options.EventsKeptFor is { } kept && since is { } first && first + kept - store.Now is var left && left < maxAge)
            maxAge = left < TimeSpan.Zero ? TimeSpan.Zero : left;
        return string.Create(CultureInfo.InvariantCulture, $"private, max-age={(long)maxAge.TotalSeconds}, immutable");
    }

    // Keys stay out of the link, because it may be logged or passed on.
    private static string NextUrl(HttpRequest request, Links links, EventQuery query, long next)
    {
        var url = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"partition={query.Partition}&offset={next}&limit={query.Limit}"));
        if (query.Types is not null) url.Append("&types=").Append(Uri.EscapeDataString(string.Join(',', query.Types)));
        return links.WithQuery(request, url.ToString());
    }

    private async Task<(EventEntry? Entry, Problem? Problem)> FindAsync(
        HttpRequest request, string id, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query) is { } unknown) return (null, unknown);
        if (!EventId.TryParse(id, out var eventId))
            return (null, Problem.NotFound("event-not-found", "id: this is no event id; they look like k3v9x2ab-0000-0000000000000000041."));
        var layout = await store.LayoutAsync(cancellationToken);
        if (eventId.Log != layout.Log)
            return (null, Problem.NotFound("other-log", $"id: this event is of log '{eventId.Log}'; this is log '{layout.Log}'.").With("log", layout.Log));
        if (eventId.Partition >= layout.Partitions) layout = await store.LayoutWithAsync(eventId.Partition.ToString(CultureInfo.InvariantCulture), cancellationToken);
        if (eventId.Partition < layout.Partitions && eventId.Offset < long.MaxValue)
        {
            // An entry below the oldest offset is gone, even while its row or this process's window still has it.
            if (eventId.Offset >= (watch.LastRead(eventId.Partition)?.Oldest ?? 0))
            {
                // Both are read side by side, so the entry is found as soon as by its offset.
                var looking = watch.ReadAsync(eventId.Partition, PageReader.KeptFor, cancellationToken);
                var reading = store.ReadEventsAsync(eventId.Partition, eventId.Offset, 1, cancellationToken);
                await Task.WhenAll(looking, reading);
                if (eventId.Offset >= (await looking).Oldest && await reading is [var entry]) return (entry, null);
            }

            var state = await watch.ReadAsync(eventId.Partition, cancellationToken);
            if (eventId.Offset < state.Oldest) return (null, Refuse(eventId.Offset, state, "id"));
        }

        return (null, Problem.NotFound("event-not-found", $"There is no event '{id}'."));
    }

    private PageResult Single(
        EventEntry entry, string form, string contentType, ReadOnlyMemory<byte> body, params (string, string)[] headers) =>
        new(contentType, body, $"\"{entry.Id}.{form}\"", Final(entry.Timestamp), headers);
}
