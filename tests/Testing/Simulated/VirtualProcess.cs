using Azure.Data.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Tables;

namespace Outpost.Tests.Testing;

/// <summary>
/// A process in a world of virtual time: it can be paused between any two steps, go on later as if nothing had been, or
/// be killed. Its clock may be wrong. To be made inside the world's <see cref="VirtualTime.Run(Func{Task})"/>.
/// </summary>
internal sealed class VirtualProcess
{
    private readonly ProcessScheduler _scheduler;
    private readonly ProcessTime _time;

    /// <param name="world">Its world.</param>
    /// <param name="table">Where the log is.</param>
    /// <param name="random">Of its ids and jitter.</param>
    /// <param name="name">Names it in leases.</param>
    /// <param name="partitions">Of the log.</param>
    /// <param name="clockAhead">How wrong its clock is.</param>
    /// <param name="connect">How it reaches the table, with its clock; null: directly, and requests stand still with it.</param>
    public VirtualProcess(
        VirtualTime world,
        SimulatedTable table,
        Random random,
        string name,
        int partitions = 1,
        TimeSpan clockAhead = default,
        Func<StoreClock, TableClient>? connect = null)
    {
        Name = name;
        _scheduler = new ProcessScheduler(TaskScheduler.Current, world.RunsOn);
        _time = new ProcessTime(world, clockAhead);
        Sources = new Sources(_time, () => NewId(random), random.NextDouble);
        var clock = new StoreClock(_time, NullLogger<StoreClock>.Instance);
        Table = connect?.Invoke(clock) ?? table;
        // Writers run where they were made.
        Start(() =>
        {
            Store = new TableEventStore(Table, partitions, clock, Sources, NullLogger.Instance);
            return Task.CompletedTask;
        });
        _scheduler.RunAllNow();
        Log = new EventLog(Store!, _time);
        Watch = new PartitionWatch(Store!, Sources);
        Checkpoints = new TableForwardingStore(Table, Sources);
    }

    public string Name { get; }

    public Sources Sources { get; }

    public TimeProvider Time => _time;

    /// <summary>The table as this process reaches it.</summary>
    public TableClient Table { get; }

    public TableEventStore Store { get; private set; } = null!;

    public EventLog Log { get; set; }

    public PartitionWatch Watch { get; }

    public IForwardingStore Checkpoints { get; set; }

    public OutpostMetrics Metrics { get; } = new();

    public bool IsRunning => _scheduler.State == ProcessState.Running;

    /// <summary>How often it stood still.</summary>
    public int Pauses { get; private set; }

    public bool IsKilled => _scheduler.State == ProcessState.Killed;

    public ForwardingEngine Engine(IReadOnlyList<Forwarder> forwarders, TimeSpan? linger = null) => new(
        Store,
        Checkpoints,
        Watch,
        forwarders,
        new ForwardingOptions { Owner = Name, Linger = linger ?? TimeSpan.FromSeconds(5) },
        Sources,
        Metrics,
        NullLogger<ForwardingEngine>.Instance);

    /// <summary>Work of this process. After a kill its task never ends.</summary>
    public Task Start(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.None, _scheduler).Unwrap();

    /// <summary>As <see cref="Start(Func{Task})"/>, with an answer.</summary>
    public Task<T> Start<T>(Func<Task<T>> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.None, _scheduler).Unwrap();

    /// <summary>As a process runs: the timer, and what it commits right after the commit.</summary>
    public void Forward(ForwardingEngine engine, TimeSpan tick, CancellationToken stop = default)
    {
        _ = Start(() => engine.ForwardCommitsAsync(stop));
        _ = Start(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await engine.RunAsync(stop);
                }
                catch (StoreUnavailableException)
                {
                    // The next tick.
                }

                await Task.Delay(tick, _time, stop);
            }
        });
    }

    /// <summary>Nothing of it runs any more, until <see cref="Resume"/>.</summary>
    /// <param name="stopsClock">Its stopwatch too stands still, as in a virtual machine that is suspended.</param>
    public void Pause(bool stopsClock)
    {
        if (_scheduler.State != ProcessState.Running) return;
        _scheduler.State = ProcessState.Paused;
        Pauses++;
        if (stopsClock) _time.Stop();
    }

    public void Resume()
    {
        if (_scheduler.State != ProcessState.Paused) return;
        _time.GoOn();
        _scheduler.State = ProcessState.Running;
    }

    /// <summary>Nothing of it ever runs again.</summary>
    public void Kill() => _scheduler.State = ProcessState.Killed;

    /// <summary>Does something to it right before the step it takes after so many more: between any two of its awaits.</summary>
    public void After(int steps, Action action) => _scheduler.After(steps, action);

    /// <summary>Somebody sets its clock. Its stopwatch does not notice.</summary>
    public void SetClock(TimeSpan by) => _time.Ahead += by;

    private static Guid NewId(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }

    private enum ProcessState
    {
        Running,
        Paused,
        Killed,
    }

    /// <summary>Passes steps on to the world's scheduler while the process runs, and keeps them while it does not.</summary>
    private sealed class ProcessScheduler : TaskScheduler
    {
        private readonly TaskScheduler _world;
        private readonly bool _runsOn;
        private readonly Action<object?> _execute;
        private readonly Queue<Task> _kept = new();
        private readonly Queue<Task> _first = new();
        private bool _begun;
        private int _stepsLeft;
        private Action? _then;
        private ProcessState _state;

        public ProcessScheduler(TaskScheduler world, bool runsOn) =>
            (_world, _runsOn, _execute) = (world, runsOn, task => Execute((Task)task!));

        public override int MaximumConcurrencyLevel => 1;

        public ProcessState State
        {
            get => _state;
            set
            {
                _state = value;
                while (_state == ProcessState.Running && _kept.TryDequeue(out var task)) QueueTask(task);
            }
        }

        public void After(int steps, Action action) => (_stepsLeft, _then) = (steps, action);

        // Only for what was queued in the constructor, before anything else could be.
        public void RunAllNow()
        {
            while (_first.TryDequeue(out var task)) TryExecuteTask(task);
        }

        protected override void QueueTask(Task task)
        {
            if (!_begun)
            {
                _begun = true;
                _first.Enqueue(task);
                return;
            }

            _ = Task.Factory.StartNew(_execute, task, CancellationToken.None, TaskCreationOptions.None, _world);
        }

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
            _runsOn && !taskWasPreviouslyQueued && _state == ProcessState.Running && TaskScheduler.Current == this && TryExecuteTask(task);

        protected override IEnumerable<Task> GetScheduledTasks() => _kept;

        private void Execute(Task task)
        {
            if (_then is { } then && _state == ProcessState.Running && _stepsLeft-- <= 0)
            {
                _then = null;
                then();
            }

            if (_state == ProcessState.Running) TryExecuteTask(task);
            else _kept.Enqueue(task);
        }
    }

    private sealed class ProcessTime(VirtualTime world, TimeSpan ahead) : TimeProvider
    {
        private long _lost;
        private long? _stoppedAt;

        public TimeSpan Ahead { get; set; } = ahead;

        public override long TimestampFrequency => world.TimestampFrequency;

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public void Stop() => _stoppedAt ??= world.GetTimestamp();

        public void GoOn()
        {
            if (_stoppedAt is { } at) _lost += world.GetTimestamp() - at;
            _stoppedAt = null;
        }

        public override DateTimeOffset GetUtcNow() => world.GetUtcNow() + Ahead;

        public override long GetTimestamp() => (_stoppedAt ?? world.GetTimestamp()) - _lost;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            world.CreateTimer(callback, state, dueTime, period);
    }
}
