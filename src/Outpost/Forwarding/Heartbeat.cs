namespace Outpost.Forwarding;

/// <summary>What a process reports of its ticks: one row for each process, written about once a minute.</summary>
/// <param name="Process">Name of the process.</param>
/// <param name="At">The last tick before this write, whoever caused it.</param>
/// <param name="TimerAt">The last tick that the timer caused; null if there was none.</param>
/// <param name="Period">Time from one tick of the timer to the next.</param>
/// <param name="Forwarders">The forwarders that the process runs, including paused ones.</param>
/// <param name="IsStopped">Whether the process ended after this tick.</param>
internal sealed record Heartbeat(
    string Process, DateTimeOffset At, DateTimeOffset? TimerAt, TimeSpan Period, IReadOnlyList<string> Forwarders, bool IsStopped);

/// <summary>Keeps heartbeats. Outpost.Tables implements it.</summary>
internal interface IHeartbeatStore
{
    /// <summary>Writes a process's heartbeat over its last one.</summary>
    Task SaveAsync(Heartbeat heartbeat, CancellationToken cancellationToken);

    /// <summary>The heartbeats of all processes, at most a thousand. Leaves out damaged rows.</summary>
    Task<IReadOnlyList<Heartbeat>> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Deletes the heartbeat of a process that is long gone.</summary>
    Task DeleteAsync(string process, CancellationToken cancellationToken);
}

/// <summary>The standing of the timer.</summary>
/// <param name="LastTickAt">The last tick in any process; for another process, exact to the minute. Null if none is known.</param>
/// <param name="Schedule">The schedule, as set.</param>
/// <param name="IsMissed">Whether the timer has missed three ticks.</param>
internal sealed record TimerStanding(DateTimeOffset? LastTickAt, string? Schedule, bool IsMissed);
