using Microsoft.Extensions.Logging;
using Outpost.Forwarding;

namespace Outpost.Retention;

/// <summary>
/// One tick: all forwarders of this process, then retention. Whoever asks while one is under way gets that one. The timer
/// asks, an operator or another scheduler does, and a process that commits asks by itself where the timer does not come:
/// leases make it safe for any number of processes to do so. Thread-safe; one per process.
/// </summary>
internal sealed partial class Ticks(ForwardingEngine engine, RetentionRunner retention, PartitionHeads heads, TimeProvider time, ILogger<Ticks> logger, Heartbeats? heartbeats = null)
{
    // How soon a timer that stays away is noticed.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly long _began = time.GetTimestamp();
    private Task<ForwardRun>? _running;
    private TimeSpan _period = Heartbeats.PeriodUnknown;
    private long? _last;
    private long? _timerAt;
    private long _commits;
    private bool _isSaid;

    /// <summary>A tick, or the one that is under way.</summary>
    /// <param name="stop">Ends it; what was delivered has its checkpoint. Of who began it.</param>
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

    /// <summary>The timer's: also tells how often it comes.</summary>
    /// <param name="period">From one to the next, where the host tells.</param>
    /// <param name="stop">Ends it.</param>
    public Task<ForwardRun> RunTimerAsync(TimeSpan? period, CancellationToken stop)
    {
        lock (_lock)
        {
            // Not told, it shows: from one call to the next, or longer where a tick took longer.
            period ??= _timerAt is { } before ? time.GetElapsedTime(before) : null;
            _timerAt = time.GetTimestamp();
            if (period is { } known && known > TimeSpan.Zero) _period = known;
            _isSaid = false;
        }

        return RunAsync(isTimer: true, period, stop);
    }

    /// <summary>Looks now and then whether the timer has stayed away, until <paramref name="stop"/>.</summary>
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
#pragma warning disable CA1031 // What goes wrong is said where it does; the next look comes.
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
            // Whoever commits nothing has nothing that only it could know of.
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
