namespace Outpost.Tests.Unit.LocalHost;

/// <summary>Time that passes only when a test says so.</summary>
internal sealed class ManualTime(DateTime start) : TimeProvider
{
    /// <summary>How long a test waits for what comes at once unless the code is wrong.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _armed = [];
    private TaskCompletionSource _change = new();
    private TimeSpan _elapsed;
    private TimeSpan _slept;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return new DateTimeOffset(start, TimeSpan.Zero) + _elapsed + _slept;
    }

    public override long GetTimestamp()
    {
        lock (_lock)
            return _elapsed.Ticks;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Fires what falls due, in order, each at its own time.</summary>
    public void Advance(TimeSpan by)
    {
        var end = Elapsed() + by;
        while (Next(end) is { } timer)
            timer.Fire();
        lock (_lock)
            _elapsed = end;
    }

    /// <summary>The clock moves on and no timer counts it: a machine that was asleep.</summary>
    public void Sleep(TimeSpan duration)
    {
        lock (_lock)
            _slept += duration;
    }

    /// <summary>Waits until somebody waits (for no longer than <paramref name="within"/>), and says for how long.</summary>
    public async Task<TimeSpan> WaitForWaiter(TimeSpan? within = null)
    {
        while (true)
        {
            Task change;
            lock (_lock)
            {
                if (_armed.Count > 0 && _armed.Min(timer => timer.Due) - _elapsed is var wait && wait <= (within ?? wait))
                    return wait;
                change = _change.Task;
            }
            await change.WaitAsync(Patience);
        }
    }

    private TimeSpan Elapsed()
    {
        lock (_lock)
            return _elapsed;
    }

    private ManualTimer? Next(TimeSpan end)
    {
        lock (_lock)
        {
            var next = _armed.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
            if (next is null)
                return null;
            _elapsed = next.Due > _elapsed ? next.Due : _elapsed;
            _armed.Remove(next);
            return next;
        }
    }

    private sealed class ManualTimer(ManualTime time, Action fire) : ITimer
    {
        public TimeSpan Due { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            TaskCompletionSource changed;
            lock (time._lock)
            {
                time._armed.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                Due = time._elapsed + dueTime;
                time._armed.Add(this);
                (changed, time._change) = (time._change, new TaskCompletionSource());
            }
            changed.SetResult();
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
