using Microsoft.Extensions.Logging;
using Outpost.Forwarding;

namespace Outpost.Retention;

/// <summary>
/// Runs ticks: all forwarders of this process, then retention. A caller gets the tick under way, if there is one. The timer, an
/// operator or another scheduler calls it. A process that commits calls it by itself if the timer does not come. Leases make it
/// safe for any number of processes to do so. Thread-safe; one per process.
/// </summary>
internal sealed partial class Ticks(ForwardingEngine engine, RetentionRunner retention, PartitionHeads heads, TimeProvider time, ILogger<Ticks> logger, Heartbeats? heartbeats = null)
{
    // How often to check whether the timer has stayed away.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly long _began = time.GetTimestamp();
    private Task<ForwardRun>? _running;
    private TimeSpan _period = Heartbeats.PeriodUnknown;
    private long? _last;
    private long? _timerAt;
    private long _commits;
    private bool _isSaid;

    /// <summary>Runs a tick, or returns the one that is under way.</summary>
    /// <param name="stop">Ends the tick; what was delivered gets its checkpoint. Only the token of the caller that began it counts.</param>
    public Task<ForwardRun> RunAsync(CancellationToken stop) => RunAsync(isTimer: false, null, stop);

    private Task<ForwardRun> RunAsync(bool isTimer, TimeSpan? period, CancellationToken stop)
    {
        lock (_lock)
        {
            if (_running is { IsCompleted: false } running) return running;
            _last = time.GetTimestamp();
            _commits = heads.Commits;
            return _running = TickAsync();
        }

        async Task<ForwardRun> TickAsync()
        {
            if (heartbeats is not null) await heartbeats.BeatAsync(isTimer, period, stop);
            var run = await engine.RunAsync(stop);
            await retention.RunAsync(stop);
            return run;
        }
    }

    /// <summary>Runs a tick for the timer, and notes how often the timer comes.</summary>
    /// <param name="period">Time from one tick to the next; null if the host does not tell.</param>
    /// <param name="stop">Ends the tick.</param>
    public Task<ForwardRun> RunTimerAsync(TimeSpan? period, CancellationToken stop)
    {
        lock (_lock)
        {
            // If the host does not tell, the period is the time between two calls. It is too long if a tick took longer.
            period ??= _timerAt is { } before ? time.GetElapsedTime(before) : null;
            _timerAt = time.GetTimestamp();
            if (period is { } known && known > TimeSpan.Zero) _period = known;
            _isSaid = false;
        }

        return RunAsync(isTimer: true, period, stop);
    }

    /// <summary>Runs ticks in place of a timer that stays away, until <paramref name="stop"/> is cancelled.</summary>
    public async Task ReplaceTimerAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(LookEvery, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (stop.IsCancellationRequested || !IsMissed()) continue;
            try
            {
                await RunAsync(stop);
            }
#pragma warning disable CA1031 // A fault is logged where it occurs, and the loop looks again.
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }
    }

    private bool IsMissed()
    {
        lock (_lock)
        {
            // A process that commits nothing need not stand in: it has no entries that only it could know of.
            if (heads.Commits == _commits || time.GetElapsedTime(_last ?? _began) < Heartbeats.Missed(_period)) return false;
            if (!_isSaid) LogMissed(time.GetElapsedTime(_last ?? _began).TotalSeconds);
            _isSaid = true;
            return true;
        }
    }

    [LoggerMessage(24, LogLevel.Warning,
        "The timer has not come for {Seconds:0} s: this process, which commits, runs a tick itself. Look at the timer: docs/operations.md, When the heartbeat stops")]
    private partial void LogMissed(double seconds);
}
