namespace Outpost.Tests.Testing;

/// <summary>
/// A world of one thread in which time passes only when nothing is left to do: all work of a simulation runs here, step
/// by step, and the clock jumps to the next timer. The same code and seed give the same order of everything.
/// <para>
/// It is a task scheduler, so every <c>await</c> inside comes back to it, whoever completes what is awaited. What goes
/// to the thread pool all the same cannot be ordered and fails the run: <c>Task.Run</c>, <c>ConfigureAwait(false)</c>
/// on an unfinished task, and <c>WaitAsync</c>, <c>WhenAll</c> or <c>WhenAny</c> directly on the task of a completion
/// source that runs its continuations asynchronously. That last kind is not always noticed: where it waits with a
/// timeout, the clock may reach the timeout before the thread pool comes back.
/// </para>
/// </summary>
/// <param name="random">Picks which of the steps that are ready comes next; null: first come, first served.</param>
/// <param name="stepsMax">Bound on the steps of one run.</param>
/// <param name="runsOn">
/// Whether what awaited something goes on at once where that was completed by the same process, as the thread pool has it;
/// otherwise each such moment is a step of its own, and so a choice: more orders, and several times the work.
/// </param>
internal sealed class VirtualTime(Random? random = null, long stepsMax = 50_000_000, bool runsOn = false) : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 8, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan PatienceWithEscaped = TimeSpan.FromMilliseconds(200);
    private readonly PriorityQueue<(VirtualTimer Timer, long Change), (long Due, long Order)> _timers = new();
    private readonly StepScheduler _scheduler = new(random, runsOn);
    private long _now;
    private long _changes;
    private bool _running;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Time since the world began.</summary>
    public TimeSpan Elapsed => TimeSpan.FromTicks(_now);

    /// <summary>Whether a process goes on at once with what it was waiting for.</summary>
    internal bool RunsOn => runsOn;

    /// <summary>Steps done so far.</summary>
    public long Steps { get; private set; }

    public override DateTimeOffset GetUtcNow() => Start + Elapsed;

    public override long GetTimestamp() => _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>
    /// Starts the work and returns when its task is done. Fails when that task fails, when nothing is left that could
    /// ever complete it, and after too many steps. What else was started stays where it is and goes on in the next run.
    /// </summary>
    public void Run(Func<Task> work)
    {
        if (_running) throw new InvalidOperationException("This world runs already.");
        // A test framework's context would take the continuations away from the scheduler.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        _running = true;
        try
        {
            // The loop is itself a task of the scheduler, so that timers too run where awaits come back to it.
            _scheduler.RunHere(new Task(() => RunUntilDone(work())));
        }
        finally
        {
            _running = false;
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>As <see cref="Run(Func{Task})"/>, with an answer.</summary>
    public T Run<T>(Func<Task<T>> work)
    {
        Task<T>? task = null;
        Run(() => (Task)(task = work()));
        return task!.GetAwaiter().GetResult();
    }

    /// <summary>
    /// Does something outside of any scheduler, as a driver of the operating system would. What libraries await with
    /// <c>ConfigureAwait(false)</c> goes on here and at once, where it would otherwise leave for the thread pool.
    /// </summary>
    public static void Outside(Action action) => new Task(action).RunSynchronously(TaskScheduler.Default);

    private void RunUntilDone(Task work)
    {
        var end = Steps + stepsMax;
        while (!work.IsCompleted)
        {
            if (_scheduler.RunOne())
            {
                if (++Steps > end) throw new InvalidOperationException($"Not done after {stepsMax} steps, at {Elapsed}.");
            }
            else if (!FireNext())
            {
                _scheduler.WaitForEscaped(PatienceWithEscaped);
                throw new InvalidOperationException(
                    $"Deadlock at {Elapsed}, after {Steps} steps: nothing is ready, no timer is set, and the work is not done.");
            }
        }

        work.GetAwaiter().GetResult();
    }

    // All that is due at one moment fires before any of it goes on: their order is then the scheduler's choice.
    private bool FireNext()
    {
        var fired = false;
        while (_timers.TryPeek(out var next, out var priority) && (!fired || priority.Due <= _now))
        {
            _timers.Dequeue();
            if (!next.Timer.IsSet(next.Change)) continue;
            _now = Math.Max(_now, priority.Due);
            fired = true;
            next.Timer.Fire();
        }

        return fired;
    }

    private sealed class VirtualTimer(VirtualTime world, TimerCallback callback, object? state) : ITimer
    {
        private long _change;
        private TimeSpan _period;

        public bool IsSet(long change) => _change == change;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _change = ++world._changes;
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan)
                world._timers.Enqueue((this, _change), (world._now + Math.Max(0, dueTime.Ticks), _change));
            return true;
        }

        public void Fire()
        {
            if (_period > TimeSpan.Zero) Change(_period, _period);
            else _change = 0;
            callback(state);
        }

        public void Dispose() => _change = 0;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>The steps that are ready, run by one thread, in order or as the random source picks.</summary>
    private sealed class StepScheduler(Random? random, bool runsOn) : TaskScheduler
    {
        private readonly List<Task> _ready = [];
        private volatile string? _escaped;
        private Task? _loop;
        private int _thread;
        private int _first;

        public override int MaximumConcurrencyLevel => 1;

        public void RunHere(Task loop)
        {
            (_loop, _thread) = (loop, Environment.CurrentManagedThreadId);
            loop.RunSynchronously(this);
            loop.GetAwaiter().GetResult();
        }

        public bool RunOne()
        {
            if (_escaped is { } trace)
                throw new InvalidOperationException($"Work left this world for the thread pool and came back:{Environment.NewLine}{trace}");
            if (_first == _ready.Count) return false;
            TryExecuteTask(Take());
            return true;
        }

        public void WaitForEscaped(TimeSpan patience)
        {
            SpinWait.SpinUntil(() => _escaped is not null, patience);
            if (_escaped is not null) RunOne();
        }

        protected override void QueueTask(Task task)
        {
            if (Environment.CurrentManagedThreadId == _thread) _ready.Add(task);
            else _escaped ??= Environment.StackTrace;
        }

        // A thread of the pool asks for this also where another scheduler's work completed something; other threads never do.
        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
            (task == _loop || (runsOn && !taskWasPreviouslyQueued && Current == this && Environment.CurrentManagedThreadId == _thread)) && TryExecuteTask(task);

        protected override IEnumerable<Task> GetScheduledTasks() => _ready.Skip(_first);

        private Task Take()
        {
            if (random is not null)
            {
                var pick = random.Next(_ready.Count);
                var picked = _ready[pick];
                _ready[pick] = _ready[^1];
                _ready.RemoveAt(_ready.Count - 1);
                return picked;
            }

            var task = _ready[_first++];
            // What is done is cut off now and then, so that a step costs the same however many there were.
            if (_first == _ready.Count || _first >= 1024)
            {
                _ready.RemoveRange(0, _first);
                _first = 0;
            }

            return task;
        }
    }
}
