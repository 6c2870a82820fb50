namespace Outpost.Forwarding;

/// <summary>The standing of the log and its forwarders.</summary>
/// <param name="Log">The log's id.</param>
/// <param name="Partitions">The partitions, by number.</param>
/// <param name="Forwarders">The forwarders, those of this process first.</param>
internal sealed record LogStatus(string Log, IReadOnlyList<PartitionState> Partitions, IReadOnlyList<ForwarderStatus> Forwarders)
{
    /// <summary>The standing of the timer; null if this process keeps no heartbeats.</summary>
    public TimerStanding? Timer { get; init; }

    /// <summary>What keeps retention from deleting old entries; empty if nothing does.</summary>
    internal IReadOnlyList<(int Partition, Retention.Hold Hold)> Holds { get; init; } = [];

    /// <summary>Partitions whose head is of a newer generation than the layout row.</summary>
    internal IReadOnlyList<int> Newer { get; init; } = [];

    /// <summary>How far this machine's clock is ahead of the store's.</summary>
    internal TimeSpan ClockAhead { get; init; }
}

/// <summary>The standing of one forwarder.</summary>
/// <param name="Name">Name of the forwarder.</param>
/// <param name="Within">After this time an entry is late; null if no process that knows the forwarder has stored it.</param>
/// <param name="Partitions">Its standing in each partition, by number.</param>
internal sealed record ForwarderStatus(string Name, TimeSpan? Within, IReadOnlyList<ForwarderStanding> Partitions)
{
    /// <summary>Whether the forwarder is one of this process.</summary>
    public bool IsKnownHere { get; init; }

    /// <summary>Whether some process has run the forwarder within its last three ticks.</summary>
    public bool IsRun { get; init; } = true;

    /// <summary>
    /// The first that applies: <c>paused</c> (in all partitions), <c>orphaned</c> (there is a backlog, and no process runs the
    /// forwarder), <c>failing</c> (in any partition, or none can be read), <c>running</c> (in any partition), or <c>idle</c>.
    /// </summary>
    public string State =>
        // No partition can be read, because rows are damaged. So nothing is forwarded.
        Partitions.Count == 0 ? "failing"
        : Partitions.All(p => p.IsPaused) ? "paused"
        : !IsRun && Partitions.Any(p => p.Backlog > 0) && Partitions.All(p => p.LeaseOwner is null) ? "orphaned"
        : Partitions.Any(p => p.LastError is not null) ? "failing"
        : Partitions.Any(p => p.LeaseOwner is not null) ? "running"
        : "idle";
}
