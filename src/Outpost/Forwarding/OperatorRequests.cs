using System.Text.Json;

namespace Outpost.Forwarding;

/// <summary>
/// Carries out requests of operators, one step at a time and each request by itself: one that fails or waits holds up no other.
/// It also releases entries that waited behind one which is no longer parked. It is part of one drain, under its lease.
/// </summary>
internal sealed class OperatorRequests(
    Forwarder forwarder, int partition, ForwardingContext context, Lease lease, ParkedEntries parked, LeasedTarget target)
{
    // The discarded entries are deleted together with one write of the checkpoint, which takes at most a hundred rows.
    private const int DiscardedAtOnce = 50;

    // Released entries are not side by side, so each needs its own read. This many reads run at once.
    private const int ReleasedAtOnce = 20;

    // In characters: a hundred reasons must fit into one property, as JSON.
    private const int ReasonMax = 200;

    // How long a request that failed lets the others go first.
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);

    private const string Gone = "It is no longer in the log.";

    private readonly Dictionary<long, PoisonSearch> _replayed = [];
    private readonly PoisonSearch _released = new();
    private readonly Dictionary<string, long> _failedAt = [];
    private long _last;

    /// <summary>Lets requests that failed be tried again at once. Call it when there is nothing else to do.</summary>
    public void AskAgain() => _failedAt.Clear();

    /// <summary>Whether there is a request, or a released entry, to try now.</summary>
    public bool IsAnyDue(Control control) => parked.Released(1, IsLater).Count > 0 || Due(control).Any();

    public async Task<Step> StepAsync(PartitionState state, Control control, CancellationToken stop)
    {
        // Released entries go first: the request that released them is done once they are delivered.
        var released = parked.Released(Math.Min(ReleasedAtOnce, _released.Max), IsLater);
        if (released.Count > 0) return await TryAsync(released[0].Subject, () => ReleaseAsync(released, stop));
        // The checkpoint says what is done, so all writes of it must have ended.
        if (control.Requests.Count == 0) return Step.Idle;
        if (!await lease.SettleAsync()) return Step.Lost.Instance;
        var due = Due(control).ToList();
        if (due.Count == 0) return Step.Idle;
        // Requests take turns: this one is the next after the last.
        var request = due.Find(one => one.Number > _last) ?? due[0];
        _last = request.Number;
        return await TryAsync(Turn(request), () => CarryOutAsync(request, state, control, stop), request, control);
    }

    private IEnumerable<ControlRequest> Due(Control control) => control.Waiting(lease.Checkpoint).Where(request =>
        !IsLater(Turn(request)) && lease.Checkpoint.ProgressOf(request) is not { IsBlocked: true } && !WaitsForForwarding(request) && !WaitsForRelease(request));

    // A replay must not overtake entries that were never delivered: those come first, and in order.
    private bool WaitsForForwarding(ControlRequest request) =>
        request.Kind == ControlRequestKind.Replay && Next(request) <= request.ToOffset && Next(request) >= lease.Checkpoint.NextOffset;

    // The entry is no longer parked, but those behind it are not delivered yet. Until then the request stays open.
    private bool WaitsForRelease(ControlRequest request) =>
        request.Kind != ControlRequestKind.Replay && !IsAnyLeft(request) && parked.Released(1).Count > 0;

    private bool IsAnyLeft(ControlRequest request) =>
        request.Filter is null ? parked[request.Offset] is { Behind: null } : Matching(request).Any();

    // Only entries that were parked when the request was made: nobody has decided about those refused since.
    private IEnumerable<ParkedEntry> Matching(ControlRequest request) =>
        parked.Matching(Next(request), entry => request.Filter!.Accepts(entry) && entry.At <= (request.At ?? DateTimeOffset.MaxValue));

    private long Next(ControlRequest request) => lease.Checkpoint.ProgressOf(request)?.Next ?? request.Offset;

    private static string Turn(ControlRequest request) => $"{request.Number} ";

    private bool IsLater(string turn) => _failedAt.TryGetValue(turn, out var at) && context.Sources.Time.GetElapsedTime(at) < AskAgainAfter;

    private async Task<Step> TryAsync(string turn, Func<Task<Step>> act, ControlRequest? request = null, Control? control = null)
    {
        _failedAt.Remove(turn);
        var step = await act();
        if (step is not Step.Failed failed) return step;
        _failedAt[turn] = context.Sources.Time.GetTimestamp();
        // Status shows the reason from the first failure on.
        if (request is null || Cut(failed.Reason) is var reason && lease.Checkpoint.ProgressOf(request)?.Reason == reason) return step;
        return await SaveAsync(request, control!, progress => progress with { Reason = reason }) is Step.Lost lost ? lost : step;
    }

    private Task<Step> CarryOutAsync(ControlRequest request, PartitionState state, Control control, CancellationToken stop) => request.Kind switch
    {
        // The entry is given up meanwhile.
        ControlRequestKind.Retry when control.Waiting(lease.Checkpoint).Any(other => other.Kind == ControlRequestKind.Discard && other.Offset == request.Offset) =>
            DoneAsync(request, control),
        ControlRequestKind.Replay => ReplayAsync(request, state, control, stop),
        ControlRequestKind.Retry or ControlRequestKind.RetryMatching => RetryAsync(request, control, stop),
        ControlRequestKind.DiscardMatching => DiscardMatchingAsync(request, control),
        _ => DiscardAsync(request, control),
    };

    private async Task<Step> ReplayAsync(ControlRequest request, PartitionState state, Control control, CancellationToken stop)
    {
        var (from, end) = (Next(request), Math.Min(request.ToOffset!.Value + 1, state.Head));
        if (from >= end) return await ReplayedAsync(request, control, from);
        if (from < state.Oldest) return await BlockAsync(request, control, from, Math.Min(state.Oldest, end) - 1);
        var sent = Math.Min(end, lease.Checkpoint.NextOffset);
        if (!_replayed.TryGetValue(request.Number, out var search)) _replayed[request.Number] = search = new PoisonSearch();
        var entries = await context.Events.ReadEventsAsync(partition, from, (int)Math.Min(Math.Min(search.Max, Limits.PageEntriesMax), sent - from), stop);
        // Every entry of the range was here, and was delivered, so a missing one is gone for good.
        if (entries.Count == 0) return await context.Events.ReadTimestampAsync(partition, from, stop) is null ? await BlockAsync(request, control, from, from) : Step.Idle;
        var wanted = request.Filter is { } filter ? [.. entries.Where(filter.Accepts)] : entries;
        if (wanted.Count == 0) return await ReplayedAsync(request, control, from + entries.Count);
        switch (await target.DeliverAsync(wanted, request.Id, stop))
        {
            case Step.Delivered { Count: var count }:
                search.Accepted(count);
                return await ReplayedAsync(request, control, count == wanted.Count ? from + entries.Count : wanted[count].Offset);
            case Step.Refused refused when !search.Refused(refused.Attempted):
                return Step.Worked.Instance;
            case Step.Refused refused:
                // The entry was delivered or parked before, so a replay parks nothing.
                context.Log.ReplayRefused(forwarder.Name, wanted[0].Id.ToString(), refused.Reason);
                return await ReplayedAsync(request, control, wanted[0].Offset + 1);
            case var other:
                return other;
        }
    }

    private async Task<Step> ReplayedAsync(ControlRequest request, Control control, long next)
    {
        if (next <= request.ToOffset) return await SaveAsync(request, control, progress => progress with { Next = next, Reason = null });
        var step = await DoneAsync(request, control);
        if (step is Step.Worked) context.Log.Replayed(forwarder.Name, partition, request.Offset, request.ToOffset!.Value, request.Id ?? "");
        _replayed.Remove(request.Number);
        return step;
    }

    private async Task<Step> RetryAsync(ControlRequest request, Control control, CancellationToken stop)
    {
        var isOfMany = request.Filter is not null;
        var entry = isOfMany ? Matching(request).FirstOrDefault() : parked[request.Offset] is { Behind: null } one ? one : null;
        if (entry is null) return await DoneAsync(request, control);
        var entries = await context.Events.ReadEventsAsync(partition, entry.Offset, 1, stop);
        // If the row of the entry is gone, somebody deleted it by hand. An operator can still discard the parked entry.
        switch (entries.Count == 0 ? new Step.Refused(1, Gone) : await target.DeliverAsync(entries, null, stop))
        {
            case Step.Delivered:
                context.Log.Unparked(forwarder.Name, partition, entry.Offset);
                return isOfMany
                    ? await UnparkAsync([entry.Offset], c => Handled(c, request, control, entry.Offset, 1))
                    : await UnparkAsync([entry.Offset], request, control);
            case Step.Refused refused:
                context.Log.RefusedAgain(forwarder.Name, partition, entry.Offset, refused.Reason);
                // An operator is looking at the forwarder, so new entries may be parked again.
                return await ParkAsync(
                    entry with { Reason = refused.Reason, Attempts = entry.Attempts + 1 },
                    c => isOfMany ? Handled(c with { Refused = 0 }, request, control, entry.Offset, 1) : Done(c with { Refused = 0 }, request, control));
            case var other:
                return other;
        }
    }

    private async Task<Step> DiscardMatchingAsync(ControlRequest request, Control control)
    {
        var some = Matching(request).Take(DiscardedAtOnce).ToList();
        if (some.Count == 0) return await DoneAsync(request, control);
        foreach (var entry in some) context.Log.Discarded(forwarder.Name, partition, entry.Offset, entry.Subject, request.Reason ?? "one of many");
        return await UnparkAsync([.. some.Select(entry => entry.Offset)], c => Handled(c, request, control, some[^1].Offset, some.Count));
    }

    private static Checkpoint Handled(Checkpoint checkpoint, ControlRequest request, Control control, long offset, int count)
    {
        var before = checkpoint.ProgressOf(request) ?? new RequestProgress(request.Number, request.Id);
        return checkpoint.With(before with { Next = offset + 1, Handled = (before.Handled ?? 0) + count, Reason = null }, control);
    }

    private async Task<Step> DiscardAsync(ControlRequest request, Control control)
    {
        if (parked[request.Offset] is not { Behind: null } entry) return await DoneAsync(request, control);
        context.Log.Discarded(forwarder.Name, partition, entry.Offset, entry.Subject, request.Why ?? "");
        return await UnparkAsync([entry.Offset], request, control);
    }

    private async Task<Step> ReleaseAsync(IReadOnlyList<ParkedEntry> released, CancellationToken stop)
    {
        var read = await Task.WhenAll(released.Select(entry => context.Events.ReadEventsAsync(partition, entry.Offset, 1, stop)));
        var entries = read.TakeWhile(one => one.Count == 1).Select(one => one[0]).ToList();
        switch (entries.Count == 0 ? new Step.Refused(1, Gone) : await target.DeliverAsync(entries, null, stop))
        {
            case Step.Delivered { Count: var count }:
                _released.Accepted(count);
                return await UnparkAsync([.. released.Take(count).Select(entry => entry.Offset)]);
            case Step.Refused refused when !_released.Refused(refused.Attempted):
                return Step.Worked.Instance;
            case Step.Refused refused:
                // This entry is now refused itself, and those after it wait behind it.
                context.Log.RefusedAgain(forwarder.Name, partition, released[0].Offset, refused.Reason);
                return await ParkAsync(released[0] with { Reason = refused.Reason, Behind = null, Attempts = 1, At = context.Events.Now }, c => c);
            case var other:
                return other;
        }
    }

    // A replay never steps over missing entries by itself: an operator must take it back, and ask for the rest.
    private Task<Step> BlockAsync(ControlRequest request, Control control, long from, long to)
    {
        var missing = from == to ? $"Entry {from} is" : $"Entries {from} to {to} are";
        var left = to < request.ToOffset ? $" Take this request back, and ask for {to + 1} to {request.ToOffset}." : " Take this request back.";
        context.Log.RequestBlocked(forwarder.Name, partition, request.NameIn(partition), missing);
        return SaveAsync(request, control, progress => progress with { Next = from, IsBlocked = true, Reason = $"{missing} no longer in the log.{left}" });
    }

    private Task<Step> DoneAsync(ControlRequest request, Control control) => SaveAsync(c => Done(c, request, control), [], []);

    private static Checkpoint Done(Checkpoint checkpoint, ControlRequest request, Control control) =>
        checkpoint.With(new RequestProgress(request.Number, request.Id) { IsDone = true }, control);

    private Task<Step> SaveAsync(ControlRequest request, Control control, Func<RequestProgress, RequestProgress> change) => SaveAsync(
        c => c.With(change(c.ProgressOf(request) ?? new RequestProgress(request.Number, request.Id)), control), [], []);

    private Task<Step> ParkAsync(ParkedEntry entry, Func<Checkpoint, Checkpoint> change)
    {
        parked.Add(entry);
        return SaveAsync(change, [entry], []);
    }

    private Task<Step> UnparkAsync(IReadOnlyList<long> offsets, Func<Checkpoint, Checkpoint> change)
    {
        foreach (var offset in offsets) parked.Remove(offset);
        return SaveAsync(c => change(c with { Parked = c.Parked - offsets.Count, Refused = 0 }), [], offsets);
    }

    private Task<Step> UnparkAsync(IReadOnlyList<long> offsets, ControlRequest? request = null, Control? control = null)
    {
        foreach (var offset in offsets) parked.Remove(offset);
        // With followers, the request stays open until they are delivered. After a crash, a later run goes by that.
        var isDone = request is not null && parked.Released(1).Count == 0;
        return SaveAsync(
            c =>
            {
                // The target accepted an entry, or an operator decided about one, so new entries may be parked again.
                var after = c with { Parked = c.Parked - offsets.Count, Refused = 0 };
                return isDone ? Done(after, request!, control!) : after;
            },
            [],
            offsets);
    }

    private async Task<Step> SaveAsync(Func<Checkpoint, Checkpoint> change, IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark) =>
        await lease.SaveAsync(change, park, unpark) ? Step.Worked.Instance : Step.Lost.Instance;

    private static string Cut(string reason)
    {
        var text = reason.Length <= ReasonMax ? reason : reason[..(char.IsHighSurrogate(reason[ReasonMax - 1]) ? ReasonMax - 1 : ReasonMax)];
        // In JSON, each character outside ASCII takes six.
        return JsonEncodedText.Encode(text).Value.Length <= ReasonMax * 3 / 2 ? text : text[..(ReasonMax / 4)];
    }
}
