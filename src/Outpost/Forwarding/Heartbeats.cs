namespace Outpost.Forwarding;

/// <summary>
/// Reports the ticks of this process to others, and reads theirs: which process runs which forwarder, and whether the timer runs
/// at all. Thread-safe; one per process.
/// </summary>
internal sealed class Heartbeats(
    IHeartbeatStore store, string process, IReadOnlyList<string> forwarders, string? schedule, Func<DateTimeOffset> now, TimeProvider time)
{
    /// <summary>How often a process writes: one request a minute, whatever the timer's period and the number of partitions.</summary>
    public static readonly TimeSpan WriteEvery = TimeSpan.FromMinutes(1);

    /// <summary>The assumed period of the timer until its real one is known. A longer period is rare.</summary>
    internal static readonly TimeSpan PeriodUnknown = TimeSpan.FromMinutes(1);

    // A timer that comes every second may be late for a moment.
    private static readonly TimeSpan PeriodMin = TimeSpan.FromSeconds(5);
    private const int PeriodsMissed = 3;

    // The heartbeat of a process that ended long ago is of no use.
    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly DateTimeOffset _began = now();
    private Heartbeat _own = new(process, DateTimeOffset.MinValue, null, PeriodUnknown, forwarders, IsStopped: false);
    private IReadOnlyList<Heartbeat> _known = [];
    private long? _written;

    /// <summary>Records that a tick begins. Writes and reads at most once in <see cref="WriteEvery"/>. Best effort.</summary>
    /// <param name="isTimer">Whether the timer caused the tick.</param>
    /// <param name="period">Time from one tick of the timer to the next; null if it is not known.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task BeatAsync(bool isTimer, TimeSpan? period, CancellationToken cancellationToken)
    {
        Heartbeat own;
        lock (_lock)
        {
            var at = now();
            _own = _own with
            {
                At = at,
                TimerAt = isTimer ? at : _own.TimerAt,
                Period = period is { } known && known > TimeSpan.Zero ? known : _own.Period,
            };
            if (_written is { } written && time.GetElapsedTime(written) < WriteEvery) return;
            _written = time.GetTimestamp();
            own = _own;
        }

        try
        {
            await store.SaveAsync(own, cancellationToken);
            foreach (var old in (await ReadAsync(cancellationToken)).Where(one => one.Process != process && own.At - one.At > KeptFor))
                await store.DeleteAsync(old.Process, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            lock (_lock) _written = null;
        }
    }

    /// <summary>Records that this process ends, so that others see at once that it no longer runs anything.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Heartbeat own;
        lock (_lock) own = _own with { IsStopped = true };
        if (own.At == DateTimeOffset.MinValue) return;
        try
        {
            await store.SaveAsync(own, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            // The last heartbeat of this process grows old by itself.
        }
    }

    /// <summary>Reads the heartbeats of all processes, from which the members below answer.</summary>
    public async Task<IReadOnlyList<Heartbeat>> ReadAsync(CancellationToken cancellationToken)
    {
        var read = await store.ReadAsync(cancellationToken);
        lock (_lock) return _known = read;
    }

    /// <summary>Whether some process has run a forwarder within its last three ticks, as of the last read.</summary>
    public bool IsRun(string forwarder)
    {
        lock (_lock)
        {
            var at = now();
            // A process that has just started has had no tick yet.
            var last = _own.At > _began ? _own.At : _began;
            return (forwarders.Contains(forwarder) && at - last < Missed(_own.Period))
                || Others.Any(one => !one.IsStopped && one.Forwarders.Contains(forwarder) && at - one.At < WriteEvery + Missed(one.Period));
        }
    }

    /// <summary>Whether any process has run a forwarder within some time, paused or not, as of the last read.</summary>
    public bool HasRun(string forwarder, TimeSpan within)
    {
        lock (_lock) return forwarders.Contains(forwarder) || Others.Any(one => one.Forwarders.Contains(forwarder) && now() - one.At < within);
    }

    /// <summary>The standing of the timer, as of the last read.</summary>
    public TimerStanding Timer
    {
        get
        {
            lock (_lock)
            {
                var at = now();
                var lastTickAt = Others.Append(_own).Max(one => one.TimerAt);
                // A tick within a minute after a write may have left no write of its own.
                var possible = Others.Where(one => one.TimerAt is not null && !one.IsStopped).Select(one => one.TimerAt!.Value + WriteEvery)
                    .Append(_own.TimerAt ?? _began).Max();
                var period = Others.Append(_own).Where(one => one.TimerAt is not null).MaxBy(one => one.TimerAt)?.Period ?? PeriodUnknown;
                return new TimerStanding(lastTickAt, schedule, at - possible >= Missed(period));
            }
        }
    }

    private IEnumerable<Heartbeat> Others => _known.Where(one => one.Process != process);

    /// <summary>How long a timer of this period must stay away before it counts as missed: three periods. Pure.</summary>
    internal static TimeSpan Missed(TimeSpan period) => (period < PeriodMin ? PeriodMin : period) * PeriodsMissed;
}
