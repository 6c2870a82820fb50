using System.Globalization;

namespace Outpost.Forwarding;

/// <summary>
/// What operators do: look, pause, resume, replay, retry, discard, forget. Requests are written to the store, and the process that
/// holds the lease carries them out. So they survive restarts, and are safe while forwarding runs.
/// </summary>
internal sealed partial class ForwarderOperations(
    IEventStore events, IForwardingStore store, ForwardingEngine engine, Sources sources, Heartbeats? heartbeats = null, IHistoryStore? history = null)
{
    // A try fails only if another operator writes at the same moment.
    private const int TriesMax = 10;

    // Ten times this is longer than a failing run holds its lease.
    private static readonly TimeSpan SkipAgainAfter = TimeSpan.FromMilliseconds(800);

    // Longer than a deployment or a restart takes: a forwarder that is away for this long no longer exists.
    private static readonly TimeSpan InUseFor = TimeSpan.FromMinutes(10);

    /// <summary>Samples of the log over the last minutes, as far as this process has looked.</summary>
    internal RecentSamples Recent => engine.Recent;

    /// <summary>The standing of each forwarder in each partition: those of this process, and others that have a checkpoint.</summary>
    public async Task<LogStatus> StatusAsync(CancellationToken cancellationToken)
    {
        // Reads the stored layout, since the table may hold another log by now.
        var layout = await events.RefreshLayoutAsync(cancellationToken);
        if (heartbeats is not null) await heartbeats.ReadAsync(cancellationToken);
        // A damaged partition is left out. Its damage is reported elsewhere.
        var all = await events.OfAllPartitionsAsync(ReadAsync, cancellationToken);
        engine.Recent.Add(LogSample.Of(all, engine.Forwarders));
        var states = all.OfType<PartitionState>().ToArray();
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

        // The log may have grown meanwhile.
        if (states.Any(state => state.Generation > layout.Generation)) layout = await events.RefreshLayoutAsync(cancellationToken);
        return new LogStatus(layout.Log, states, forwarders)
        {
            Timer = heartbeats?.Timer,
            Holds = await HoldsAsync(states, cancellationToken),
            Newer = layout.IsGrowing ? [] : [.. states.Where(state => state.Generation > layout.Generation).Select(state => state.Partition)],
            ClockAhead = sources.Time.GetUtcNow() - events.Now,
        };

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

    /// <summary>Pauses or resumes a forwarder, in one partition or in all.</summary>
    /// <param name="forwarder">Name of the forwarder.</param>
    /// <param name="partition">The partition; null for all.</param>
    /// <param name="isPaused">Whether to pause; otherwise, to resume.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <param name="by">Who asks; null if unknown.</param>
    /// <param name="reason">Why; null if nobody said.</param>
    public Task<OperationResult> PauseAsync(
        string forwarder, int? partition, bool isPaused, CancellationToken cancellationToken, string? by = null, string? reason = null) => KeepAsync(
        forwarder, isPaused ? "pause" : "resume", Where(partition), by, reason, () => SetPausedAsync(forwarder, partition, isPaused, by, reason, cancellationToken), cancellationToken);

    private async Task<OperationResult> SetPausedAsync(
        string forwarder, int? partition, bool isPaused, string? by, string? reason, CancellationToken cancellationToken)
    {
        if (await FindAsync(forwarder, cancellationToken) is { } missing) return missing;
        foreach (var one in partition is { } only ? [only] : await AllAsync(cancellationToken))
        {
            // If the forwarder is paused already, who paused it first, and why, stays.
            var result = await AskAsync(one, forwarder, (control, _) => control.IsPaused == isPaused ? control : Paused(control), null, cancellationToken);
            if (result is not OperationResult.Done) return result;
        }

        return new OperationResult.Done();

        Control Paused(Control control) => isPaused
            ? control with { IsPaused = true, PausedAt = events.Now, PausedBy = by, PausedFor = reason }
            : control with { IsPaused = false, PausedAt = null, PausedBy = null, PausedFor = null };
    }

    /// <summary>Asks to deliver a range again, marked as a replay. The checkpoint stays where it is.</summary>
    /// <returns>The result; when done, with the id that the replayed messages carry.</returns>
    public Task<OperationResult> ReplayAsync(
        string forwarder, int partition, long from, long to, CancellationToken cancellationToken, string? by = null, EntryFilter? filter = null, string? why = null) => KeepAsync(
        forwarder, "replay", string.Create(CultureInfo.InvariantCulture, $"partition {partition}, entries {from} to {to}{Which(filter)}"), by, why,
        () => ReplayRangeAsync(forwarder, partition, from, to, by, filter, why, cancellationToken), cancellationToken);

    private async Task<OperationResult> ReplayRangeAsync(
        string forwarder, int partition, long from, long to, string? by, EntryFilter? filter, string? why, CancellationToken cancellationToken)
    {
        if (await FindAsync(forwarder, cancellationToken) is { } missing) return missing;
        var result = await AskAsync(partition, forwarder, New(ControlRequestKind.Replay, from, to, by) with { Filter = filter, Reason = why }, cancellationToken);
        return result is OperationResult.Done done ? done with { ReplayId = done.RequestId } : result;
    }

    /// <summary>Asks to deliver all entries of a time span again, in every partition that has some, under one id.</summary>
    /// <param name="forwarder">Name of the forwarder.</param>
    /// <param name="from">Start of the time span (inclusive).</param>
    /// <param name="to">End of the time span (exclusive).</param>
    /// <param name="filter">Limits the replay to entries that match; null for all.</param>
    /// <param name="by">Who asks; null if unknown.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <param name="why">Why; null if nobody said.</param>
    public Task<OperationResult> ReplayAsync(
        string forwarder, DateTimeOffset from, DateTimeOffset to, EntryFilter? filter, string? by, CancellationToken cancellationToken, string? why = null) => KeepAsync(
        forwarder, "replay", string.Create(CultureInfo.InvariantCulture, $"all partitions, from {from.UtcDateTime:O} to {to.UtcDateTime:O}{Which(filter)}"), by, why,
        () => ReplayTimeAsync(forwarder, from, to, filter, by, why, cancellationToken), cancellationToken);

    private async Task<OperationResult> ReplayTimeAsync(
        string forwarder, DateTimeOffset from, DateTimeOffset to, EntryFilter? filter, string? by, string? why, CancellationToken cancellationToken)
    {
        if (await FindAsync(forwarder, cancellationToken) is { } missing) return missing;
        var request = New(ControlRequestKind.Replay, 0, 0, by) with { Filter = filter, Reason = why };
        var asked = 0L;
        foreach (var state in await StatesAsync(cancellationToken))
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
    /// Asks to deliver all parked entries that match again, or to give them up. Those behind them follow in order. Entries that are
    /// parked later are not included.
    /// </summary>
    /// <param name="forwarder">Name of the forwarder.</param>
    /// <param name="isDiscard">Whether to give the entries up; otherwise, to deliver them again.</param>
    /// <param name="filter">Selects among the entries that were refused themselves.</param>
    /// <param name="partition">The partition; null for all.</param>
    /// <param name="by">Who asks; null if unknown.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <param name="why">Why; null if nobody said.</param>
    public Task<OperationResult> UnparkAsync(
        string forwarder, bool isDiscard, EntryFilter filter, int? partition, string? by, CancellationToken cancellationToken, string? why = null) => KeepAsync(
        forwarder, isDiscard ? "discard" : "retry", $"what is parked in {Where(partition)}{Which(filter)}", by, why,
        () => UnparkMatchingAsync(forwarder, isDiscard, filter, partition, by, why, cancellationToken), cancellationToken);

    private async Task<OperationResult> UnparkMatchingAsync(
        string forwarder, bool isDiscard, EntryFilter filter, int? partition, string? by, string? why, CancellationToken cancellationToken)
    {
        if (await FindAsync(forwarder, cancellationToken) is { } missing) return missing;
        var request = New(isDiscard ? ControlRequestKind.DiscardMatching : ControlRequestKind.RetryMatching, 0, null, by) with { Filter = filter, Reason = why };
        var matched = 0L;
        foreach (var one in partition is { } only ? [only] : await AllAsync(cancellationToken))
        {
            var count = await ParkedInAsync(one, forwarder, cancellationToken).LongCountAsync(filter.Accepts, cancellationToken);
            if (count == 0) continue;
            var result = await AskAsync(one, forwarder, request with { Count = count }, cancellationToken);
            if (result is not OperationResult.Done) return result;
            matched += count;
        }

        return new OperationResult.Matched(matched, matched > 0 ? request.Id : null);
    }

    /// <summary>Parked entries by reason, the largest group first. An entry behind another one counts in the group of that one.</summary>
    public async Task<IReadOnlyList<ParkedGroup>> ParkedByReasonAsync(string forwarder, CancellationToken cancellationToken)
    {
        var groups = new Dictionary<string, ParkedGroup>(StringComparer.Ordinal);
        foreach (var partition in await AllAsync(cancellationToken))
        {
            // The entry that another one waits behind may have been delivered since. Then the reason of the waiting entry counts.
            var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
            await foreach (var entry in ParkedInAsync(partition, forwarder, cancellationToken))
            {
                if (entry.Behind is null) reasons[entry.Subject] = entry.Reason;
                var reason = reasons.GetValueOrDefault(entry.Subject) ?? entry.Reason;
                var common = Reason.Common(reason, entry.Subject);
                groups[common] = (groups.GetValueOrDefault(common) ?? new ParkedGroup(reason, 0, 0, [], entry.At)).With(entry, reason, common);
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

    /// <summary>Asks to deliver a parked entry again, and then those behind it.</summary>
    public Task<OperationResult> RetryAsync(string forwarder, int partition, long offset, CancellationToken cancellationToken, string? by = null) =>
        KeepAsync(forwarder, "retry", Place(partition, offset), by, null, () => UnparkAsync(forwarder, partition, New(ControlRequestKind.Retry, offset, null, by), cancellationToken), cancellationToken);

    /// <summary>Asks to give up a parked entry for good, and to deliver those behind it.</summary>
    /// <param name="forwarder">Name of the forwarder.</param>
    /// <param name="partition">The entry's partition.</param>
    /// <param name="offset">The entry's offset.</param>
    /// <param name="reason">Why; the reason is logged.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <param name="by">Who asks; null if unknown.</param>
    public Task<OperationResult> DiscardAsync(
        string forwarder, int partition, long offset, string reason, CancellationToken cancellationToken, string? by = null) =>
        KeepAsync(
            forwarder, "discard", Place(partition, offset), by, reason,
            () => UnparkAsync(forwarder, partition, New(ControlRequestKind.Discard, offset, null, by) with { Reason = reason }, cancellationToken), cancellationToken);

    /// <summary>Takes back a request that is not done, in all partitions that have a request of this name.</summary>
    public Task<OperationResult> TakeBackAsync(string forwarder, string request, CancellationToken cancellationToken, string? by = null) => KeepAsync(
        forwarder, "take-back", $"request {request}", by, null, () => TakeBackRequestAsync(forwarder, request, cancellationToken), cancellationToken);

    private async Task<OperationResult> TakeBackRequestAsync(string forwarder, string request, CancellationToken cancellationToken)
    {
        var taken = 0;
        foreach (var state in await StatesAsync(cancellationToken))
        {
            if (!Has(state.ControlOf(forwarder), state)) continue;
            var result = await AskAsync(
                state.Partition, forwarder, (control, now) => Has(control, now) ? control.Without(one => one.NameIn(now.Partition) == request) : control, null, cancellationToken);
            if (result is not OperationResult.Done) return result;
            taken++;
        }

        return taken > 0 ? new OperationResult.Done(RequestId: request) : await FindAsync(forwarder, cancellationToken) ?? new OperationResult.NoRequest();

        bool Has(Control control, PartitionState state) =>
            control.Waiting(state.CheckpointOf(forwarder)).Any(one => one.NameIn(state.Partition) == request);
    }

    /// <summary>
    /// Lets a forwarder go on after entries that are gone. It skips only those, and never an entry that is there.
    /// </summary>
    public Task<OperationResult> SkipAsync(string forwarder, int partition, long to, CancellationToken cancellationToken, string? by = null, string? why = null) => KeepAsync(
        forwarder, "skip", string.Create(CultureInfo.InvariantCulture, $"partition {partition}, on to entry {to}"), by, why, () => GoOnAsync(forwarder, partition, to, by, cancellationToken), cancellationToken);

    private async Task<OperationResult> GoOnAsync(string forwarder, int partition, long to, string? by, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= TriesMax; attempt++)
        {
            var state = await events.ReadPartitionAsync(partition, cancellationToken);
            if (state.CheckpointOf(forwarder) is not { } checkpoint) return new OperationResult.NotFound();
            var next = checkpoint.NextOffset;
            var there = await FirstThereAsync(state, next, cancellationToken);
            if (to <= next || to > there) return new OperationResult.NotGone(next, there);
            // The process that holds the lease fails at these entries, and gives the lease back within seconds.
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

    /// <summary>At most <paramref name="limit"/> parked entries of a forwarder from a place on, by partition and offset.</summary>
    public async Task<IReadOnlyList<ParkedEntry>> ParkedAsync(
        string forwarder, int fromPartition, long fromOffset, int limit, CancellationToken cancellationToken)
    {
        var parked = new List<ParkedEntry>();
        for (var partition = fromPartition; parked.Count < limit && partition < (await events.LayoutAsync(cancellationToken)).Partitions; partition++)
        {
            var from = partition == fromPartition ? fromOffset : 0;
            parked.AddRange(await store.ReadParkedAsync(partition, forwarder, from, limit - parked.Count, cancellationToken));
        }

        return parked;
    }

    /// <summary>Whether there is such a forwarder: configured here, or with a checkpoint.</summary>
    public async Task<bool> ExistsAsync(string forwarder, CancellationToken cancellationToken) =>
        await FindAsync(forwarder, cancellationToken) is null;

    /// <summary>Forgets a forwarder that no longer exists, so that it no longer holds up retention.</summary>
    public Task<OperationResult> ForgetAsync(string forwarder, CancellationToken cancellationToken, string? by = null) => KeepAsync(
        forwarder, "forget", "its checkpoints and what is parked", by, null, () => ForgetAllAsync(forwarder, cancellationToken), cancellationToken);

    // If the log grows meanwhile, the forwarder may get checkpoints in new partitions. They are deleted too, once they can be read.
    private async Task<OperationResult> ForgetAllAsync(string forwarder, CancellationToken cancellationToken)
    {
        OperationResult? done = null;
        for (var attempt = 1; attempt <= TriesMax; attempt++)
        {
            var layout = await events.LayoutAsync(cancellationToken);
            var result = await ForgetRowsAsync(forwarder, cancellationToken);
            if (result is not (OperationResult.Done or OperationResult.NotFound)) return result;
            if (done is not OperationResult.Done) done = result;
            var now = await events.RefreshLayoutAsync(cancellationToken);
            if (!now.IsGrowing && now.Generation == layout.Generation) return done;
            if (now.IsGrowing) await Task.Delay(SkipAgainAfter, sources.Time, cancellationToken);
        }

        return new OperationResult.InUse();
    }

    private async Task<OperationResult> ForgetRowsAsync(string forwarder, CancellationToken cancellationToken)
    {
        if (engine.Forwarders.Any(one => one.Name == forwarder)) return new OperationResult.InUse();
        if (heartbeats is not null)
        {
            await heartbeats.ReadAsync(cancellationToken);
            // A forwarder that is paused, or has nothing to do, holds no lease. So heartbeats are asked too.
            if (heartbeats.HasRun(forwarder, InUseFor)) return new OperationResult.InUse();
        }

        // A process that runs the forwarder would begin it again, with the oldest entry, while its rows are being deleted here.
        var states = await StatesAsync(cancellationToken);
        if (states.Any(state => !state.Damaged.ContainsKey(forwarder) && state.CheckpointOf(forwarder)?.LeaseLeft(state.ReadAt) > TimeSpan.Zero)) return new OperationResult.InUse();
        // A call that was cut short may have left only a control row, or a parked entry.
        if (await FindAsync(forwarder, cancellationToken) is { } missing && (await ParkedAsync(forwarder, 0, 0, 1, cancellationToken)).Count == 0) return missing;
        await Task.WhenAll(states.Select(state => store.ForgetAsync(state.Partition, forwarder, cancellationToken)));
        return new OperationResult.Done();
    }
}
