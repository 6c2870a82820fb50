namespace Outpost.Forwarding;

/// <summary>The part that writes requests of operators to the store.</summary>
internal sealed partial class ForwarderOperations
{
    // The first entry that can still be read from an offset on. Entries below the oldest are gone, and later rows may be missing.
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

    private Task<IReadOnlyList<PartitionState>> StatesAsync(CancellationToken cancellationToken) =>
        events.OfAllPartitionsAsync(partition => events.ReadPartitionAsync(partition, cancellationToken), cancellationToken);

    private async Task<IEnumerable<int>> AllAsync(CancellationToken cancellationToken) =>
        Enumerable.Range(0, (await events.LayoutAsync(cancellationToken)).Partitions);

    // Returns null if the forwarder exists.
    private async Task<OperationResult?> FindAsync(string forwarder, CancellationToken cancellationToken)
    {
        if (engine.Forwarders.Any(one => one.Name == forwarder)) return null;
        var states = await StatesAsync(cancellationToken);
        return states.Any(state => state.Checkpoints.ContainsKey(forwarder) || state.Controls.ContainsKey(forwarder) || state.Damaged.ContainsKey(forwarder)) ? null : new OperationResult.NotFound();
    }

    private async Task<OperationResult> UnparkAsync(string forwarder, int partition, ControlRequest request, CancellationToken cancellationToken)
    {
        var found = await store.ReadParkedAsync(partition, forwarder, request.Offset, 1, cancellationToken);
        if (found.Count == 0 || found[0].Offset != request.Offset) return new OperationResult.NotFound();
        if (found[0].Behind is not null) return new OperationResult.Behind(await FirstOfAsync(found[0], forwarder, cancellationToken));
        return await AskAsync(partition, forwarder, request, cancellationToken);
    }

    // The entry that it was parked behind may be delivered by now, and one in between refused. The first of the subject decides.
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
                // This very request is stored: its answer was lost. Perhaps it is carried out already.
                if (control.Requests.Any(one => one.Id == request.Id)) return control;
                // A retry or discard that waits already is not stored twice.
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
