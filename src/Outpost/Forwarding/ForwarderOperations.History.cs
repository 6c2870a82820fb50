using System.Globalization;

namespace Outpost.Forwarding;

/// <summary>The part that keeps and logs every action: who did it, when, to what, why, and with what outcome.</summary>
internal sealed partial class ForwarderOperations
{
    /// <summary>What operators did to a forwarder, newest first; null if there is no such forwarder.</summary>
    /// <param name="forwarder">Name of the forwarder.</param>
    /// <param name="limit">How many actions to return, at most <see cref="OperatorAction.KeptMax"/>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<OperatorAction>?> HistoryAsync(string forwarder, int limit, CancellationToken cancellationToken)
    {
        // Reads all actions, because a later one tells whether a request was taken back.
        var kept = history is null ? [] : await history.ReadAsync(forwarder, OperatorAction.KeptMax, cancellationToken);
        // A forgotten forwarder keeps its history.
        if (kept.Count == 0 && await FindAsync(forwarder, cancellationToken) is not null) return null;
        var waiting = (await StatesAsync(cancellationToken)).SelectMany(state => RequestStanding.Of(state, forwarder)).ToLookup(one => one.Id);
        var takenBack = kept.Where(action => action is { What: "take-back", Outcome: "done" }).Select(action => action.Request).ToHashSet();
        return [.. kept.Take(limit).Select(action => Now(action, waiting, takenBack))];
    }

    private static OperatorAction Now(OperatorAction action, ILookup<string, RequestStanding> waiting, HashSet<string?> takenBack)
    {
        if (action is not { Outcome: "accepted", Request: { } request }) return action with { Outcome = action.Outcome ?? "unknown" };
        if (waiting[request].MaxBy(one => one.State switch { "blocked" => 3, "failing" => 2, "running" => 1, _ => 0 }) is { } standing)
            return action with { Outcome = standing.State, OutcomeDetail = standing.Reason ?? action.OutcomeDetail };
        return action with { Outcome = takenBack.Contains(request) ? "taken-back" : "done" };
    }

    // Written before and after the action, so that the history shows an action which a process began and did not finish.
    private async Task<OperationResult> KeepAsync(
        string forwarder, string what, string detail, string? by, string? why, Func<Task<OperationResult>> act, CancellationToken cancellationToken)
    {
        var action = new OperatorAction(sources.NewId().ToString("N")[..8], events.Now, forwarder, what, detail, by, why);
        if (history is not null) await history.SaveAsync(action, cancellationToken);
        var result = await act();
        var after = After(action, result);
        if (result is not OperationResult.NotFound)
            engine.Log.Acted(forwarder, what, detail, by ?? "nobody named", after.Outcome!, after.OutcomeDetail ?? after.Request ?? "", why ?? "no reason given");
        if (history is null) return result;
        try
        {
            // The action is done by now, whether or not the caller still waits. A call to the store ends by itself.
            await (result is OperationResult.NotFound ? history.DeleteAsync(action, CancellationToken.None) : history.SaveAsync(after, CancellationToken.None));
        }
        catch (StoreUnavailableException e)
        {
            engine.Log.OutcomeNotKept(forwarder, what, e.Message);
        }

        return result;
    }

    private static OperatorAction After(OperatorAction action, OperationResult result) => result switch
    {
        OperationResult.Done { RequestId: { } id } when action.What == "take-back" => action with { Outcome = "done", Request = id },
        OperationResult.Done { RequestId: { } id } => action with { Outcome = "accepted", Request = id },
        OperationResult.Done => action with { Outcome = "done" },
        OperationResult.Matched { RequestId: null } => action with { Outcome = "done", OutcomeDetail = "nothing matched" },
        OperationResult.Matched matched => action with { Outcome = "accepted", Request = matched.RequestId, OutcomeDetail = Entries(matched.Count) },
        OperationResult.Skipped skipped => action with { Outcome = "done", OutcomeDetail = $"{Entries(skipped.To - skipped.From)} lost to it" },
        _ => action with { Outcome = "refused", OutcomeDetail = Refusal(result) },
    };

    private static string Refusal(OperationResult result) => result switch
    {
        OperationResult.NotFound => "not found",
        OperationResult.NoRequest => "no such request, or it is done",
        OperationResult.NotGone there => string.Create(CultureInfo.InvariantCulture, $"it is at entry {there.Next}, and the first that is there is {there.There}"),
        OperationResult.Behind behind => string.Create(CultureInfo.InvariantCulture, $"it waits behind entry {behind.Offset}"),
        OperationResult.OutOfRange range => string.Create(CultureInfo.InvariantCulture, $"the log has entries {range.Oldest} to {range.Head - 1}"),
        OperationResult.InUse => "it is in use",
        OperationResult.TooMany => "too many requests wait",
        _ => throw new InvalidOperationException($"Unknown result {result}."),
    };

    private static string Entries(long count) => string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? "entry" : "entries")}");

    private static string Place(int partition, long offset) => string.Create(CultureInfo.InvariantCulture, $"partition {partition}, entry {offset}");

    private static string Where(int? partition) => partition is { } one ? string.Create(CultureInfo.InvariantCulture, $"partition {one}") : "all partitions";

    private static string Which(EntryFilter? filter) => string.Concat(
        filter?.Types is { } types ? $", {string.Join(" or ", types)}" : "",
        filter?.Subject is { } subject ? $", subject {subject}" : "",
        filter?.Reason is { } reason ? $", refused for: {reason}" : "");
}
