using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>The oldest offset and the head of each partition, and the offset at a time.</summary>
internal sealed class PartitionApi(IEventStore store)
{
    /// <summary><c>GET /api/partitions</c></summary>
    public async Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query) is { } problem) return problem;
        var states = await store.OfAllPartitionsAsync(partition => store.ReadPartitionAsync(partition, cancellationToken), cancellationToken);
        var layout = await store.LayoutAsync(cancellationToken);
        return new JsonAnswer<PartitionsAnswer>(
            new PartitionsAnswer(
                layout.Log,
                layout.Generation > 1 ? layout.Counts : null,
                [.. states.Select(s => new PartitionAnswer(
                    s.Partition, s.Oldest, s.Head, s.HeadTimestamp is { } at ? EntryJson.Timestamp(at) : null))]),
            HttpJson.Default.PartitionsAnswer);
    }

    /// <summary>
    /// <c>GET /api/partitions/{partition}/offset-at?time=</c>: the offset of the first entry at or after a time; the
    /// head when there is none.
    /// </summary>
    public async Task<IResult> OffsetAtAsync(HttpRequest request, string partition, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query, "time") is { } problem) return problem;
        var layout = await store.LayoutWithAsync(partition, cancellationToken);
        if (!QueryParameters.TryParse(partition, 0, layout.Partitions - 1, out var number))
            return Problem.NotFound("partition-not-found", $"There is no such partition; the log has {layout.Partitions}, from 0 on.");
        if (!request.Query.ContainsKey("time")) return Problem.BadRequest("time: is missing; an RFC 3339 time such as 2026-11-22T08:00:00Z is needed.");
        if (!Rfc3339.TryParse(request.Query["time"].ToString(), out var time))
            return QueryParameters.NotAllowed("time", request.Query["time"], "an RFC 3339 time such as 2026-11-22T08:00:00Z");

        var state = await store.ReadPartitionAsync((int)number, cancellationToken);
        var offset = await OffsetSearch.FindAsync(state, time, at => store.ReadTimestampAsync((int)number, at, cancellationToken));
        return new JsonAnswer<OffsetAnswer>(new OffsetAnswer(offset), HttpJson.Default.OffsetAnswer);
    }
}
