using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Outpost.Forwarding;

/// <summary>
/// Runs all forwarders of this process: at each tick of the timer, and whenever this process has committed something.
/// Leases make it safe for any process to do so at any time. Thread-safe; one per process.
/// </summary>
public sealed class ForwardingEngine : IAsyncDisposable
{
    // Until a store that cannot be reached at the start is asked again.
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);

    // How much longer than its last write may take a drain gets to end.
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(8);

    // The response's Date has whole seconds.
    private static readonly TimeSpan DateResolution = TimeSpan.FromSeconds(1);

    private readonly ForwardingContext _context;
    private readonly IReadOnlyList<Forwarder> _forwarders;
    private readonly ConcurrentDictionary<(string Forwarder, int Partition), DrainMemory> _memories = new();
    private readonly Lock _stopLock = new();
    private CancellationTokenSource _stop = new();

    /// <summary>An engine for some forwarders, each with a name of its own.</summary>
    public ForwardingEngine(
        IEventStore events,
        IForwardingStore store,
        PartitionWatch watch,
        IReadOnlyList<Forwarder> forwarders,
        ForwardingOptions options,
        Sources sources,
        OutpostMetrics metrics,
        ILogger<ForwardingEngine> logger)
    {
        if (forwarders.FirstOrDefault(forwarder => !Forwarder.IsName(forwarder.Name)) is { } bad)
            throw new ArgumentException($"A forwarder's name has 1 to 50 characters of a-z0-9-; '{bad.Name}' has not.", nameof(forwarders));
        if (forwarders.Select(forwarder => forwarder.Name).Distinct().Count() < forwarders.Count)
            throw new ArgumentException("Two forwarders have the same name.", nameof(forwarders));
        _context = new ForwardingContext(events, store, watch, options, sources, metrics, new ForwardingLog(logger));
        _forwarders = forwarders;
    }

    /// <summary>The forwarders of this process.</summary>
    public IReadOnlyList<Forwarder> Forwarders => _forwarders;

    private TimeProvider Time => _context.Sources.Time;

    /// <summary>
    /// One run of the timer: looks at each partition once, with one request for all forwarders, starts what has work, and
    /// waits for it, at most <see cref="ForwardingOptions.RunMax"/>; what takes longer goes on in the background.
    /// </summary>
    /// <param name="stop">Stops all forwarding of this process for now; what was delivered still gets its checkpoint.</param>
    public async Task<ForwardRun> RunAsync(CancellationToken stop)
    {
        var layout = await _context.Events.LayoutAsync(stop);
        _context.Metrics.Run();
        if (_forwarders.Count == 0) return new ForwardRun(0, 0, 0);
        var start = Time.GetTimestamp();
        var before = _forwarders.ToDictionary(forwarder => forwarder.Name, forwarder => Total(forwarder, layout.Partitions));
        using (stop.Register(StopDrains))
        {
            await Task.WhenAll(Enumerable.Range(0, layout.Partitions).Select(partition => TickAsync(partition, stop)));
            await WaitAsync(start, stop);
        }

        var sum = new ForwardRun(0, 0, 0);
        foreach (var forwarder in _forwarders)
        {
            var run = Total(forwarder, layout.Partitions) - before[forwarder.Name];
            sum += run;
            if (run.Delivered > 0)
                _context.Log.Run(forwarder.Name, run.Delivered, run.Batches, run.FailedPartitions, Time.GetElapsedTime(start).TotalMilliseconds);
        }

        return sum;
    }

    /// <summary>Forwards what this process commits right after the commit, until <paramref name="stop"/>. Best effort: the timer finds what is missed.</summary>
    public async Task ForwardCommitsAsync(CancellationToken stop)
    {
        try
        {
            var layout = await LayoutAsync(stop);
            await Task.WhenAll(Enumerable.Range(0, layout.Partitions).Select(async partition =>
            {
                for (var seen = _context.Events.Heads[partition]; ; seen = _context.Events.Heads[partition])
                {
                    await _context.Events.Heads.BeyondAsync(partition, seen).WaitAsync(stop);
                    await LookAsync(partition, stop);
                }
            }));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>Looks at a partition now, as after a commit.</summary>
    public async Task LookAsync(int partition, CancellationToken cancellationToken)
    {
        // A drain under way has noticed by itself.
        if (_forwarders.All(forwarder => IsBusyOrQuiet(Memory(forwarder, partition)))) return;
        try
        {
            var state = await _context.Watch.ReadAsync(partition, TimeSpan.Zero, cancellationToken);
            foreach (var forwarder in _forwarders.Where(forwarder => !IsBusyOrQuiet(Memory(forwarder, partition)))) Start(forwarder, state);
        }
        catch (StoreUnavailableException)
        {
            // The next tick asks again, and says so.
        }
    }

    /// <summary>Looks at a partition after an operator's request: drains under way see it at once, and others begin.</summary>
    public async Task HeedAsync(int partition, CancellationToken cancellationToken)
    {
        try
        {
            var state = await _context.Watch.ReadAsync(partition, TimeSpan.Zero, cancellationToken);
            foreach (var forwarder in _forwarders) Start(forwarder, state);
        }
        catch (StoreUnavailableException)
        {
            // The request is stored; the next tick finds it.
        }
    }

    /// <summary>Ends all drains; what was delivered gets its checkpoint, and leases are given back.</summary>
    public async ValueTask DisposeAsync()
    {
        StopDrains();
        await Task.WhenAll(Running()).WaitAsync(StopsWithin, Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task TickAsync(int partition, CancellationToken stop)
    {
        try
        {
            var state = await _context.Watch.ReadAsync(partition, TimeSpan.Zero, stop);
            foreach (var forwarder in _forwarders)
            {
                var memory = Memory(forwarder, partition);
                if (memory.FailingKind == StoreKind) Recovered(forwarder, partition, memory);
                Start(forwarder, state);
            }

            foreach (var forwarder in _forwarders)
            {
                _context.Metrics.Stands(await ForwarderStanding.ReadAsync(
                    _context.Events, state, forwarder.Name, forwarder.Within, forwarder.CheckpointIn(state).NextOffset, stop));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception e) when (e is not LayoutMismatchException)
        {
            foreach (var forwarder in _forwarders) Failed(forwarder, partition, e);
        }
    }

    private const string StoreKind = nameof(StoreUnavailableException);

    private void Start(Forwarder forwarder, PartitionState state)
    {
        var memory = Memory(forwarder, state.Partition);
        lock (memory)
        {
            if (memory.Running is { IsCompleted: false } || !forwarder.HasWork(state)) return;
            var left = forwarder.CheckpointIn(state) is { Owner: { } owner } checkpoint && owner != _context.Options.Owner
                ? checkpoint.LeaseLeft(state.ReadAt)
                : TimeSpan.Zero;
            if (left > TimeSpan.Zero)
            {
                LookAgain(state.Partition, memory, left + DateResolution);
                return;
            }

            var stop = _stop.Token;
            memory.Running = Task.Factory.StartNew(
                () => DrainAsync(forwarder, state, memory, stop), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Current).Unwrap();
        }
    }

    // Its holder will see the entry; should it have died, this process is there when the lease is free.
    private void LookAgain(int partition, DrainMemory memory, TimeSpan after)
    {
        var now = Time.GetTimestamp();
        if (memory.QuietUntil > now) return;
        memory.QuietUntil = now + (long)(after.TotalSeconds * Time.TimestampFrequency);
        _ = AgainAsync(_stop.Token);

        async Task AgainAsync(CancellationToken stop)
        {
            await Task.Delay(after, Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (!stop.IsCancellationRequested) await LookAsync(partition, stop);
        }
    }

    // One drain after the other until there is nothing left: an entry that came in a drain's last moment is not left to the timer.
    private async Task DrainAsync(Forwarder forwarder, PartitionState state, DrainMemory memory, CancellationToken stop)
    {
        while (true)
        {
            var head = long.MaxValue;
            try
            {
                head = await new Drain(forwarder, state.Partition, _context, memory).RunAsync(state, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            catch (Exception e) when (e is not LayoutMismatchException)
            {
                Failed(forwarder, state.Partition, e);
            }

            lock (memory)
            {
                if (head >= _context.Events.Heads[state.Partition] || stop.IsCancellationRequested)
                {
                    memory.Running = null;
                    return;
                }
            }

            try
            {
                state = await _context.Watch.ReadAsync(state.Partition, TimeSpan.Zero, stop);
            }
            catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
            {
                memory.Running = null;
                return;
            }
        }
    }

    private async Task WaitAsync(long start, CancellationToken stop)
    {
        while (Running() is { Count: > 0 } running)
        {
            var left = stop.IsCancellationRequested ? StopsWithin : _context.Options.RunMax - Time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero) return;
            var all = Task.WhenAll(running);
            try
            {
                await all.WaitAsync(left, Time, stop.IsCancellationRequested ? CancellationToken.None : stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            catch (TimeoutException)
            {
                return;
            }
        }
    }

    private async Task<LogLayout> LayoutAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                return await _context.Events.LayoutAsync(stop);
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(AskAgain, Time, stop);
            }
        }
    }

    private void StopDrains()
    {
        CancellationTokenSource old;
        lock (_stopLock) (old, _stop) = (_stop, new CancellationTokenSource());
        old.Cancel();
    }

    private void Failed(Forwarder forwarder, int partition, Exception cause)
    {
        var memory = Memory(forwarder, partition);
        memory.Failed(Time);
        var failed = new Step.Failed(cause, cause.GetType().Name, IsTransient: true);
        memory.Say(failed, () => _context.Log.Failing(forwarder.Name, partition, failed.Reason, cause));
    }

    private void Recovered(Forwarder forwarder, int partition, DrainMemory memory)
    {
        memory.FailingKind = null;
        _context.Log.Recovered(forwarder.Name, partition);
    }

    private List<Task> Running() => [.. _memories.Values.Select(memory => memory.Running).OfType<Task>().Where(task => !task.IsCompleted)];

    private bool IsBusyOrQuiet(DrainMemory memory) => memory.Running is { IsCompleted: false } || memory.QuietUntil > Time.GetTimestamp();

    private DrainMemory Memory(Forwarder forwarder, int partition) => _memories.GetOrAdd((forwarder.Name, partition), _ => new DrainMemory());

    private ForwardRun Total(Forwarder forwarder, int partitions)
    {
        var sum = new ForwardRun(0, 0, 0);
        for (var partition = 0; partition < partitions; partition++) sum += Memory(forwarder, partition).Total;
        return sum;
    }
}

/// <summary>What one run did.</summary>
/// <param name="Delivered">Entries accepted by the targets.</param>
/// <param name="Batches">Deliveries it took.</param>
/// <param name="FailedPartitions">How often forwarding of a partition ended with an error.</param>
public sealed record ForwardRun(long Delivered, long Batches, int FailedPartitions)
{
    /// <summary>Both together.</summary>
    public static ForwardRun operator +(ForwardRun one, ForwardRun other) =>
        new(one.Delivered + other.Delivered, one.Batches + other.Batches, one.FailedPartitions + other.FailedPartitions);

    /// <summary>What came since.</summary>
    public static ForwardRun operator -(ForwardRun one, ForwardRun other) =>
        new(one.Delivered - other.Delivered, one.Batches - other.Batches, one.FailedPartitions - other.FailedPartitions);
}
