namespace Outpost.Forwarding;

/// <summary>
/// Carries out what operators ask for, one step at a time: replays, retries and discards; and releases what waited
/// behind an entry that is parked no more. Part of one drain, under its lease.
/// </summary>
internal sealed class OperatorRequests(
    Forwarder forwarder,
    int partition,
    ForwardingContext context,
    Lease lease,
    ParkedEntries parked,
    DrainMemory memory,
    LeasedTarget target)
{
    // Released entries are read one by one, since they are not side by side: so many at once.
    private const int ReleasedAtOnce = 20;

    // While there is something new to deliver.
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);

    private const string Gone = "It is in the log no more.";

    private readonly PoisonSearch _replayed = new();
    private readonly PoisonSearch _released = new();
    private long? _failedAt;

    /// <summary>The target failed at what was asked for and takes what is new: that does not wait for the other.</summary>
    public void AskAgainLater() => _failedAt = context.Sources.Time.GetTimestamp();

    public async Task<Step> StepAsync(PartitionState state, Control control, CancellationToken stop)
    {
        if (_failedAt is { } at && context.Sources.Time.GetElapsedTime(at) < AskAgainAfter) return Step.Idle;
        _failedAt = null;
        // First those that the request under way let go: it is done when they are.
        var released = parked.Released(Math.Min(ReleasedAtOnce, _released.Max));
        if (released.Count > 0) return await ReleaseAsync(released, stop);
        if (control.NextAfter(lease.Checkpoint.RequestDone) is not { } request) return Step.Idle;
        // The checkpoint says what is done: it must be written before it is asked.
        if (!await lease.SettleAsync()) return Step.Lost.Instance;
        if (request.Number <= lease.Checkpoint.RequestDone) return Step.Worked.Instance;
        return request.Kind switch
        {
            // Given up meanwhile: the target may fail at it for ever, and the wish to give it up waits behind this one.
            ControlRequestKind.Retry when control.Requests.Any(later => later.Number > request.Number
                && later.Kind == ControlRequestKind.Discard && later.Offset == request.Offset) => await SaveAsync(c => c with { RequestDone = request.Number }),
            ControlRequestKind.Replay => await ReplayAsync(request, state, stop),
            ControlRequestKind.Retry => await RetryAsync(request, stop),
            _ => await DiscardAsync(request),
        };
    }

    private async Task<Step> ReplayAsync(ControlRequest request, PartitionState state, CancellationToken stop)
    {
        var from = Math.Max(lease.Checkpoint.ReplayNext ?? request.Offset, state.Oldest);
        var end = Math.Min(request.ToOffset!.Value + 1, state.Head);
        // What was never delivered comes first, and in order: a replay must not overtake it.
        var sent = Math.Min(end, lease.Checkpoint.NextOffset);
        if (from >= end)
        {
            context.Log.Replayed(forwarder.Name, partition, request.Offset, request.ToOffset.Value, request.Id ?? "");
            return await SaveAsync(c => c with { RequestDone = request.Number, ReplayNext = null });
        }

        if (from >= sent) return Step.Idle;
        var entries = await context.Events.ReadEventsAsync(partition, from, (int)Math.Min(Math.Min(_replayed.Max, Limits.PageEntriesMax), sent - from), stop);
        if (entries.Count == 0) return Step.Idle;
        switch (await target.DeliverAsync(entries, request.Id, stop))
        {
            case Step.Delivered { Count: var count }:
                _replayed.Accepted(count);
                return await SaveAsync(c => c with { ReplayNext = from + count });
            case Step.Refused refused when !_replayed.Refused(refused.Attempted):
                return Step.Worked.Instance;
            case Step.Refused refused:
                // It was delivered or parked before; a replay has nothing to park.
                context.Log.ReplayRefused(forwarder.Name, entries[0].Id.ToString(), refused.Reason);
                return await SaveAsync(c => c with { ReplayNext = from + 1 });
            case var other:
                return other;
        }
    }

    private async Task<Step> RetryAsync(ControlRequest request, CancellationToken stop)
    {
        if (parked[request.Offset] is not { Behind: null } entry) return await SaveAsync(c => c with { RequestDone = request.Number });
        var entries = await context.Events.ReadEventsAsync(partition, entry.Offset, 1, stop);
        // Its row is gone, which nothing here does: an operator can still discard it.
        switch (entries.Count == 0 ? new Step.Refused(1, Gone) : await target.DeliverAsync(entries, null, stop))
        {
            case Step.Delivered:
                context.Log.Unparked(forwarder.Name, partition, entry.Offset);
                return await UnparkAsync([entry.Offset], request);
            case Step.Refused refused:
                context.Log.RefusedAgain(forwarder.Name, partition, entry.Offset, refused.Reason);
                return await ParkAsync(entry with { Reason = refused.Reason, Attempts = entry.Attempts + 1 }, c => c with { RequestDone = request.Number });
            case var other:
                return other;
        }
    }

    private async Task<Step> DiscardAsync(ControlRequest request)
    {
        if (parked[request.Offset] is not { Behind: null } entry) return await SaveAsync(c => c with { RequestDone = request.Number });
        context.Log.Discarded(forwarder.Name, partition, entry.Offset, entry.Subject, request.Id ?? "");
        // Somebody looked: the target may be asked for the next ones again.
        memory.RefusedInRow = 0;
        return await UnparkAsync([entry.Offset], request);
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
                // Now it is the refused one itself; those after it wait on.
                context.Log.RefusedAgain(forwarder.Name, partition, released[0].Offset, refused.Reason);
                return await ParkAsync(released[0] with { Reason = refused.Reason, Behind = null, Attempts = 1 }, c => c);
            case var other:
                return other;
        }
    }

    private Task<Step> SaveAsync(Func<Checkpoint, Checkpoint> change) => SaveAsync(change, [], []);

    private Task<Step> ParkAsync(ParkedEntry entry, Func<Checkpoint, Checkpoint> change)
    {
        parked.Add(entry);
        return SaveAsync(change, [entry], []);
    }

    private Task<Step> UnparkAsync(IReadOnlyList<long> offsets, ControlRequest? request = null)
    {
        foreach (var offset in offsets) parked.Remove(offset);
        // With followers the request stays undone until they are delivered: after a crash that is what a later run goes by.
        var isDone = parked.Released(1).Count == 0;
        return SaveAsync(
            c => c with { Parked = c.Parked - offsets.Count, RequestDone = isDone && request is not null ? request.Number : c.RequestDone }, [], offsets);
    }

    private async Task<Step> SaveAsync(Func<Checkpoint, Checkpoint> change, IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark) =>
        await lease.SaveAsync(change, park, unpark) ? Step.Worked.Instance : Step.Lost.Instance;
}
