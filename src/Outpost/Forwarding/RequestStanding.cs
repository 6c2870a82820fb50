namespace Outpost.Forwarding;

/// <summary>The standing of one request of an operator in one partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Request">What was asked for.</param>
/// <param name="State">
/// <c>waiting</c>: the request has not begun; <c>running</c>; <c>failing</c>: it is tried again; <c>blocked</c>: somebody must take
/// it back.
/// </param>
/// <param name="Done">How many entries of a replay, or of the matching parked entries, have been dealt with; null for a request about one.</param>
/// <param name="Reason">Why the request does not go on; null if it does.</param>
internal sealed record RequestStanding(int Partition, ControlRequest Request, string State, long? Done, string? Reason)
{
    /// <summary>The id by which the request can be taken back.</summary>
    public string Id => Request.NameIn(Partition);

    /// <summary>Number of entries of a replay, or of matching parked entries; null for a request about one.</summary>
    public long? Total => Request.Count ?? Request.ToOffset - Request.Offset + 1;

    internal static IReadOnlyList<RequestStanding> Of(PartitionState state, string forwarder)
    {
        var control = state.ControlOf(forwarder);
        var checkpoint = state.CheckpointOf(forwarder);
        return [.. control.Waiting(checkpoint).Select(request => Of(state.Partition, request, checkpoint, control.IsPaused))];
    }

    private static RequestStanding Of(int partition, ControlRequest request, Checkpoint? checkpoint, bool isPaused)
    {
        var progress = checkpoint?.ProgressOf(request);
        var (isReplay, next) = (request.Kind == ControlRequestKind.Replay, progress?.Next ?? request.Offset);
        var (state, reason) = progress switch
        {
            { IsBlocked: true } => ("blocked", progress.Reason),
            _ when isPaused => ("waiting", "The forwarder is paused."),
            _ when isReplay && next >= (checkpoint?.NextOffset ?? 0) => ("waiting", $"Entry {next} has to be forwarded for the first time before it is replayed."),
            { Reason: { } failed } => ("failing", failed),
            null => ("waiting", null),
            _ => ("running", null),
        };
        return new RequestStanding(partition, request, state, isReplay ? next - request.Offset : request.Count is null ? null : progress?.Handled ?? 0, reason);
    }
}
