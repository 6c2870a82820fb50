using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Tables;

namespace Outpost.Tests.Testing;

/// <summary>
/// A process in a world of virtual time: it can be paused between any two steps, go on later as if nothing had been, or
/// be killed. Its clock may be wrong. To be made inside the world's <see cref="VirtualTime.Run(Func{Task})"/>.
/// </summary>
public sealed class VirtualProcess
{
    private readonly ProcessScheduler _scheduler = new(TaskScheduler.Current);
    private readonly ProcessTime _time;

    public VirtualProcess(VirtualTime world, SimulatedTable table, Random random, string name, int partitions = 1, TimeSpan clockAhead = default)
    {
        Name = name;
        _time = new ProcessTime(world, clockAhead);
        Sources = new Sources(_time, () => NewId(random), random.NextDouble);
        // Writers run where they were made.
        Start(() =>
        {
            Store = new TableEventStore(table, partitions, new StoreClock(_time, NullLogger<StoreClock>.Instance), Sources, NullLogger.Instance);
            return Task.CompletedTask;
        });
        _scheduler.RunAllNow();
        Log = new EventLog(Store!, _time);
        Watch = new PartitionWatch(Store!, Sources);
        Checkpoints = new TableForwardingStore(table, Sources);
    }

    public string Name { get; }

    public Sources Sources { get; }

    public TimeProvider Time => _time;

    public TableEventStore Store { get; private set; } = null!;

    public EventLog Log { get; }

    public PartitionWatch Watch { get; }

    public IForwardingStore Checkpoints { get; set; }

    public OutpostMetrics Metrics { get; } = new();

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
    private sealed class ProcessScheduler(TaskScheduler world) : TaskScheduler
    {
        private readonly Queue<Task> _kept = new();
        private readonly Queue<Task> _first = new();
        private bool _begun;
        private ProcessState _state;

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

            _ = Task.Factory.StartNew(() => Execute(task), CancellationToken.None, TaskCreationOptions.None, world);
        }

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

        protected override IEnumerable<Task> GetScheduledTasks() => _kept;

        private void Execute(Task task)
        {
            if (_state == ProcessState.Running) TryExecuteTask(task);
            else _kept.Enqueue(task);
        }
    }

    private sealed class ProcessTime(VirtualTime world, TimeSpan ahead) : TimeProvider
    {
        private long _lost;
        private long? _stoppedAt;

        public override long TimestampFrequency => world.TimestampFrequency;

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public void Stop() => _stoppedAt ??= world.GetTimestamp();

        public void GoOn()
        {
            if (_stoppedAt is { } at) _lost += world.GetTimestamp() - at;
            _stoppedAt = null;
        }

        public override DateTimeOffset GetUtcNow() => world.GetUtcNow() + ahead;

        public override long GetTimestamp() => (_stoppedAt ?? world.GetTimestamp()) - _lost;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            world.CreateTimer(callback, state, dueTime, period);
    }
}
