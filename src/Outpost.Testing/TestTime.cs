namespace Outpost.Testing;

/// <summary>
/// A clock that only a test moves. Short waits take no real time: a wait of up to five seconds (a pause between tries) ends at
/// once, and moves the clock by that time. Longer waits and all deadlines end when the clock gets there.
/// </summary>
/// <param name="start">What the clock shows at first; null for 2026-01-01 in UTC.</param>
public sealed class TestTime(DateTimeOffset? start = null) : TimeProvider
{
    private static readonly TimeSpan NotWaitedFor = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly List<Wait> _waits = [];
    private readonly DateTimeOffset _start = start ?? new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private long _elapsed;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start + TimeSpan.FromTicks(GetTimestamp());

    /// <inheritdoc/>
    public override long GetTimestamp() => Interlocked.Read(ref _elapsed);

    /// <summary>Moves the clock, and ends the waits that are due by then.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        MoveTo(GetTimestamp() + by.Ticks);
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var wait = new Wait(this, () => callback(state), isDeadline: state is CancellationTokenSource);
        wait.Change(dueTime, period);
        return wait;
    }

    private void MoveTo(long elapsed)
    {
        while (true)
        {
            Wait? due;
            lock (_lock)
            {
                due = _waits.Where(wait => wait.Due <= elapsed).MinBy(wait => wait.Due);
                _elapsed = Math.Max(_elapsed, due?.Due ?? elapsed);
                if (due is null) return;
                _waits.Remove(due);
            }

            due.End();
        }
    }

    private sealed class Wait(TestTime time, Action ended, bool isDeadline) : ITimer
    {
        public long Due { get; private set; }

        private TimeSpan Period { get; set; }

        public void End()
        {
            if (Period > TimeSpan.Zero) Change(Period, Period);
            ended();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                time._waits.Remove(this);
                Period = period;
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = time._elapsed + dueTime.Ticks;
                time._waits.Add(this);
            }

            // A periodic timer that ended at once would keep the clock moving for ever.
            if (!isDeadline && dueTime <= NotWaitedFor && period <= TimeSpan.Zero) ThreadPool.QueueUserWorkItem(_ => EndNow());
            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void EndNow()
        {
            lock (time._lock)
            {
                if (!time._waits.Contains(this)) return;
            }

            time.MoveTo(Due);
        }
    }
}
