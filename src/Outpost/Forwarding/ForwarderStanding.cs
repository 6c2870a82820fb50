namespace Outpost.Forwarding;

/// <summary>The standing of a forwarder in one partition.</summary>
/// <param name="Forwarder">Name of the forwarder.</param>
/// <param name="Partition">The partition.</param>
/// <param name="NextOffset">Every entry below this offset is accepted or parked.</param>
/// <param name="Backlog">Number of entries that are neither accepted nor parked yet.</param>
/// <param name="OldestUnforwardedAge">Age of the oldest entry in the backlog; null if there is none.</param>
/// <param name="Late">How many entries of the backlog are older than <see cref="Forwarder.Within"/>.</param>
/// <param name="Parked">Number of parked entries.</param>
/// <param name="IsPaused">Whether an operator has paused the forwarder.</param>
/// <param name="LeaseOwner">The process that holds the lease right now; null if none does.</param>
/// <param name="LastError">Why the last attempt failed; null if it did not, or if nothing is left to do.</param>
/// <param name="ConsecutiveFailures">Number of failed runs in a row; 0 if nothing is left to do.</param>
/// <param name="LastWriteAt">When the checkpoint was last written; null if never.</param>
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
    /// <summary>When the first of the failed runs in a row failed; null if there is none.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>What operators ask for, and when, by whom and why the forwarder was paused.</summary>
    public Control Control { get; init; } = Control.None;

    /// <summary>Number of entries refused in a row. If it is high, the target may refuse everything.</summary>
    public int RefusedInARow { get; init; }

    /// <summary>The requests of operators that are not done.</summary>
    public IReadOnlyList<RequestStanding> Requests { get; init; } = [];

    /// <summary>
    /// Finds the standing of a forwarder from the state of a partition. This costs nothing without a backlog, and one read with a
    /// backlog. If the oldest entry is late, it also costs a binary search.
    /// </summary>
    internal static async Task<ForwarderStanding> ReadAsync(
        IEventStore store, PartitionState state, string name, TimeSpan within, long startAt, CancellationToken cancellationToken)
    {
        // With a damaged row, it is not known how far the forwarder has come. Every entry may still wait.
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

        // A process that loses the store while it waits for entries stores that too. The next entry would clear it, and may come days later.
        var requests = damage is null ? RequestStanding.Of(state, name) : [];
        var failed = backlog > 0 || requests.Count > 0 ? checkpoint : null;
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
            damage?.Message ?? failed?.LastError,
            damage is null ? failed?.Failures ?? 0 : 1,
            checkpoint?.StoredAt)
        {
            FailingSince = failed?.FailingSince,
            RefusedInARow = checkpoint?.Refused ?? 0,
            Requests = requests,
            Control = control,
        };
    }
}
