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
    Func<IReadOnlyList<EventEntry>, string?, CancellationToken, Task<Step>> deliver)
{
    // Released entries are read one by one, since they are not side by side: so many at once.
    private const int ReleasedAtOnce = 20;

    private int _replayMax = Limits.PageEntriesMax;
    private int _releaseMax = ReleasedAtOnce;

    public async Task<Step> StepAsync(PartitionState state, Control control, CancellationToken stop)
    {
        if (control.NextAfter(lease.Checkpoint.RequestDone) is { } request)
        {
            // The checkpoint says what is done: it must be written before it is asked.
            if (!await lease.SettleAsync()) return Step.Lost.Instance;
            if (request.Number <= lease.Checkpoint.RequestDone) return Step.Worked.Instance;
            return request.Kind switch
            {
                ControlRequestKind.Replay => await ReplayAsync(request, state, stop),
                ControlRequestKind.Retry => await RetryAsync(request, stop),
                _ => await DiscardAsync(request),
            };
        }

        var released = parked.Released(_releaseMax);
        return released.Count == 0 ? Step.Idle : await ReleaseAsync(released, stop);
    }

    private async Task<Step> ReplayAsync(ControlRequest request, PartitionState state, CancellationToken stop)
    {
        var from = Math.Max(lease.Checkpoint.ReplayNext ?? request.Offset, state.Oldest);
        var end = Math.Min(request.ToOffset!.Value + 1, state.Head);
        if (from >= end)
        {
            _replayMax = Limits.PageEntriesMax;
            context.Log.Replayed(forwarder.Name, partition, request.Offset, request.ToOffset.Value, request.Id ?? "");
            return await SaveAsync(c => c with { RequestDone = request.Number, ReplayNext = null });
        }

        var entries = await context.Events.ReadEventsAsync(partition, from, (int)Math.Min(_replayMax, end - from), stop);
        if (entries.Count == 0) return Step.Idle;
        switch (await deliver(entries, request.Id, stop))
        {
            case Step.Delivered { Count: var count }:
                _replayMax = Limits.PageEntriesMax;
                return await SaveAsync(c => c with { ReplayNext = from + count });
            case Step.Refused { Attempted: > 1 }:
                _replayMax = 1;
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
        if (entries.Count == 0)
            return new Step.Failed(new InvalidOperationException($"Entry {entry.Offset} is parked and not in the log."), "entries gone", IsTransient: false);
        switch (await deliver(entries, null, stop))
        {
            case Step.Delivered:
                context.Log.Unparked(forwarder.Name, partition, entry.Offset);
                return await UnparkAsync([entry.Offset], c => c with { RequestDone = request.Number });
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
        return await UnparkAsync([entry.Offset], c => c with { RequestDone = request.Number });
    }

    private async Task<Step> ReleaseAsync(IReadOnlyList<ParkedEntry> released, CancellationToken stop)
    {
        var read = await Task.WhenAll(released.Select(entry => context.Events.ReadEventsAsync(partition, entry.Offset, 1, stop)));
        var entries = read.TakeWhile(one => one.Count == 1).Select(one => one[0]).ToList();
        if (entries.Count == 0)
            return new Step.Failed(new InvalidOperationException($"Entry {released[0].Offset} is parked and not in the log."), "entries gone", IsTransient: false);
        switch (await deliver(entries, null, stop))
        {
            case Step.Delivered { Count: var count }:
                _releaseMax = ReleasedAtOnce;
                return await UnparkAsync([.. released.Take(count).Select(entry => entry.Offset)], c => c);
            case Step.Refused { Attempted: > 1 }:
                _releaseMax = 1;
                return Step.Worked.Instance;
            case Step.Refused refused:
                // Now it is the refused one itself; those after it wait on.
                _releaseMax = ReleasedAtOnce;
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

    private Task<Step> UnparkAsync(IReadOnlyList<long> offsets, Func<Checkpoint, Checkpoint> change)
    {
        foreach (var offset in offsets) parked.Remove(offset);
        return SaveAsync(c => change(c) with { Parked = c.Parked - offsets.Count }, [], offsets);
    }

    private async Task<Step> SaveAsync(Func<Checkpoint, Checkpoint> change, IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark) =>
        await lease.SaveAsync(change, park, unpark) ? Step.Worked.Instance : Step.Lost.Instance;
}
