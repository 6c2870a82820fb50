namespace Outpost.Forwarding;

/// <summary>What a process tells of its ticks: one row for each process, written about once a minute.</summary>
/// <param name="Process">The process.</param>
/// <param name="At">Its last tick when it was written, whoever asked for that tick.</param>
/// <param name="TimerAt">Its last tick that the timer asked for; null: none was.</param>
/// <param name="Period">From one tick of the timer to the next.</param>
/// <param name="Forwarders">The forwarders that it runs, paused ones too.</param>
/// <param name="IsStopped">The process ended after this tick.</param>
internal sealed record Heartbeat(
    string Process, DateTimeOffset At, DateTimeOffset? TimerAt, TimeSpan Period, IReadOnlyList<string> Forwarders, bool IsStopped);

/// <summary>Where heartbeats are kept. Implemented by Outpost.Tables.</summary>
internal interface IHeartbeatStore
{
    /// <summary>Writes a process's heartbeat over its last one.</summary>
    Task SaveAsync(Heartbeat heartbeat, CancellationToken cancellationToken);

    /// <summary>The heartbeats of all processes; a row that is damaged is left out. At most a thousand.</summary>
    Task<IReadOnlyList<Heartbeat>> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Deletes the heartbeat of a process that is long gone.</summary>
    Task DeleteAsync(string process, CancellationToken cancellationToken);
}

/// <summary>How the timer does.</summary>
/// <param name="LastTickAt">Its last tick, in whatever process, to the minute where it was another one; null: none is known.</param>
/// <param name="Schedule">As set.</param>
/// <param name="IsMissed">It has not run for three of its ticks.</param>
internal sealed record TimerStanding(DateTimeOffset? LastTickAt, string? Schedule, bool IsMissed);
