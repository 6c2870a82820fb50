namespace Outpost.Forwarding;

/// <summary>
/// Forwards one partition to one target, under a lease. A drain runs while there is work, and lingers for some time after that. A
/// process has at most one for each forwarder and partition.
/// </summary>
internal sealed class Drain(Forwarder forwarder, int partition, ForwardingContext context, DrainMemory memory)
{
    // How old the state that a busy drain knows may be, and with it what operators ask for.
    private static readonly TimeSpan ControlMaxAge = TimeSpan.FromSeconds(1);

    // Longer than a drain lingers by default, so that a single event costs no renewal. What is left of the lease is enough to begin
    // a delivery.
    private static readonly TimeSpan RenewAfter = TimeSpan.FromSeconds(6);

    // The tries take about six seconds. Then the next run tries again, and the lease is free meanwhile. A target that hangs gets
    // two tries, because another process may have a better connection.
    private const int TriesMax = 6;
    private static readonly TimeSpan TriesTime = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan BackoffMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(5);

    // The race is lost only if retention moves at the same moment, which it does a few times a second at most.
    private const int BeginTriesMax = 5;

    // The head is visible a moment before its entries. An entry that is not there after this time is missing.
    private static readonly TimeSpan MissingAfter = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time = context.Sources.Time;
    private readonly PoisonSearch _search = new();
    private Lease _lease = null!;
    private ParkedEntries _parked = new([]);
    private EntryReader _reader = null!;
    private LeasedTarget _target = null!;
    private OperatorRequests _requests = null!;
    private long _head;
    private long _idleSince;
    private bool _isCounted;

    /// <summary>Runs until there is nothing left to do, the lease is lost, the target fails, or <paramref name="stop"/> is cancelled.</summary>
    /// <param name="state">The partition as just read, which shows that there is work.</param>
    /// <param name="stop">Ends the run soon; what was delivered still gets its checkpoint.</param>
    /// <returns>
    /// The head up to which nothing is left to do: if the head is higher by now, it is worth going on at once. If going on at once
    /// makes no sense, <see cref="long.MaxValue"/>.
    /// </returns>
    public async Task<long> RunAsync(PartitionState state, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        using var lease = await TakeLeaseAsync(state, stop);
        if (lease is null) return long.MaxValue;
        _lease = lease;
        try
        {
            await PrepareAsync(stop);
            var end = await LoopAsync(stop);
            switch (end)
            {
                case Step.Lost:
                    context.Log.LostLease(forwarder.Name, partition, _lease.Checkpoint.NextOffset);
                    return long.MaxValue;
                case Step.Failed failed:
                    memory.Failed(_time, elsewhere: failed.IsTransient);
                    await ReleaseAsync(c => c.Fails(failed.Reason, context.Events.Now, _isCounted));
                    return long.MaxValue;
                case var _ when end == Step.Yielded:
                    memory.Yield(_time, FairShare.YieldTime);
                    await ReleaseAsync(c => c);
                    return long.MaxValue;
                default:
                    await ReleaseAsync(c => c.Works);
                    return end == Step.Done ? _head : long.MaxValue;
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await ReleaseAsync(c => c);
            return long.MaxValue;
        }
        catch (Exception e) when (e is not LayoutMismatchException)
        {
            await TryReleaseAsync(e);
            throw;
        }
    }

    private async Task<Lease?> TakeLeaseAsync(PartitionState state, CancellationToken stop)
    {
        var lease = await Lease.TakeAsync(context.Store, state, forwarder.CheckpointIn(state), context.Options.Owner, _time);
        for (var again = 1; lease is null && again < BeginTriesMax && !stop.IsCancellationRequested; again++)
        {
            // Retention may have moved in between, so that the first entry is gone. As long as there is no checkpoint, nobody has the lease.
            if (forwarder.CheckpointIn(state).Tag is not null) break;
            state = await context.Watch.ReadAsync(partition, TimeSpan.Zero, stop);
            if (forwarder.CheckpointIn(state).Tag is null) lease = await Lease.TakeAsync(context.Store, state, forwarder.CheckpointIn(state), context.Options.Owner, _time);
        }

        if (lease is not null && state.CheckpointOf(forwarder.Name)?.Owner is { } before && before != context.Options.Owner)
            context.Metrics.LeaseTakenOver(forwarder.Name);
        return lease;
    }

    private async Task PrepareAsync(CancellationToken stop)
    {
        var checkpoint = _lease.Checkpoint;
        var parked = new List<ParkedEntry>();
        while (checkpoint.Parked > parked.Count)
        {
            var from = parked.Count == 0 ? 0 : parked[^1].Offset + 1;
            var page = await context.Store.ReadParkedAsync(partition, forwarder.Name, from, Limits.PageEntriesMax, stop);
            if (page.Count == 0) break;
            parked.AddRange(page);
        }

        _parked = new ParkedEntries(parked);
        _reader = new EntryReader(context.Events, partition, checkpoint.NextOffset);
        _target = new LeasedTarget(forwarder, partition, context, _lease, memory);
        _requests = new OperatorRequests(forwarder, partition, context, _lease, _parked, _target);
        _idleSince = _time.GetTimestamp();
    }

    private async Task<Step> LoopAsync(CancellationToken stop)
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            if (_lease.Lost.IsCancellationRequested) return Step.Lost.Instance;
            var state = await context.Watch.ReadAsync(partition, ControlMaxAge, stop);
            var control = state.ControlOf(forwarder.Name);
            if (control.IsPaused) return Step.Idle;
            if (state.Wishes.GetValueOrDefault(forwarder.Name)?.IsFor(_lease.Checkpoint) ?? false) return Step.Yielded;
            if (!await RenewAsync()) return Step.Lost.Instance;

            // Requests of operators and new entries take turns, so that neither waits for the end of the other.
            var asked = await _requests.StepAsync(state, control, stop);
            if (asked is Step.Lost) return asked;
            var forwarded = await ForwardAsync(state, stop);
            if (forwarded is Step.Lost) return forwarded;
            // A request that failed is tried again later. Until then, each of the others has its turn.
            if (asked is Step.Failed && forwarded is not Step.Failed && _requests.IsAnyDue(control)) continue;
            // The request may be what lets the forwarder go on: after a discard, fewer entries wait behind parked ones.
            if (asked is Step.Worked && forwarded is Step.Failed { IsTransient: false }) continue;
            if (forwarded is not Step.Worked && (asked as Step.Failed ?? forwarded as Step.Failed) is { } failed)
            {
                // Status shows the failure from the first try on, while the tries go on. A target that hangs has used up most of the
                // lease by now.
                if (!await _lease.SettleAsync()) return Step.Lost.Instance;
                var isSaid = _lease.Checkpoint.LastError is not null;
                if (!(isSaid ? await RenewAsync() : await _lease.SaveAsync(c => c.Fails(failed.Reason, context.Events.Now, isCounted: false)))) return Step.Lost.Instance;
                _isCounted |= !isSaid;
                if (!await BackOffAsync(failed, stop)) return failed;
                _requests.AskAgain();
                continue;
            }

            if (asked is Step.Worked || forwarded is Step.Worked) _idleSince = _time.GetTimestamp();
            else if (!await WaitForMoreAsync(stop)) return Step.Done;
        }
    }

    private async Task<Step> ForwardAsync(PartitionState state, CancellationToken stop)
    {
        _head = Math.Max(state.Head, context.Events.Heads[partition]);
        if (_reader.Next >= _head) return Step.Idle;
        if (_reader.Next < state.Oldest && _lease.Checkpoint.IsNew)
        {
            context.Log.BeginsLater(forwarder.Name, partition, state.Oldest, _reader.Next);
            if (!await _lease.SaveAsync(c => c with { NextOffset = state.Oldest })) return Step.Lost.Instance;
            _reader = new EntryReader(context.Events, partition, state.Oldest);
            return Step.Worked.Instance;
        }

        if (_reader.Next < state.Oldest)
            return new Step.Failed(new InvalidOperationException(
                $"Entries {_reader.Next} to {state.Oldest - 1} are gone before {forwarder.Name} forwarded them: skip to {state.Oldest} to go on with what is there."), "entries gone", IsTransient: false);
        var entries = await _reader.PeekAsync(stop);
        if (entries.Count == 0) return await MissingAsync(stop);
        memory.Missing = null;

        var segment = Segment.Of(entries, _parked, _search.Max, context.Events.Now);
        if (segment.Send.Count == 0)
            return segment.Hold.Count == 0 ? TooManyFollowers(entries[0]) : await MoveAsync(segment.End, segment.Hold);
        switch (await _target.DeliverAsync(segment.Send, null, stop))
        {
            case Step.Delivered { Count: var count, IsPassedOver: var isPassedOver }:
                _search.Accepted(count);
                var next = segment.NextAfter(count);
                return await MoveAsync(next, segment.HeldBelow(next), refused => isPassedOver ? refused : 0);
            case Step.Refused refused:
                return await RefusedAsync(segment, refused);
            case var other:
                return other;
        }
    }

    private async Task<Step> RefusedAsync(Segment segment, Step.Refused refused)
    {
        if (!_search.Refused(refused.Attempted)) return Step.Worked.Instance;
        var entry = segment.Send[0];
        if (!await _lease.SettleAsync()) return Step.Lost.Instance;
        if (forwarder.RefusalsInARow > 0 && _lease.Checkpoint.Refused >= forwarder.RefusalsInARow)
            return new Step.Failed(new InvalidOperationException(
                $"{forwarder.Name} refused {_lease.Checkpoint.Refused} entries in a row, so it may refuse all of them. No more entries are parked until it accepts one, or somebody retries or discards a parked one. The last reason: {refused.Reason}"), "refuses all", IsTransient: false);
        context.Log.Parked(forwarder.Name, entry.Id.ToString(), entry.Subject, refused.Reason);
        var parked = new ParkedEntry(partition, entry.Offset, entry.Subject, entry.Type, refused.Reason, null, 1, context.Events.Now);
        return await MoveAsync(entry.Offset + 1, [.. segment.HeldBelow(entry.Offset), parked], before => before + 1);
    }

    // The entry is looked for again soon, but not at once. If it stays away, this is a failure.
    private async Task<Step> MissingAsync(CancellationToken stop)
    {
        if (memory.Missing?.Offset != _reader.Next) memory.Missing = (_reader.Next, _time.GetTimestamp());
        if (_time.GetElapsedTime(memory.Missing!.Value.Since) < MissingAfter) return Step.Idle;
        if (await context.Events.ReadTimestampAsync(partition, _reader.Next, stop) is not null) return Step.Idle;
        return new Step.Failed(
            new InvalidOperationException($"Entry {_reader.Next} is not in the log, although later ones are: skip it, or restore it."), "entry missing", IsTransient: false);
    }

    private static Step.Failed TooManyFollowers(EventEntry entry) => new(
        new InvalidOperationException(
            $"{Limits.FollowersMax} entries wait behind parked ones, and {entry.Id} would be one more: retry or discard what is parked."),
        "too many followers",
        IsTransient: false);

    // The checkpoint is being written while the next batches are delivered.
    private async Task<Step> MoveAsync(long nextOffset, IReadOnlyList<ParkedEntry> park, Func<int, int>? refused = null)
    {
        foreach (var entry in park) _parked.Add(entry);
        var parked = park.Count;
        if (!await _lease.BeginSaveAsync(
                c => c.Works with { NextOffset = nextOffset, IsNew = false, Parked = c.Parked + parked, Refused = refused?.Invoke(c.Refused) ?? c.Refused }, park))
            return Step.Lost.Instance;
        _isCounted = false;
        _reader.AdvanceTo(nextOffset);
        return Step.Worked.Instance;
    }

    // Returns false when this run has tried enough.
    private async Task<bool> BackOffAsync(Step.Failed failed, CancellationToken stop)
    {
        memory.Say(failed, () => context.Log.Fails(forwarder.Name, partition, failed));
        if (!failed.IsTransient || ++_target.Failures >= TriesMax || _target.FailsFor >= TriesTime) return false;
        var delay = BackoffMin * Math.Pow(2, _target.Failures) * (0.5 + context.Sources.NextRandom());
        await Task.Delay(delay < BackoffMax ? delay : BackoffMax, _time, stop);
        return true;
    }

    private async Task<bool> WaitForMoreAsync(CancellationToken stop)
    {
        var quiet = _time.GetElapsedTime(_idleSince);
        var left = context.Options.Linger - quiet;
        if (left <= TimeSpan.Zero) return false;
        // A head whose entries are not visible yet wakes nobody. Without a pause, this would be a busy loop.
        if (context.Events.Heads[partition] > _reader.Next)
        {
            await Task.Delay(context.Options.Poll, _time, stop);
            return true;
        }

        // Looks at the end of the linger too: a process that finds this lease meanwhile relies on one more look.
        var gap = Looks.Gap(quiet, context.Options.Poll);
        if (!await context.Events.Heads.BeyondAsync(partition, _reader.Next, left < gap ? left : gap, _time, stop)) await LookAsync(gap / 2, stop);
        return true;
    }

    // A look by another forwarder of this process does as well. A commit of this process does not wait for the look to end.
    private async Task LookAsync(TimeSpan maxAge, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var look = context.Watch.ReadAsync(partition, maxAge, stop);
        var news = context.Events.Heads.BeyondAsync(partition, _reader.Next, Timeout.InfiniteTimeSpan, _time, over.Token);
        var first = await Task.WhenAny(look, news);
        // Cancels in place: the wait that it ends has nothing else to do.
#pragma warning disable CA1849
        over.Cancel();
#pragma warning restore CA1849
        await ((Task)news).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (first == look) await look;
        // The result of this look does not matter: the next look shows the same.
        else _ = look.ContinueWith(static left => left.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task<bool> RenewAsync() =>
        _time.GetElapsedTime(_lease.RenewedAt) <= RenewAfter || await _lease.SaveAsync(c => c);

    // Whatever the cause, nobody should have to wait for the lease to end. The row tells the cause.
    private async Task TryReleaseAsync(Exception cause)
    {
        try
        {
            var failed = new Step.Failed(cause, cause.GetType().Name, IsTransient: true);
            await ReleaseAsync(c => c.Fails(failed.Reason, context.Events.Now, _isCounted));
        }
        catch (StoreUnavailableException)
        {
            // The lease ends by itself.
        }
    }

    private async Task ReleaseAsync(Func<Checkpoint, Checkpoint> change)
    {
        if (!await _lease.ReleaseAsync(change)) context.Log.LostLease(forwarder.Name, partition, _lease.Checkpoint.NextOffset);
    }
}
