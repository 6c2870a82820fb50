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
    private bool _isDisposed;

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
            var states = await Task.WhenAll(Enumerable.Range(0, layout.Partitions).Select(partition => TickAsync(partition, stop)));
            await ShareAsync([.. states.OfType<PartitionState>()], stop);
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
                var heads = _context.Events.Heads;
                for (var seen = 0L; ;)
                {
                    await heads.BeyondAsync(partition, seen, Timeout.InfiniteTimeSpan, Time, stop);
                    // Before the look: what is committed during it needs another.
                    seen = heads[partition];
                    await LookAsync(partition, stop);
                }
            }));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (LayoutMismatchException)
        {
            // Whoever starts the app says so, and ends it.
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
#pragma warning disable CA1031 // Best effort, and nobody may be there to hear of it: the next tick asks again, and says so.
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
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

    /// <summary>Ends all drains; what was delivered gets its checkpoint, and leases are given back. More than once does no harm.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_stopLock)
        {
            if (_isDisposed) return;
            _isDisposed = true;
        }

        StopDrains();
        await Task.WhenAll(Running()).WaitAsync(StopsWithin, Time)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _stop.Dispose();
    }

    // Null: it could not be read.
    private async Task<PartitionState?> TickAsync(int partition, CancellationToken stop)
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

            return state;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception e) when (e is not LayoutMismatchException)
        {
            foreach (var forwarder in _forwarders) Failed(forwarder, partition, e);
        }

        return null;
    }

    // Asks others for some of their leases where they hold clearly more; without others nothing is asked.
    private async Task ShareAsync(IReadOnlyList<PartitionState> states, CancellationToken stop)
    {
        try
        {
            foreach (var forwarder in _forwarders)
            {
                foreach (var state in FairShare.Wished(forwarder, _context.Options.Owner, states, _context.Sources.NextRandom))
                {
                    var wish = new LeaseWish(_context.Options.Owner, forwarder.CheckpointIn(state).Epoch);
                    await _context.Store.WishAsync(state.Partition, forwarder.Name, wish, stop);
                    _ = TakeSoonAsync(state.Partition, Memory(forwarder, state.Partition), StopToken);
                }
            }
        }
        catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
        {
            // The next tick may ask.
        }
    }

    private async Task TakeSoonAsync(int partition, DrainMemory memory, CancellationToken stop)
    {
        var start = Time.GetTimestamp();
        while (!stop.IsCancellationRequested && !IsRunning(memory) && Time.GetElapsedTime(start) < FairShare.YieldTime)
        {
            await Task.Delay(FairShare.LookEvery, Time, stop)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            memory.QuietUntil = 0;
            await LookAsync(partition, stop);
        }
    }

    private const string StoreKind = nameof(StoreUnavailableException);

    private void Start(Forwarder forwarder, PartitionState state)
    {
        var memory = Memory(forwarder, state.Partition);
        lock (memory)
        {
            var stop = StopToken;
            if (stop.IsCancellationRequested || IsRunning(memory) || !MayDrain(forwarder, state, memory)) return;
            memory.Running = Task.Factory.StartNew(
                () => DrainAsync(forwarder, state, memory, stop), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Current).Unwrap();
        }
    }

    // Whether there is work, and nobody else's lease in the way.
    private bool MayDrain(Forwarder forwarder, PartitionState state, DrainMemory memory)
    {
        if (!forwarder.HasWork(state)) return false;
        var checkpoint = forwarder.CheckpointIn(state);
        var yields = memory.YieldedUntil > Time.GetTimestamp();
        var left = checkpoint.Owner == _context.Options.Owner ? TimeSpan.Zero : checkpoint.LeaseLeft(state.ReadAt);
        if (!yields && left == TimeSpan.Zero) return true;
        LookAgain(state.Partition, memory, left == TimeSpan.Zero ? FairShare.BackAfter : left + DateResolution);
        return false;
    }

    // The lease's holder has work, and so stays awake at least as long as it lingers: nudges need not look meanwhile.
    // Should it have died, this process is there when the lease is free.
    private void LookAgain(int partition, DrainMemory memory, TimeSpan after)
    {
        lock (memory)
        {
            var quiet = after < _context.Options.Linger ? after : _context.Options.Linger;
            memory.BeQuiet(Time, quiet);
            if (memory.IsLookedAtAgain) return;
            memory.IsLookedAtAgain = true;
        }

        _ = AgainAsync(StopToken);

        async Task AgainAsync(CancellationToken stop)
        {
            await Task.Delay(after, Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            lock (memory) memory.IsLookedAtAgain = false;
            memory.QuietUntil = 0;
            if (!stop.IsCancellationRequested) await LookAsync(partition, stop);
        }
    }

    // One drain after the other until there is nothing left: an entry that came in a drain's last moment is not left to the timer.
    private async Task DrainAsync(Forwarder forwarder, PartitionState state, DrainMemory memory, CancellationToken stop)
    {
        while (true)
        {
            // Another process may have come in between, or done it all.
            var head = forwarder.CheckpointIn(state).NextOffset < state.Head ? long.MaxValue : state.Head;
            if (MayDrain(forwarder, state, memory)) head = await DrainOnceAsync(forwarder, state, memory, stop);
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

    // The next offset; the end of all offsets when going on at once makes no sense.
    private async Task<long> DrainOnceAsync(Forwarder forwarder, PartitionState state, DrainMemory memory, CancellationToken stop)
    {
        try
        {
            var next = await new Drain(forwarder, state.Partition, _context, memory).RunAsync(state, stop);
            if (memory.YieldedUntil > Time.GetTimestamp()) LookAgain(state.Partition, memory, FairShare.BackAfter);
            return next;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception e) when (e is not LayoutMismatchException)
        {
            Failed(forwarder, state.Partition, e);
        }

        return long.MaxValue;
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
        lock (_stopLock)
        {
            old = _stop;
            // After the end nothing starts any more.
            if (!_isDisposed) _stop = new CancellationTokenSource();
        }

        old.Cancel();
    }

    private CancellationToken StopToken
    {
        get
        {
            lock (_stopLock) return _isDisposed ? new CancellationToken(canceled: true) : _stop.Token;
        }
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

    private bool IsBusyOrQuiet(DrainMemory memory) => IsRunning(memory) || memory.QuietUntil > Time.GetTimestamp();

    // Under the lock: a drain that is still there then looks at the head once more before it ends.
    private static bool IsRunning(DrainMemory memory)
    {
        lock (memory) return memory.Running is { IsCompleted: false };
    }

    private DrainMemory Memory(Forwarder forwarder, int partition) => _memories.GetOrAdd((forwarder.Name, partition), _ => new DrainMemory());

    private ForwardRun Total(Forwarder forwarder, int partitions)
    {
        var sum = new ForwardRun(0, 0, 0);
        for (var partition = 0; partition < partitions; partition++) sum += Memory(forwarder, partition).Total;
        return sum;
    }
}
