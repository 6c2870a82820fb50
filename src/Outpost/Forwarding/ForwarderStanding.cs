namespace Outpost.Forwarding;

/// <summary>How a forwarder stands in one partition.</summary>
/// <param name="Forwarder">Its name.</param>
/// <param name="Partition">The partition.</param>
/// <param name="NextOffset">Everything below is accepted or parked.</param>
/// <param name="Backlog">Entries not yet accepted nor parked.</param>
/// <param name="OldestUnforwardedAge">Age of the oldest of them; null: there are none.</param>
/// <param name="Late">How many of them are older than <see cref="Forwarder.Within"/>.</param>
/// <param name="Parked">Entries parked.</param>
/// <param name="IsPaused">Paused by an operator.</param>
/// <param name="LeaseOwner">The process that forwards it right now; null: none does.</param>
/// <param name="LastError">Why the last attempt failed; null: it did not.</param>
/// <param name="ConsecutiveFailures">Runs in a row that failed.</param>
/// <param name="LastWriteAt">When its checkpoint was last written; null: never.</param>
internal sealed record ForwarderStanding(
    string Forwarder,
    int Partition,
    long NextOffset,
    long Backlog,
    TimeSpan? OldestUnforwardedAge,
    long Late,
    int Parked,
    bool IsPaused,
    string? LeaseOwner,
    string? LastError,
    int ConsecutiveFailures,
    DateTimeOffset? LastWriteAt)
{
    /// <summary>When the first of the runs that failed in a row did; null: none did.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>What operators ask: also since when it is paused, who paused it and why.</summary>
    public Control Control { get; init; } = Control.None;

    /// <summary>Entries refused in a row: where they are many, the target may refuse all.</summary>
    public int RefusedInARow { get; init; }

    /// <summary>What operators asked for and is not done.</summary>
    public IReadOnlyList<RequestStanding> Requests { get; init; } = [];

    /// <summary>
    /// Reads off a partition how a forwarder stands there. Costs nothing without a backlog, one read with one, and a
    /// binary search more when the oldest entry is late.
    /// </summary>
    internal static async Task<ForwarderStanding> ReadAsync(
        IEventStore store, PartitionState state, string name, TimeSpan within, long startAt, CancellationToken cancellationToken)
    {
        // How far it has come is not known: all that is kept may still wait.
        var damage = state.Damaged.GetValueOrDefault(name);
        var checkpoint = damage is null ? state.CheckpointOf(name) : null;
        var control = damage is null ? state.ControlOf(name) : Control.None;
        var next = damage is null ? checkpoint?.NextOffset ?? startAt : state.Oldest;
        var backlog = Math.Max(0, state.Head - next);
        TimeSpan? age = null;
        var late = 0L;
        if (backlog > 0)
        {
            var oldest = await store.ReadTimestampAsync(state.Partition, next, cancellationToken);
            age = oldest is { } at && state.ReadAt > at ? state.ReadAt - at : TimeSpan.Zero;
            if (age > within)
            {
                var since = state.ReadAt - within;
                var rest = state with { Oldest = Math.Max(next, state.Oldest) };
                late = await OffsetSearch.FindAsync(rest, since, offset => store.ReadTimestampAsync(state.Partition, offset, cancellationToken)) - next;
            }
        }

        return new ForwarderStanding(
            name,
            state.Partition,
            next,
            backlog,
            age,
            late,
            checkpoint?.Parked ?? 0,
            control.IsPaused,
            checkpoint?.LeaseLeft(state.ReadAt) > TimeSpan.Zero ? checkpoint.Owner : null,
            damage?.Message ?? checkpoint?.LastError,
            damage is null ? checkpoint?.Failures ?? 0 : 1,
            checkpoint?.StoredAt)
        {
            FailingSince = checkpoint?.FailingSince,
            RefusedInARow = checkpoint?.Refused ?? 0,
            Requests = damage is null ? RequestStanding.Of(state, name) : [],
            Control = control,
        };
    }
}
