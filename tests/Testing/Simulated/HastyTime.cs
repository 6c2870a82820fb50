namespace Outpost.Tests.Testing;

/// <summary>
/// Time for tests that should not wait: whoever waits for a little while has its wait over at once, and the clock has
/// moved on by as much. Longer waits (deadlines) end when the clock has come that far. Nothing else moves the clock,
/// except <see cref="Advance"/>.
/// </summary>
/// <param name="littleWhile">Up to this long. Null: 4 seconds.</param>
internal sealed class HastyTime(TimeSpan? littleWhile = null) : TimeProvider
{
    private readonly TimeSpan _littleWhile = littleWhile ?? TimeSpan.FromSeconds(4);
    private readonly Lock _lock = new();
    private readonly List<HastyTimer> _deadlines = [];
    private DateTimeOffset _now = new(2026, 11, 22, 8, 0, 0, TimeSpan.Zero);
    private long _elapsed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _now;
    }

    public override long GetTimestamp()
    {
        lock (_lock) return _elapsed;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new HastyTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Time passes.</summary>
    public void Advance(TimeSpan by) => MoveTo(GetTimestamp() + by.Ticks);

    /// <summary>The wall clock is set, which no timer notices.</summary>
    public void SetClock(TimeSpan by)
    {
        lock (_lock) _now += by;
    }

    private void MoveTo(long elapsed)
    {
        List<HastyTimer> due;
        lock (_lock)
        {
            if (elapsed > _elapsed) (_now, _elapsed) = (_now + TimeSpan.FromTicks(elapsed - _elapsed), elapsed);
            due = [.. _deadlines.Where(timer => timer.Due <= _elapsed)];
            foreach (var timer in due) _deadlines.Remove(timer);
        }

        foreach (var timer in due) timer.Fire();
    }

    private sealed class HastyTimer(HastyTime time, Action fire) : ITimer
    {
        private long _changes;

        public long Due { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            long change;
            lock (time._lock)
            {
                change = ++_changes;
                time._deadlines.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = time._elapsed + dueTime.Ticks;
                if (dueTime > time._littleWhile)
                {
                    time._deadlines.Add(this);
                    return true;
                }
            }

            ThreadPool.QueueUserWorkItem(_ =>
            {
                lock (time._lock)
                {
                    if (change != _changes) return;
                }

                time.MoveTo(Due);
                fire();
            });
            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
