namespace Outpost.Forwarding;

/// <summary>
/// What operators do: look, pause, resume, replay, retry, discard, forget. Wishes are written to the store and carried
/// out by whichever process holds the lease, so they survive restarts and are safe while forwarding runs.
/// </summary>
public sealed class ForwarderOperations(IEventStore events, IForwardingStore store, ForwardingEngine engine, Sources sources, Heartbeats? heartbeats = null)
{
    // Lost only to another operator's write at the same moment.
    private const int TriesMax = 10;

    // Ten times are longer than a run that fails holds its lease.
    private static readonly TimeSpan SkipAgainAfter = TimeSpan.FromMilliseconds(800);

    // Longer than a deployment or a restart takes: what is away for so long is no more.
    private static readonly TimeSpan InUseFor = TimeSpan.FromMinutes(10);

    /// <summary>How every forwarder stands in every partition: those of this process, and others that have a checkpoint.</summary>
    public async Task<LogStatus> StatusAsync(CancellationToken cancellationToken)
    {
        var layout = await events.LayoutAsync(cancellationToken);
        if (heartbeats is not null) await heartbeats.ReadAsync(cancellationToken);
        // A partition that is damaged is left out: what is wrong with it is told beside.
        var states = (await Task.WhenAll(Enumerable.Range(0, layout.Partitions).Select(ReadAsync))).OfType<PartitionState>().ToArray();
        var names = engine.Forwarders.Select(forwarder => forwarder.Name)
            .Concat(states.SelectMany(state => state.Checkpoints.Keys.Union(state.Damaged.Keys).Order(StringComparer.Ordinal))).Distinct().ToList();
        var forwarders = new List<ForwarderStatus>();
        foreach (var name in names)
        {
            var own = engine.Forwarders.FirstOrDefault(forwarder => forwarder.Name == name);
            var standings = await Task.WhenAll(states.Select(state => ForwarderStanding.ReadAsync(
                events, state, name, own?.Within ?? WithinOf(name) ?? TimeSpan.MaxValue, own is null || state.Damaged.ContainsKey(name) ? state.Oldest : own.CheckpointIn(state).NextOffset, cancellationToken)));
            forwarders.Add(new ForwarderStatus(name, own?.Within ?? WithinOf(name), standings)
            {
                IsKnownHere = own is not null,
                IsRun = heartbeats?.IsRun(name) ?? true,
            });
        }

        return new LogStatus(layout.Log, states, forwarders) { Timer = heartbeats?.Timer };

        TimeSpan? WithinOf(string name) => states.Max(state => state.Checkpoints.GetValueOrDefault(name)?.Within);

        async Task<PartitionState?> ReadAsync(int partition)
        {
            try
            {
                return await events.ReadPartitionAsync(partition, cancellationToken);
            }
            catch (DamagedRowException)
            {
                return null;
            }
        }
    }

    /// <summary>Pauses or resumes a forwarder, in one partition or (null) in all.</summary>
    /// <param name="forwarder">Its name.</param>
    /// <param name="partition">The partition, or all.</param>
    /// <param name="isPaused">Whether it pauses; else it resumes.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="reason">Why.</param>
    public async Task<OperationResult> PauseAsync(
        string forwarder, int? partition, bool isPaused, CancellationToken cancellationToken, string? by = null, string? reason = null)
    {
        var layout = await events.LayoutAsync(cancellationToken);
        if (await FindAsync(forwarder, layout, cancellationToken) is { } missing) return missing;
        foreach (var one in partition is { } only ? [only] : Enumerable.Range(0, layout.Partitions))
        {
            // Of one that is paused already, who paused it first and why stays.
            var result = await AskAsync(one, forwarder, (control, _) => control.IsPaused == isPaused ? control : Paused(control), null, cancellationToken);
            if (result is not OperationResult.Done) return result;
        }

        engine.Log.Paused(forwarder, partition, isPaused, by ?? "nobody named", reason ?? "no reason given");
        return new OperationResult.Done();

        Control Paused(Control control) => isPaused
            ? control with { IsPaused = true, PausedAt = events.Now, PausedBy = by, PausedFor = reason }
            : control with { IsPaused = false, PausedAt = null, PausedBy = null, PausedFor = null };
    }

    /// <summary>Asks for a range to be delivered again, marked as a replay; the checkpoint stays where it is.</summary>
    /// <returns>Done with the id that the replayed messages carry.</returns>
    public async Task<OperationResult> ReplayAsync(
        string forwarder, int partition, long from, long to, CancellationToken cancellationToken, string? by = null, EntryFilter? filter = null)
    {
        var layout = await events.LayoutAsync(cancellationToken);
        if (await FindAsync(forwarder, layout, cancellationToken) is { } missing) return missing;
        var result = await AskAsync(partition, forwarder, New(ControlRequestKind.Replay, from, to, by) with { Filter = filter }, cancellationToken);
        return result is OperationResult.Done done ? done with { ReplayId = done.RequestId } : result;
    }

    /// <summary>Asks for all entries of a time to be delivered again, in every partition that has some, under one id.</summary>
    /// <param name="forwarder">Its name.</param>
    /// <param name="from">The first instant.</param>
    /// <param name="to">The first instant after it.</param>
    /// <param name="filter">Only what matches; null: all.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<OperationResult> ReplayAsync(
        string forwarder, DateTimeOffset from, DateTimeOffset to, EntryFilter? filter, string? by, CancellationToken cancellationToken)
    {
        var layout = await events.LayoutAsync(cancellationToken);
        if (await FindAsync(forwarder, layout, cancellationToken) is { } missing) return missing;
        var request = New(ControlRequestKind.Replay, 0, 0, by) with { Filter = filter };
        var asked = 0L;
        foreach (var state in await StatesAsync(layout, cancellationToken))
        {
            var first = await OffsetSearch.FindAsync(state, from, at => events.ReadTimestampAsync(state.Partition, at, cancellationToken));
            var end = await OffsetSearch.FindAsync(state, to, at => events.ReadTimestampAsync(state.Partition, at, cancellationToken));
            if (first >= end) continue;
            var result = await AskAsync(state.Partition, forwarder, request with { Offset = first, ToOffset = end - 1 }, cancellationToken);
            if (result is not OperationResult.Done) return result;
            asked += end - first;
        }

        return new OperationResult.Matched(asked, asked > 0 ? request.Id : null) { ReplayId = asked > 0 ? request.Id : null };
    }

    /// <summary>
    /// Asks for all parked entries that match to be delivered again, or given up; those behind them follow in order. What is
    /// parked later is not meant.
    /// </summary>
    /// <param name="forwarder">Its name.</param>
    /// <param name="isDiscard">Whether they are given up.</param>
    /// <param name="filter">Which of those that were refused themselves.</param>
    /// <param name="partition">The partition, or all.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<OperationResult> UnparkAsync(
        string forwarder, bool isDiscard, EntryFilter filter, int? partition, string? by, CancellationToken cancellationToken)
    {
        var layout = await events.LayoutAsync(cancellationToken);
        if (await FindAsync(forwarder, layout, cancellationToken) is { } missing) return missing;
        var request = New(isDiscard ? ControlRequestKind.DiscardMatching : ControlRequestKind.RetryMatching, 0, null, by) with { Filter = filter };
        var matched = 0L;
        foreach (var one in partition is { } only ? [only] : Enumerable.Range(0, layout.Partitions))
        {
            var count = await ParkedInAsync(one, forwarder, cancellationToken).LongCountAsync(filter.Accepts, cancellationToken);
            if (count == 0) continue;
            var result = await AskAsync(one, forwarder, request with { Count = count }, cancellationToken);
            if (result is not OperationResult.Done) return result;
            matched += count;
        }

        if (matched == 0) return new OperationResult.Matched(0, null);
        engine.Log.AskedForMany(forwarder, by ?? "nobody named", matched, isDiscard ? "discarded" : "retried", request.Id!);
        return new OperationResult.Matched(matched, request.Id);
    }

    /// <summary>Parked entries by why they were refused, the largest group first; those behind others count with the one that they wait for.</summary>
    public async Task<IReadOnlyList<ParkedGroup>> ParkedByReasonAsync(string forwarder, CancellationToken cancellationToken)
    {
        var layout = await events.LayoutAsync(cancellationToken);
        var groups = new Dictionary<string, ParkedGroup>(StringComparer.Ordinal);
        for (var partition = 0; partition < layout.Partitions; partition++)
        {
            // Behind one of its subject, which may have been delivered since: then its own reason says so.
            var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
            await foreach (var entry in ParkedInAsync(partition, forwarder, cancellationToken))
            {
                if (entry.Behind is null) reasons[entry.Subject] = entry.Reason;
                var reason = reasons.GetValueOrDefault(entry.Subject) ?? entry.Reason;
                groups[reason] = (groups.GetValueOrDefault(reason) ?? new ParkedGroup(reason, 0, 0, [], entry.At)).With(entry);
            }
        }

        return [.. groups.Values.OrderByDescending(group => group.Count).ThenBy(group => group.Reason, StringComparer.Ordinal)];
    }

    private async IAsyncEnumerable<ParkedEntry> ParkedInAsync(
        int partition, string forwarder, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var from = 0L; ;)
        {
            var page = await store.ReadParkedAsync(partition, forwarder, from, Limits.PageEntriesMax, cancellationToken);
            foreach (var entry in page) yield return entry;
            if (page.Count < Limits.PageEntriesMax) yield break;
            from = page[^1].Offset + 1;
        }
    }

    /// <summary>Asks for a parked entry to be delivered again, and then for those behind it.</summary>
    public Task<OperationResult> RetryAsync(string forwarder, int partition, long offset, CancellationToken cancellationToken, string? by = null) =>
        UnparkAsync(forwarder, partition, New(ControlRequestKind.Retry, offset, null, by), cancellationToken);

    /// <summary>Gives a parked entry up for good; those behind it are delivered.</summary>
    /// <param name="forwarder">Its forwarder.</param>
    /// <param name="partition">Its partition.</param>
    /// <param name="offset">Its offset.</param>
    /// <param name="reason">Why; goes into the log.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <param name="by">Who asks.</param>
    public Task<OperationResult> DiscardAsync(
        string forwarder, int partition, long offset, string reason, CancellationToken cancellationToken, string? by = null) =>
        UnparkAsync(forwarder, partition, New(ControlRequestKind.Discard, offset, null, by) with { Reason = reason }, cancellationToken);

    /// <summary>Takes back what was asked for and is not done, in all partitions that have a request of this name.</summary>
    public async Task<OperationResult> TakeBackAsync(string forwarder, string request, CancellationToken cancellationToken, string? by = null)
    {
        var layout = await events.LayoutAsync(cancellationToken);
        var taken = 0;
        foreach (var state in await StatesAsync(layout, cancellationToken))
        {
            if (!Has(state.ControlOf(forwarder), state)) continue;
            var result = await AskAsync(
                state.Partition, forwarder, (control, now) => Has(control, now) ? control.Without(one => one.NameIn(now.Partition) == request) : control, null, cancellationToken);
            if (result is not OperationResult.Done) return result;
            engine.Log.TakenBack(forwarder, state.Partition, request, by ?? "nobody named");
            taken++;
        }

        return taken > 0 ? new OperationResult.Done(RequestId: request) : await FindAsync(forwarder, layout, cancellationToken) ?? new OperationResult.NoRequest();

        bool Has(Control control, PartitionState state) =>
            control.Waiting(state.CheckpointOf(forwarder)).Any(one => one.NameIn(state.Partition) == request);
    }

    /// <summary>
    /// Has a forwarder go on behind entries that are gone: only over those, and never over one that is there.
    /// </summary>
    public async Task<OperationResult> SkipAsync(string forwarder, int partition, long to, CancellationToken cancellationToken, string? by = null)
    {
        for (var attempt = 1; attempt <= TriesMax; attempt++)
        {
            var state = await events.ReadPartitionAsync(partition, cancellationToken);
            if (state.CheckpointOf(forwarder) is not { } checkpoint) return new OperationResult.NotFound();
            var next = checkpoint.NextOffset;
            var there = await FirstThereAsync(state, next, cancellationToken);
            if (to <= next || to > there) return new OperationResult.NotGone(next, there);
            // Whoever has the lease fails at these entries, and gives it back within seconds.
            if (checkpoint.LeaseLeft(state.ReadAt) == TimeSpan.Zero)
            {
                var skipped = checkpoint.Works with { NextOffset = to, Owner = null, Epoch = checkpoint.Epoch + 1, Write = checkpoint.Write + 1 };
                if (await store.SaveAsync(partition, skipped, [], [], cancellationToken) is not null)
                {
                    engine.Log.Skipped(forwarder, partition, next, to - 1, by ?? "nobody named", to);
                    await engine.HeedAsync(partition, cancellationToken);
                    return new OperationResult.Skipped(next, to);
                }
            }

            await Task.Delay(SkipAgainAfter, sources.Time, cancellationToken);
        }

        return new OperationResult.TooMany();
    }

    /// <summary>Parked entries of a forwarder from a place on, by partition and offset, at most <paramref name="limit"/>.</summary>
    public async Task<IReadOnlyList<ParkedEntry>> ParkedAsync(
        string forwarder, int fromPartition, long fromOffset, int limit, CancellationToken cancellationToken)
    {
        var layout = await events.LayoutAsync(cancellationToken);
        var parked = new List<ParkedEntry>();
        for (var partition = fromPartition; partition < layout.Partitions && parked.Count < limit; partition++)
        {
            var from = partition == fromPartition ? fromOffset : 0;
            parked.AddRange(await store.ReadParkedAsync(partition, forwarder, from, limit - parked.Count, cancellationToken));
        }

        return parked;
    }

    /// <summary>Whether there is such a forwarder, configured here or with a checkpoint.</summary>
    public async Task<bool> ExistsAsync(string forwarder, CancellationToken cancellationToken) =>
        await FindAsync(forwarder, await events.LayoutAsync(cancellationToken), cancellationToken) is null;

    /// <summary>Forgets a forwarder that no longer exists, so that it holds retention no more.</summary>
    public async Task<OperationResult> ForgetAsync(string forwarder, CancellationToken cancellationToken)
    {
        var layout = await events.LayoutAsync(cancellationToken);
        if (engine.Forwarders.Any(one => one.Name == forwarder)) return new OperationResult.InUse();
        if (heartbeats is not null)
        {
            await heartbeats.ReadAsync(cancellationToken);
            // One that is paused, or has nothing to do, holds no lease.
            if (heartbeats.HasRun(forwarder, InUseFor)) return new OperationResult.InUse();
        }

        // Another process would begin it anew, with the oldest entry, while its rows are being deleted here.
        var states = await StatesAsync(layout, cancellationToken);
        if (states.Any(state => !state.Damaged.ContainsKey(forwarder) && state.CheckpointOf(forwarder)?.LeaseLeft(state.ReadAt) > TimeSpan.Zero)) return new OperationResult.InUse();
        // A control row or a parked one may be all that is left by a call that was cut short.
        if (await FindAsync(forwarder, layout, cancellationToken) is { } missing && (await ParkedAsync(forwarder, 0, 0, 1, cancellationToken)).Count == 0) return missing;
        await Task.WhenAll(Enumerable.Range(0, layout.Partitions).Select(partition => store.ForgetAsync(partition, forwarder, cancellationToken)));
        return new OperationResult.Done();
    }

    // From an offset on: what is below the oldest is offered no more, and of what comes then a row may be missing.
    private async Task<long> FirstThereAsync(PartitionState state, long from, CancellationToken cancellationToken)
    {
        var offset = Math.Max(from, state.Oldest);
        for (var looked = 0; looked < Limits.PageEntriesMax && offset < state.Head; looked++, offset++)
        {
            if (await events.ReadTimestampAsync(state.Partition, offset, cancellationToken) is not null) break;
        }

        return offset;
    }

    private ControlRequest New(ControlRequestKind kind, long offset, long? to, string? by) =>
        new(0, kind, offset, to, sources.NewId().ToString("N")[..8]) { At = events.Now, By = by };

    private Task<PartitionState[]> StatesAsync(LogLayout layout, CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, layout.Partitions).Select(partition => events.ReadPartitionAsync(partition, cancellationToken)));

    // Null: it exists.
    private async Task<OperationResult?> FindAsync(string forwarder, LogLayout layout, CancellationToken cancellationToken)
    {
        if (engine.Forwarders.Any(one => one.Name == forwarder)) return null;
        var states = await StatesAsync(layout, cancellationToken);
        return states.Any(state => state.Checkpoints.ContainsKey(forwarder) || state.Controls.ContainsKey(forwarder) || state.Damaged.ContainsKey(forwarder)) ? null : new OperationResult.NotFound();
    }

    private async Task<OperationResult> UnparkAsync(string forwarder, int partition, ControlRequest request, CancellationToken cancellationToken)
    {
        var found = await store.ReadParkedAsync(partition, forwarder, request.Offset, 1, cancellationToken);
        if (found.Count == 0 || found[0].Offset != request.Offset) return new OperationResult.NotFound();
        if (found[0].Behind is not null) return new OperationResult.Behind(await FirstOfAsync(found[0], forwarder, cancellationToken));
        return await AskAsync(partition, forwarder, request, cancellationToken);
    }

    // What it was parked behind may be delivered by now, and one in between refused: the first of the subject decides.
    private async Task<long> FirstOfAsync(ParkedEntry follower, string forwarder, CancellationToken cancellationToken)
    {
        for (var from = 0L; ;)
        {
            var page = await store.ReadParkedAsync(follower.Partition, forwarder, from, Limits.PageEntriesMax, cancellationToken);
            if (page.FirstOrDefault(entry => entry.Subject == follower.Subject) is { } first) return first.Offset;
            if (page.Count < Limits.PageEntriesMax) return follower.Behind!.Value;
            from = page[^1].Offset + 1;
        }
    }

    private async Task<OperationResult> AskAsync(int partition, string forwarder, ControlRequest request, CancellationToken cancellationToken)
    {
        var name = request.Id;
        var result = await AskAsync(
            partition,
            forwarder,
            (control, state) =>
            {
                // This very one, after a lost answer: perhaps it is carried out already.
                if (control.Requests.Any(one => one.Id == request.Id)) return control;
                // A retry or discard that waits already is not asked for twice.
                var checkpoint = state.CheckpointOf(forwarder);
                var same = request.Kind is not (ControlRequestKind.Retry or ControlRequestKind.Discard) ? null
                    : control.Waiting(checkpoint).FirstOrDefault(one => one.Kind == request.Kind && one.Offset == request.Offset);
                name = same?.NameIn(partition) ?? request.Id;
                return same is null ? control.With(request, checkpoint) : control;
            },
            request.Kind == ControlRequestKind.Replay ? (request.Offset, request.ToOffset!.Value) : null,
            cancellationToken);
        return result is OperationResult.Done ? new OperationResult.Done(RequestId: name) : result;
    }

    private async Task<OperationResult> AskAsync(
        int partition, string forwarder, Func<Control, PartitionState, Control?> change, (long From, long To)? range, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= TriesMax; attempt++)
        {
            var state = await events.ReadPartitionAsync(partition, cancellationToken);
            if (range is { } asked && (asked.From < state.Oldest || asked.To >= state.Head)) return new OperationResult.OutOfRange(state.Oldest, state.Head);
            var before = state.ControlOf(forwarder);
            if (change(before, state) is not { } after) return new OperationResult.TooMany();
            if (ReferenceEquals(after, before) || await store.SaveControlAsync(partition, forwarder, after, range is null ? null : state, cancellationToken))
            {
                await engine.HeedAsync(partition, cancellationToken);
                return new OperationResult.Done();
            }
        }

        return new OperationResult.TooMany();
    }
}

/// <summary>What came of an operator's wish.</summary>
public abstract record OperationResult
{
    private OperationResult()
    {
    }

    /// <summary>It is stored, and will be carried out.</summary>
    /// <param name="ReplayId">What the messages of a replay carry.</param>
    /// <param name="RequestId">What it is taken back by.</param>
    public sealed record Done(string? ReplayId = null, string? RequestId = null) : OperationResult;

    /// <summary>The request is stored, and will be carried out for every entry that matched.</summary>
    /// <param name="Count">Entries that matched; 0: nothing was requested.</param>
    /// <param name="RequestId">What it is taken back by, in all partitions; null: nothing was requested.</param>
    public sealed record Matched(long Count, string? RequestId) : OperationResult
    {
        /// <summary>What the messages of a replay carry; null: it is none.</summary>
        public string? ReplayId { get; init; }
    }

    /// <summary>The forwarder goes on at <paramref name="To"/>; what is below is lost to it.</summary>
    public sealed record Skipped(long From, long To) : OperationResult;

    /// <summary>There is no such request, or it is done.</summary>
    public sealed record NoRequest : OperationResult;

    /// <summary>Only entries from <paramref name="Next"/> to below <paramref name="There"/> are gone.</summary>
    public sealed record NotGone(long Next, long There) : OperationResult;

    /// <summary>There is no such forwarder or parked entry.</summary>
    public sealed record NotFound : OperationResult;

    /// <summary>The entry waits behind another: that one decides.</summary>
    public sealed record Behind(long Offset) : OperationResult;

    /// <summary>The range is not in the log.</summary>
    public sealed record OutOfRange(long Oldest, long Head) : OperationResult;

    /// <summary>The forwarder is one of this process's own.</summary>
    public sealed record InUse : OperationResult;

    /// <summary>Too many wishes wait, or too many operators write at once.</summary>
    public sealed record TooMany : OperationResult;
}

/// <summary>Parked entries that were refused for one reason.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Count">Entries that were refused themselves.</param>
/// <param name="Followers">Entries that wait behind them.</param>
/// <param name="Types">Event types of those that were refused, at most ten.</param>
/// <param name="Since">When the first of them was parked.</param>
public sealed record ParkedGroup(string Reason, long Count, long Followers, IReadOnlyList<string> Types, DateTimeOffset Since)
{
    private const int TypesMax = 10;

    internal ParkedGroup With(ParkedEntry entry) => entry.Behind is not null ? this with { Followers = Followers + 1 } : this with
    {
        Count = Count + 1,
        Types = Types.Contains(entry.Type) || Types.Count == TypesMax ? Types : [.. Types, entry.Type],
        Since = entry.At < Since ? entry.At : Since,
    };
}

/// <summary>How the log and its forwarders stand.</summary>
/// <param name="Log">The log's id.</param>
/// <param name="Partitions">By number.</param>
/// <param name="Forwarders">Those of this process first.</param>
public sealed record LogStatus(string Log, IReadOnlyList<PartitionState> Partitions, IReadOnlyList<ForwarderStatus> Forwarders)
{
    /// <summary>How the timer does; null: this process keeps no heartbeats.</summary>
    public TimerStanding? Timer { get; init; }
}

/// <summary>How one forwarder stands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Within">Its "at the latest by"; null: no process that knows it has said.</param>
/// <param name="Partitions">By number.</param>
public sealed record ForwarderStatus(string Name, TimeSpan? Within, IReadOnlyList<ForwarderStanding> Partitions)
{
    /// <summary>Whether it is one of this process's own.</summary>
    public bool IsKnownHere { get; init; }

    /// <summary>Whether some process has run it within its last three ticks.</summary>
    public bool IsRun { get; init; } = true;

    /// <summary><c>paused</c> (in all partitions), else <c>orphaned</c> (a backlog, and no process runs it), <c>failing</c> (in any), <c>running</c> (in any) or <c>idle</c>.</summary>
    public string State =>
        Partitions.All(p => p.IsPaused) ? "paused"
        : !IsRun && Partitions.Any(p => p.Backlog > 0) && Partitions.All(p => p.LeaseOwner is null) ? "orphaned"
        : Partitions.Any(p => p.LastError is not null) ? "failing"
        : Partitions.Any(p => p.LeaseOwner is not null) ? "running"
        : "idle";
}
