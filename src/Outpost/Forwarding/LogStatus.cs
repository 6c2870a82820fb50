namespace Outpost.Forwarding;

/// <summary>How the log and its forwarders stand.</summary>
/// <param name="Log">The log's id.</param>
/// <param name="Partitions">By number.</param>
/// <param name="Forwarders">Those of this process first.</param>
internal sealed record LogStatus(string Log, IReadOnlyList<PartitionState> Partitions, IReadOnlyList<ForwarderStatus> Forwarders)
{
    /// <summary>How the timer does; null: this process keeps no heartbeats.</summary>
    public TimerStanding? Timer { get; init; }

    /// <summary>What keeps old entries from being deleted, where something does.</summary>
    internal IReadOnlyList<(int Partition, Retention.Hold Hold)> Holds { get; init; } = [];

    /// <summary>Partitions that have grown with the log, where the layout row does not know of it.</summary>
    internal IReadOnlyList<int> Newer { get; init; } = [];

    /// <summary>How far this machine's clock is ahead of the store's.</summary>
    internal TimeSpan ClockAhead { get; init; }
}

/// <summary>How one forwarder stands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Within">Its "at the latest by"; null: no process that knows it has said.</param>
/// <param name="Partitions">By number.</param>
internal sealed record ForwarderStatus(string Name, TimeSpan? Within, IReadOnlyList<ForwarderStanding> Partitions)
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
