using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Outpost.Http;

/// <summary>How the event API behaves.</summary>
/// <param name="FinalMaxAge">Cache life of final pages. Default one day.</param>
/// <param name="Source">CloudEvents <c>source</c>.</param>
public sealed record EventApiOptions(TimeSpan FinalMaxAge, string Source = "/outpost");

/// <summary>
/// The log as a feed for consumers that keep their own position: pages by offset, dense and in order, with the truth
/// about what is gone and what is not there yet.
/// </summary>
public sealed class EventApi(IEventStore store, PartitionWatch watch, EventApiOptions options)
{
    // With a filter: how much of the log one answer looks at.
    private const int FilteredEntriesMax = 5_000;
    private const int WaitersMax = 100;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);
    private readonly PageFormat _cloudEvents = PageFormat.CloudEvents(options.Source);
    private int _waiters;

    /// <summary><c>GET /api/events</c></summary>
    public async Task<IResult> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var layout = await store.LayoutAsync(cancellationToken);
        var (query, problem) = EventQuery.Read(request.Query, layout.Partitions);
        if (query is null) return problem!;
        var format = PageFormat.IsCloudEventsWanted(request) ? _cloudEvents : PageFormat.Native;
        return await PageAsync(request, layout, query, format, next => NextUrl(request, query, next), cancellationToken);
    }

    /// <summary>
    /// <c>GET /api/feed</c> (one partition) and <c>/api/feed/{partition}</c>: HTTP Feeds (http-feeds.org),
    /// a CloudEvents batch whatever is accepted, since its clients do not say.
    /// </summary>
    public async Task<IResult> FeedAsync(HttpRequest request, string? partition, CancellationToken cancellationToken)
    {
        var layout = await store.LayoutAsync(cancellationToken);
        var (query, problem) = FeedQuery.Read(request.Query, partition, layout);
        return query is null
            ? problem!
            : await PageAsync(request, layout, query, _cloudEvents, next => FeedQuery.NextUrl(request, layout, query.Partition, next), cancellationToken);
    }

    private async Task<IResult> PageAsync(
        HttpRequest request, LogLayout layout, EventQuery query, PageFormat format, Func<long, string> nextUrl, CancellationToken cancellationToken)
    {
        var start = query.Offset;
        if (start is null)
        {
            var named = await store.ReadPartitionAsync(query.Partition, cancellationToken);
            start = query.Latest ? named.Head : named.Oldest;
        }

        var page = await ReadPageAsync(query, format, start.Value, cancellationToken);
        var state = null as PartitionState;
        if (page.Next == start)
        {
            state = await store.ReadPartitionAsync(query.Partition, cancellationToken);
            if (Refuse(start.Value, state) is { } refusal) return refusal;
            if (state.Head > start || query.Wait > TimeSpan.Zero)
            {
                // Waiting gave up for want of room, or nothing came: an empty page, and the client asks again.
                if (state.Head == start && !await WaitAsync(query, start.Value, cancellationToken)) request.HttpContext.Response.Headers.RetryAfter = "1";
                page = await ReadPageAsync(query, format, start.Value, cancellationToken);
                state = null;
            }
        }

        // Final: the same bytes at any later time. A page that ended for want of entries would be longer next time.
        var canBeFinal = query.Offset is not null && page.IsFull;
        var isFinal = canBeFinal && store.Heads[query.Partition] > page.Next;
        if (!isFinal)
        {
            state ??= await store.ReadPartitionAsync(query.Partition, cancellationToken);
            isFinal = canBeFinal && state.Head > page.Next;
        }

        return Answer(layout, query, format, start.Value, page, isFinal ? null : state, nextUrl);
    }

    /// <summary><c>GET /api/events/{id}</c>: one entry.</summary>
    public async Task<IResult> EntryAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var (entry, problem) = await FindAsync(request, id, cancellationToken);
        if (entry is null) return problem!;
        using var builder = new EventPage.Builder(PageFormat.Native, entry.Offset, limit: 1, types: null);
        builder.Add([entry]);
        var array = builder.Build().Json;
        return Single(request, entry, "application/json", array[1..^1]);
    }

    /// <summary><c>GET /api/events/{id}/data</c>: an entry's payload as stored, with its content type.</summary>
    public async Task<IResult> DataAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var (entry, problem) = await FindAsync(request, id, cancellationToken);
        return entry is null
            ? problem!
            // Whatever somebody recorded as text/html must not run in the origin where operators type their keys.
            : Single(request, entry, entry.ContentType, entry.Payload, ("Content-Security-Policy", "default-src 'none'; sandbox"));
    }

    private async Task<EventPage> ReadPageAsync(EventQuery query, PageFormat format, long start, CancellationToken cancellationToken)
    {
        using var builder = new EventPage.Builder(format, start, query.Limit, query.Types);
        var looked = query.Types is null ? query.Limit : FilteredEntriesMax;
        while (!builder.IsFull && looked > 0)
        {
            var ask = Math.Min(looked, query.Types is null ? query.Limit : Limits.PageEntriesMax);
            var entries = await store.ReadEventsAsync(query.Partition, builder.Next, ask, cancellationToken);
            builder.Add(entries);
            looked -= entries.Count;
            // Short: the end, or large entries.
            if (entries.Count == 0 || (entries.Count < ask && builder.Next >= store.Heads[query.Partition])) break;
        }

        return builder.Build(lookedEnough: looked <= 0);
    }

    private static Problem? Refuse(long offset, PartitionState state)
    {
        if (offset < state.Oldest)
            return Problem.Expired($"offset: {offset} is older than the oldest retained entry, {state.Oldest}.")
                .With("oldestOffset", state.Oldest).With("headOffset", state.Head);
        return offset > state.Head
            ? Problem.BadRequest($"offset: {offset} is beyond the head, {state.Head}: the log never had it.", "offset-beyond-head")
                .With("headOffset", state.Head)
            : null;
    }

    // False: too many wait already.
    private async Task<bool> WaitAsync(EventQuery query, long offset, CancellationToken cancellationToken)
    {
        if (query.Wait == TimeSpan.Zero) return true;
        try
        {
            if (Interlocked.Increment(ref _waiters) > WaitersMax) return false;
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
        var types = query.Types is null ? "" : "." + Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(',', query.Types.Order(StringComparer.Ordinal))))[..8]);
        var live = state is null ? "" : string.Create(CultureInfo.InvariantCulture, $".{state.Oldest}.{state.Head}");
        var tag = string.Create(CultureInfo.InvariantCulture, $"\"{layout.Log}.{query.Partition}.{start}.{page.Next}{live}{types}.{format.Name}\"");
        var headers = new List<(string, string)> { ("Next-Offset", page.Next.ToString(CultureInfo.InvariantCulture)) };
        if (state is not null)
        {
            headers.Add(("Outpost-Head", Math.Max(state.Head, page.Next).ToString(CultureInfo.InvariantCulture)));
            headers.Add(("Outpost-Oldest", state.Oldest.ToString(CultureInfo.InvariantCulture)));
        }

        if (state is null || state.Head > page.Next) headers.Add(("Link", $"<{nextUrl(page.Next)}>; rel=\"next\""));
        return new PageResult(format.ContentType, page.Json, tag, CacheControl(state is null), headers);
    }

    private string CacheControl(bool isFinal) => isFinal
        ? string.Create(CultureInfo.InvariantCulture, $"private, max-age={(long)options.FinalMaxAge.TotalSeconds}, immutable")
        : "private, no-cache";

    // Keys stay out: a link may be logged or passed on.
    private static string NextUrl(HttpRequest request, EventQuery query, long next)
    {
        var url = new StringBuilder($"{request.PathBase}{request.Path}?partition={query.Partition}&offset={next}&limit={query.Limit}");
        if (query.Types is not null) url.Append("&types=").Append(Uri.EscapeDataString(string.Join(',', query.Types)));
        return url.ToString();
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
        if (eventId.Partition < layout.Partitions && eventId.Offset < long.MaxValue)
        {
            var entries = await store.ReadEventsAsync(eventId.Partition, eventId.Offset, 1, cancellationToken);
            if (entries.Count == 1) return (entries[0], null);
            var state = await store.ReadPartitionAsync(eventId.Partition, cancellationToken);
            if (eventId.Offset < state.Oldest) return (null, Refuse(eventId.Offset, state));
        }

        return (null, Problem.NotFound("event-not-found", $"There is no event '{id}'."));
    }

    private PageResult Single(
        HttpRequest request, EventEntry entry, string contentType, ReadOnlyMemory<byte> body, params (string, string)[] headers) =>
        new(contentType, body, $"\"{entry.Id}.{(request.Path.Value!.EndsWith("/data", StringComparison.OrdinalIgnoreCase) ? "data" : "json")}\"",
            CacheControl(isFinal: true), headers);
}
