using System.Globalization;
using Microsoft.AspNetCore.Http;
using Outpost.Forwarding;
using Outpost.Retention;

namespace Outpost.AspNetCore;

/// <summary>Status and operations over HTTP, for people and for the dashboard.</summary>
internal sealed class OperationsApi(ForwarderOperations operations, IEventStore store, Links links, StoreProblems problems, Ticks ticks)
{
    /// <summary>The header in which Azure's sign-in names the user.</summary>
    internal const string PrincipalHeader = "x-ms-client-principal-name";

    private const int ParkedDefault = 100;
    internal const int HistoryDefault = 100;
    private const int WhoMax = 100;

    /// <summary><c>GET /api/status</c></summary>
    public async Task<IResult> StatusAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query, "recent") is { } unknown) return unknown;
        if (request.Query["recent"].ToString() is not ("" or "true" or "false") and var bad) return QueryParameters.NotAllowed("recent", bad, "true or false");
        var status = await operations.StatusAsync(cancellationToken);
        return Json(request, new StatusAnswer(
            status.Log,
            status.Timer is { } timer ? new StatusTimer(timer.LastTickAt is { } tick ? EntryJson.Timestamp(tick) : null, timer.Schedule, timer.IsMissed) : null,
            [.. status.Partitions.Select(p => new StatusPartition(
                p.Partition, p.Oldest, p.Head, p.HeadTimestamp is { } at ? EntryJson.Timestamp(at) : null))],
            [.. status.Forwarders.Select(Forwarder)],
            [.. Troubles.Of(status).Concat(problems.Now).Distinct().OrderByDescending(problem => problem.IsFatal)
                .Select(problem => new HealthProblem(problem.Code, problem.Detail))],
            request.Query["recent"] == "true" ? Recent(operations.Recent) : null));
    }

    // The answer holds ages rather than times, because the caller may have another clock.
    private static StatusRecent Recent(RecentSamples recent) => new(Seconds(recent.Age), [.. recent.Read().Select(one => new StatusSample(
        Seconds(one.Age), one.Sample.Head, [.. one.Sample.Forwarders.Select(forwarder => new StatusForwarderSample(forwarder.Name, forwarder.Next, forwarder.Backlog))]))]);

    private static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 3);

    /// <summary><c>POST /api/forward</c> runs one tick now, as the timer does. Any scheduler can call it.</summary>
    public async Task<IResult> ForwardAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query) is { } unknown) return unknown;
        var run = await ticks.RunAsync(cancellationToken);
        return Json(request, new ForwardAnswer(run.Delivered, run.Batches, run.FailedPartitions));
    }

    /// <summary><c>POST /api/forwarders/{name}/pause</c> and <c>/resume</c>, in one partition or all.</summary>
    public async Task<IResult> PauseAsync(HttpRequest request, string name, bool isPaused, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query, "partition") is { } unknown) return unknown;
        if (!Forwarding.Forwarder.IsName(name)) return NoForwarder(name);
        var layout = await store.LayoutWithAsync(request.Query["partition"], cancellationToken);
        int? partition = null;
        if (request.Query.ContainsKey("partition"))
        {
            var (one, problem) = QueryParameters.Partition(request.Query, layout.Partitions);
            if (problem is not null) return problem;
            partition = one;
        }

        var (body, badBody) = await JsonBody.ReadAsync(request, OperationBodies.BytesMax, optional: true, cancellationToken);
        if (body is null) return badBody!;
        var fields = new JsonFields(body.Root);
        var reason = OperationBodies.OptionalReason(fields);
        if (fields.Problem() is { } badFields) return badFields;
        var result = await operations.PauseAsync(name, partition, isPaused, cancellationToken, Who(request), reason);
        return result is OperationResult.Done ? Json(request, new PausedAnswer(name, partition, isPaused)) : Answer(request, name, result);
    }

    /// <summary><c>POST /api/forwarders/{name}/replay</c>: a range of one partition, or a period in all partitions.</summary>
    public async Task<IResult> ReplayAsync(HttpRequest request, string name, CancellationToken cancellationToken)
    {
        var (fields, problem) = await FieldsAsync(request, name, cancellationToken);
        if (fields is null) return problem!;
        if (fields.Has("from") || fields.Has("to")) return await ReplayTimeAsync(request, name, fields, cancellationToken);
        var (partition, from, to, filter, why) = OperationBodies.ReplayRange(fields, (await store.RefreshLayoutAsync(cancellationToken)).Partitions);
        if (fields.Problem() is { } badFields) return badFields;
        if (to < from) return Problem.BadRequest($"toOffset: '{to}' is not allowed; it must not be below fromOffset, {from}.");
        return Answer(request, name, await operations.ReplayAsync(name, partition, from, to, cancellationToken, Who(request), filter, why));
    }

    private async Task<IResult> ReplayTimeAsync(HttpRequest request, string name, JsonFields fields, CancellationToken cancellationToken)
    {
        var (from, to, filter, why) = OperationBodies.ReplayTime(fields);
        if (fields.Problem() is { } badFields) return badFields;
        return to <= from
            ? Problem.BadRequest("to: is not allowed; it must be after from.")
            : Answer(request, name, await operations.ReplayAsync(name, from, to, filter, Who(request), cancellationToken, why));
    }

    /// <summary><c>POST /api/forwarders/{name}/parked/retry</c> and <c>/discard</c>: all entries that match.</summary>
    public async Task<IResult> UnparkAsync(HttpRequest request, string name, bool isDiscard, CancellationToken cancellationToken)
    {
        var (fields, problem) = await FieldsAsync(request, name, cancellationToken);
        if (fields is null) return problem!;
        var (filter, partition, why) = OperationBodies.Parked(fields, (await store.RefreshLayoutAsync(cancellationToken)).Partitions);
        if (fields.Problem() is { } badFields) return badFields;
        return Answer(request, name, await operations.UnparkAsync(name, isDiscard, filter, partition, Who(request), cancellationToken, why));
    }

    /// <summary><c>GET /api/forwarders/{name}/parked</c>, in pages.</summary>
    public async Task<IResult> ParkedAsync(HttpRequest request, string name, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query, "limit", "partition", "offset", "groupBy") is { } unknown) return unknown;
        if (request.Query.ContainsKey("groupBy")) return await ParkedGroupsAsync(request, name, cancellationToken);
        var layout = await store.LayoutWithAsync(request.Query["partition"], cancellationToken);
        if (!QueryParameters.TryParse(request.Query["limit"], 1, Limits.PageEntriesMax, out var limit, ParkedDefault))
            return QueryParameters.NotAllowed("limit", request.Query["limit"], $"a whole number from 1 to {Limits.PageEntriesMax}");
        if (!QueryParameters.TryParse(request.Query["partition"], 0, layout.Partitions - 1, out var partition, 0))
            return QueryParameters.NotAllowed("partition", request.Query["partition"], $"0 to {layout.Partitions - 1}");
        if (!QueryParameters.TryParse(request.Query["offset"], 0, long.MaxValue, out var offset, 0))
            return QueryParameters.NotAllowed("offset", request.Query["offset"], "a whole number from 0 on");
        if (!Forwarding.Forwarder.IsName(name) || !await operations.ExistsAsync(name, cancellationToken)) return NoForwarder(name);

        var parked = await operations.ParkedAsync(name, (int)partition, offset, (int)limit, cancellationToken);
        if (parked.Count == limit)
        {
            var last = parked[^1];
            var next = string.Create(CultureInfo.InvariantCulture, $"limit={limit}&partition={last.Partition}&offset={last.Offset + 1}");
            request.HttpContext.Response.Headers.Link = $"<{links.WithQuery(request, next)}>; rel=\"next\"";
        }

        return Json(request, parked.Select(entry => new ParkedAnswer(
            entry.Partition, entry.Offset, new EventId(layout.Log, entry.Partition, entry.Offset).ToString(), entry.Type, entry.Subject,
            entry.Reason, entry.Behind, entry.Attempts, EntryJson.Timestamp(entry.At))).ToArray());
    }

    private async Task<IResult> ParkedGroupsAsync(HttpRequest request, string name, CancellationToken cancellationToken)
    {
        if (request.Query["groupBy"] != "reason") return QueryParameters.NotAllowed("groupBy", request.Query["groupBy"], "reason");
        if (QueryParameters.Refuse(request.Query, "groupBy") is { } beside) return beside;
        if (!Forwarding.Forwarder.IsName(name) || !await operations.ExistsAsync(name, cancellationToken)) return NoForwarder(name);
        var groups = await operations.ParkedByReasonAsync(name, cancellationToken);
        return Json(request, groups.Select(group => new ParkedGroupAnswer(group.Reason, group.Count, group.Followers, group.Types, EntryJson.Timestamp(group.Since))).ToArray());
    }

    /// <summary><c>GET /api/forwarders/{name}/history</c>: what operators did, the newest first.</summary>
    public async Task<IResult> HistoryAsync(HttpRequest request, string name, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query, "limit") is { } unknown) return unknown;
        if (!QueryParameters.TryParse(request.Query["limit"], 1, OperatorAction.KeptMax, out var limit, HistoryDefault))
            return QueryParameters.NotAllowed("limit", request.Query["limit"], $"a whole number from 1 to {OperatorAction.KeptMax}");
        return Forwarding.Forwarder.IsName(name) && await operations.HistoryAsync(name, (int)limit, cancellationToken) is { } actions
            ? Json(request, actions.Select(action => new ActionAnswer(
                action.Id, EntryJson.Timestamp(action.At), action.By, action.What, action.Detail, action.Why, action.Request, action.Outcome!, action.OutcomeDetail)).ToArray())
            : NoForwarder(name);
    }

    /// <summary><c>POST /api/forwarders/{name}/parked/{partition}/{offset}/retry</c></summary>
    public async Task<IResult> RetryAsync(HttpRequest request, string name, string partition, string offset, CancellationToken cancellationToken)
    {
        var (place, problem) = await PlaceAsync(request, name, partition, offset, cancellationToken);
        return place is { } at
            ? Answer(request, name, await operations.RetryAsync(name, at.Partition, at.Offset, cancellationToken, Who(request)), NotParked())
            : problem!;
    }

    /// <summary><c>POST /api/forwarders/{name}/parked/{partition}/{offset}/discard</c></summary>
    public async Task<IResult> DiscardAsync(HttpRequest request, string name, string partition, string offset, CancellationToken cancellationToken)
    {
        var (place, problem) = await PlaceAsync(request, name, partition, offset, cancellationToken);
        if (place is not { } at) return problem!;
        var (body, badBody) = await JsonBody.ReadAsync(request, OperationBodies.BytesMax, optional: false, cancellationToken);
        if (body is null) return badBody!;
        var fields = new JsonFields(body.Root);
        var reason = OperationBodies.Reason(fields);
        return fields.Problem() as IResult
            ?? Answer(request, name, await operations.DiscardAsync(name, at.Partition, at.Offset, reason, cancellationToken, Who(request)), NotParked());
    }

    /// <summary><c>DELETE /api/forwarders/{name}/requests/{id}</c></summary>
    public async Task<IResult> TakeBackAsync(HttpRequest request, string name, string id, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query) is { } unknown) return unknown;
        if (!Forwarding.Forwarder.IsName(name)) return NoForwarder(name);
        var result = await operations.TakeBackAsync(name, id, cancellationToken, Who(request));
        return result is OperationResult.Done ? Json(request, new TakenBackAnswer(name, id)) : Answer(request, name, result);
    }

    /// <summary><c>POST /api/forwarders/{name}/skip</c></summary>
    public async Task<IResult> SkipAsync(HttpRequest request, string name, CancellationToken cancellationToken)
    {
        var (fields, problem) = await FieldsAsync(request, name, cancellationToken);
        if (fields is null) return problem!;
        var (partition, to, why) = OperationBodies.Skip(fields, (await store.RefreshLayoutAsync(cancellationToken)).Partitions);
        if (fields.Problem() is { } badFields) return badFields;
        var result = await operations.SkipAsync(name, partition, to, cancellationToken, Who(request), why);
        return result is OperationResult.Skipped skipped
            ? Json(request, new SkippedAnswer(name, partition, skipped.From, skipped.To, skipped.To - skipped.From))
            : Answer(request, name, result);
    }

    /// <summary><c>DELETE /api/forwarders/{name}</c></summary>
    public async Task<IResult> ForgetAsync(HttpRequest request, string name, CancellationToken cancellationToken) =>
        QueryParameters.Refuse(request.Query) as IResult
        ?? (!Forwarding.Forwarder.IsName(name) ? NoForwarder(name)
            : await operations.ForgetAsync(name, cancellationToken, Who(request)) is var result && result is OperationResult.Done
                ? NotStored(request, Results.NoContent())
            : Answer(request, name, result));

    private static async Task<(JsonFields? Fields, Problem? Problem)> FieldsAsync(HttpRequest request, string name, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query) is { } unknown) return (null, unknown);
        if (!Forwarding.Forwarder.IsName(name)) return (null, NoForwarder(name));
        var (body, problem) = await JsonBody.ReadAsync(request, OperationBodies.BytesMax, optional: false, cancellationToken);
        return body is null ? (null, problem) : (new JsonFields(body.Root), null);
    }

    private async Task<((int Partition, long Offset)? Place, Problem? Problem)> PlaceAsync(
        HttpRequest request, string name, string partition, string offset, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query) is { } unknown) return (null, unknown);
        var layout = await store.LayoutWithAsync(partition, cancellationToken);
        return Forwarding.Forwarder.IsName(name)
            && QueryParameters.TryParse(partition, 0, layout.Partitions - 1, out var p) && QueryParameters.TryParse(offset, 0, long.MaxValue, out var o)
            ? ((((int)p), o), null)
            : (null, NotParked());
    }

    private static IResult Answer(HttpRequest request, string name, OperationResult result, Problem? notFound = null) => result switch
    {
        OperationResult.Done done => Json(request, new AcceptedAnswer(name, done.RequestId, done.ReplayId), StatusCodes.Status202Accepted),
        OperationResult.Matched matched => Json(request, new MatchedAnswer(name, matched.RequestId, matched.ReplayId, matched.Count), StatusCodes.Status202Accepted),
        OperationResult.NotFound => notFound ?? NoForwarder(name),
        OperationResult.Behind behind => Problem.Conflict(
            "behind-parked", $"This entry waits behind entry {behind.Offset}: retry or discard that one.").With("behind", behind.Offset),
        OperationResult.OutOfRange range => Problem.BadRequest(
            $"fromOffset and toOffset: the log has entries {range.Oldest} to {range.Head - 1}.").With("oldestOffset", range.Oldest).With("headOffset", range.Head),
        OperationResult.InUse => Problem.Conflict("forwarder-in-use", $"'{name}' is one of this app's forwarders, or another process has run it within the last ten minutes; only one that no longer exists can be forgotten."),
        OperationResult.NoRequest => Problem.NotFound("request-not-found", $"'{name}' has no such request, or it is done."),
        OperationResult.NotGone there => Problem.Conflict(
            "entries-there",
            there.There > there.Next
                ? $"'{name}' is at entry {there.Next}, and the first that is there is {there.There}: it can skip to {there.There} at most, and to {there.Next + 1} at least."
                : $"'{name}' is at entry {there.Next}, which is there or still to come: there is nothing to skip.").With("nextOffset", there.Next).With("firstOffset", there.There),
        OperationResult.TooMany => Problem.Unavailable("busy", "Too many requests to this forwarder are waiting to be carried out."),
        _ => throw new InvalidOperationException($"Unknown result {result}."),
    };

    // Azure's own sign-in says who the operator is. A key only shows that the caller has it.
    private static string? Who(HttpRequest request) =>
        request.Headers[PrincipalHeader] is [{ Length: > 0 } principal] ? principal.Length <= WhoMax ? principal : principal[..WhoMax]
        : request.Headers.ContainsKey("x-functions-key") || request.Query.ContainsKey("code") ? "admin key"
        : null;

    private static Problem NoForwarder(string name) => Problem.NotFound(
        "forwarder-not-found", Forwarding.Forwarder.IsName(name) ? $"There is no forwarder '{name}'." : "There is no such forwarder.");

    private static Problem NotParked() => Problem.NotFound("entry-not-parked", "There is no such parked entry.");

    private static StatusForwarder Forwarder(ForwarderStatus status)
    {
        var worst = status.Partitions.FirstOrDefault(p => p.LastError is not null);
        var lastWrite = status.Partitions.Max(p => p.LastWriteAt);
        (string Cause, string WayOut)? why = worst?.LastError is { } error ? Troubles.Why(status.Name, error) : null;
        return new StatusForwarder(
            status.Name,
            status.State,
            status.IsKnownHere,
            status.Within is { } within ? (long)within.TotalSeconds : null,
            status.Partitions.Sum(p => p.Late),
            status.Partitions.Sum(p => p.Parked),
            worst?.LastError,
            status.Partitions.Min(p => p.FailingSince) is { } since ? EntryJson.Timestamp(since) : null,
            status.Partitions.Select(p => p.ConsecutiveFailures).DefaultIfEmpty().Max(),
            status.Partitions.Select(p => p.RefusedInARow).DefaultIfEmpty().Max(),
            lastWrite is { } at ? EntryJson.Timestamp(at) : null,
            [.. status.Partitions.SelectMany(p => p.Requests).Select(Request)],
            [.. status.Partitions.Select(p => new StatusForwarderPartition(
                p.Partition, p.NextOffset, p.Backlog, p.OldestUnforwardedAge is { } age ? Math.Round(age.TotalSeconds, 3) : 0, p.LeaseOwner, p.IsPaused, p.Parked, p.Late, p.LastError)
            {
                PausedAt = p.Control.PausedAt is { } since ? EntryJson.Timestamp(since) : null,
                PausedBy = p.Control.PausedBy,
                PausedReason = p.Control.PausedFor,
            })])
        {
            Cause = why?.Cause,
            WayOut = why?.WayOut,
        };
    }

    private static StatusRequest Request(RequestStanding standing) => new(
        standing.Id,
        standing.Request.Kind switch
        {
            ControlRequestKind.Replay => "replay",
            ControlRequestKind.Retry => "retry",
            ControlRequestKind.Discard => "discard",
            ControlRequestKind.RetryMatching => "retry-matching",
            _ => "discard-matching",
        },
        standing.Partition,
        standing.Request.Offset,
        standing.Request.ToOffset,
        standing.Request.At is { } at ? EntryJson.Timestamp(at) : null,
        standing.Request.By,
        standing.State,
        standing is { Done: { } done, Total: { } total } ? new StatusProgress(done, total) : null,
        standing.Reason);

    private static IResult Json<T>(HttpRequest request, T answer, int status = StatusCodes.Status200OK) => NotStored(
        request, new JsonAnswer<T>(answer, (System.Text.Json.Serialization.Metadata.JsonTypeInfo<T>)HttpJson.Default.GetTypeInfo(typeof(T))!, status));

    private static IResult NotStored(HttpRequest request, IResult result)
    {
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        return result;
    }
}
