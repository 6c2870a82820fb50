using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>Reads the query of HTTP Feeds: entries after an id, with a wait in milliseconds.</summary>
internal static class FeedQuery
{
    // Clients ask for waits of a minute and more. They get an empty batch sooner.
    internal const long TimeoutMax = 3_600_000;

    /// <summary>Reads the query as one of the event API; null and a problem where it is not allowed.</summary>
    /// <param name="query">
    /// The query: <c>lastEventId</c> (missing, empty or <c>null</c>: from the beginning) and <c>timeout</c>.
    /// </param>
    /// <param name="partition">The partition in the path; null: the only one.</param>
    /// <param name="layout">The layout of the log.</param>
    public static (EventQuery? Query, Problem? Problem) Read(IQueryCollection query, string? partition, LogLayout layout)
    {
        if (QueryParameters.Refuse(query, "lastEventId", "timeout") is { } unknown) return (null, unknown);
        var number = 0L;
        if (partition is null && layout.Partitions > 1)
            return (null, Problem.BadRequest($"The log has partitions 0 to {layout.Partitions - 1}: ask for one, as in /api/feed/0.").With("partitions", layout.Partitions));
        if (partition is not null && !QueryParameters.TryParse(partition, 0, layout.Partitions - 1, out number))
            return (null, Problem.NotFound("partition-not-found", $"There is no such partition; the log has {layout.Partitions}, from 0 on."));
        if (!QueryParameters.TryParse(query["timeout"], 0, TimeoutMax, out var timeout, 0))
            return (null, QueryParameters.NotAllowed("timeout", query["timeout"], $"a whole number of milliseconds from 0 to {TimeoutMax}"));

        var wait = TimeSpan.FromMilliseconds(Math.Min(timeout, EventQuery.WaitSecondsMax * 1000));
        var last = query["lastEventId"].ToString();
        if (last is "" or "null") return (new EventQuery((int)number, null, Latest: false, EventQuery.LimitDefault, wait, Types: null), null);
        if (!EventId.TryParse(last, out var id) || id.Offset == long.MaxValue)
            return (null, QueryParameters.NotAllowed("lastEventId", last, "the id of an entry of this feed, or none"));
        if (id.Log != layout.Log)
            return (null, Problem.NotFound("other-log", $"lastEventId: this event is of log '{id.Log}'; this is log '{layout.Log}'.").With("log", layout.Log));
        if (id.Partition != number)
            return (null, Problem.BadRequest($"lastEventId: this event is of partition {id.Partition}; this is the feed of partition {number}."));
        return (new EventQuery((int)number, id.Offset + 1, Latest: false, EventQuery.LimitDefault, wait, Types: null) { OffsetFrom = "lastEventId" }, null);
    }

    /// <summary>The address of the entries from <paramref name="next"/> on. It names the entry before them.</summary>
    public static string NextUrl(HttpRequest request, Links links, LogLayout layout, int partition, long next) =>
        links.WithQuery(request, $"lastEventId={new EventId(layout.Log, partition, next - 1)}");
}
