using System.Collections.Concurrent;

namespace Outpost.Forwarding;

/// <summary>
/// The drains of this process, at most one for each forwarder and partition. A drain starts if there is work and nobody else
/// holds the lease. All drains stop together. Thread-safe.
/// </summary>
internal sealed class Drains(ForwardingContext context, IReadOnlyList<Forwarder> forwarders) : IAsyncDisposable
{
    private const string StoreKind = nameof(StoreUnavailableException);

    // How long a drain gets to end: somewhat longer than its last write may take.
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(8);

    // A holder that fails gives its lease back, and leaves the lease free for a second longer than this.
    private static readonly TimeSpan LookAgainMax = TimeSpan.FromSeconds(5);

    // The Date header of an answer has whole seconds.
    private static readonly TimeSpan DateResolution = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(string Forwarder, int Partition), DrainMemory> _memories = new();
    private readonly Lock _stopLock = new();
    private CancellationTokenSource _stop = new();
    private bool _isDisposed;

    private TimeProvider Time => context.Sources.Time;

    private CancellationToken StopToken
    {
        get
        {
            lock (_stopLock) return _isDisposed ? new CancellationToken(canceled: true) : _stop.Token;
        }
    }

    /// <summary>What was forwarded so far, in all partitions.</summary>
    public ForwardRun Total(Forwarder forwarder)
    {
        var sum = new ForwardRun(0, 0, 0);
        for (var partition = 0; partition < context.Events.Heads.Partitions; partition++) sum += Memory(forwarder, partition).Total;
        return sum;
    }

    /// <summary>Starts a drain, unless one runs already or none may run.</summary>
    public void Start(Forwarder forwarder, PartitionState state)
    {
        if (state.Damaged.TryGetValue(forwarder.Name, out var damage))
        {
            Failed(forwarder, state.Partition, damage);
            return;
        }

        var memory = Memory(forwarder, state.Partition);
        lock (memory)
        {
            var stop = StopToken;
            if (stop.IsCancellationRequested || IsRunning(memory) || !MayDrain(forwarder, state, memory)) return;
            memory.Running = Task.Factory.StartNew(
                () => DrainAsync(forwarder, state, memory, stop), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Current).Unwrap();
        }
    }

    /// <summary>Looks at a partition now. Best effort.</summary>
    public async Task LookAsync(int partition, CancellationToken cancellationToken)
    {
        // A drain under way notices new entries by itself.
        if (forwarders.All(forwarder => IsBusyOrQuiet(Memory(forwarder, partition)))) return;
        try
        {
            var state = await context.Watch.ReadAsync(partition, TimeSpan.Zero, cancellationToken);
            foreach (var forwarder in forwarders.Where(forwarder => !IsBusyOrQuiet(Memory(forwarder, partition)))) Start(forwarder, state);
        }
#pragma warning disable CA1031 // Best effort: the next tick asks again, and reports the failure.
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
        }
    }

    /// <summary>Looks now and then whether another process has handed over the lease that it was asked for.</summary>
    public async Task TakeSoonAsync(Forwarder forwarder, int partition)
    {
        var (memory, stop) = (Memory(forwarder, partition), StopToken);
        var start = Time.GetTimestamp();
        while (!stop.IsCancellationRequested && !IsRunning(memory) && Time.GetElapsedTime(start) < FairShare.YieldTime)
        {
            await Task.Delay(FairShare.LookEvery, Time, stop)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            memory.QuietUntil = 0;
            await LookAsync(partition, stop);
        }
    }

    /// <summary>Waits for the running drains, at most <see cref="ForwardingOptions.RunMax"/> from <paramref name="start"/>, a timestamp.</summary>
    public async Task WaitAsync(long start, CancellationToken stop)
    {
        while (Running() is { Count: > 0 } running)
        {
            var left = stop.IsCancellationRequested ? StopsWithin : context.Options.RunMax - Time.GetElapsedTime(start);
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

    /// <summary>Records that a partition could not be read, or that its drain failed.</summary>
    public void Failed(Forwarder forwarder, int partition, Exception cause)
    {
        var memory = Memory(forwarder, partition);
        memory.Failed(Time);
        var failed = new Step.Failed(cause, cause.GetType().Name, IsTransient: true);
        memory.Say(failed, () => context.Log.Fails(forwarder.Name, partition, failed));
    }

    /// <summary>Records that the store answers again: what failed because the store was away can go on.</summary>
    public void Reached(Forwarder forwarder, int partition)
    {
        var memory = Memory(forwarder, partition);
        if (memory.FailingKind != StoreKind) return;
        memory.FailingKind = null;
        context.Log.Recovered(forwarder.Name, partition);
    }

    /// <summary>Ends all drains for now; what was delivered gets its checkpoint.</summary>
    public void Stop()
    {
        CancellationTokenSource old;
        lock (_stopLock)
        {
            old = _stop;
            // After disposal, the token stays cancelled and nothing starts again.
            if (!_isDisposed) _stop = new CancellationTokenSource();
        }

        old.Cancel();
    }

    /// <summary>Ends all drains, and gives their leases back. A second call does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_stopLock)
        {
            if (_isDisposed) return;
            _isDisposed = true;
        }

        Stop();
        await Task.WhenAll(Running()).WaitAsync(StopsWithin, Time)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _stop.Dispose();
    }

    // Whether there is work, and nobody else holds the lease.
    private bool MayDrain(Forwarder forwarder, PartitionState state, DrainMemory memory)
    {
        if (!forwarder.HasWork(state)) return false;
        var checkpoint = forwarder.CheckpointIn(state);
        var yields = memory.YieldsFor(Time) > TimeSpan.Zero;
        var left = checkpoint.Owner == context.Options.Owner ? TimeSpan.Zero : checkpoint.LeaseLeft(state.ReadAt);
        if (!yields && left == TimeSpan.Zero) return true;
        var isFree = left + DateResolution;
        LookAgain(state.Partition, memory, left == TimeSpan.Zero ? memory.YieldsFor(Time) + FairShare.BackLater : isFree < LookAgainMax ? isFree : LookAgainMax);
        return false;
    }

    // The holder of the lease has work, so it stays awake at least as long as it lingers. Nudges need not look meanwhile. If the
    // holder has died, this process looks again when the lease is free.
    private void LookAgain(int partition, DrainMemory memory, TimeSpan after)
    {
        lock (memory)
        {
            var quiet = after < context.Options.Linger ? after : context.Options.Linger;
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

    // Runs one drain after the other until nothing is left. So an entry that came in a drain's last moment does not wait for the timer.
    private async Task DrainAsync(Forwarder forwarder, PartitionState state, DrainMemory memory, CancellationToken stop)
    {
        while (true)
        {
            // Another process may have taken the lease in between, or done all the work.
            var head = forwarder.CheckpointIn(state).NextOffset < state.Head ? long.MaxValue : state.Head;
            if (MayDrain(forwarder, state, memory)) head = await DrainOnceAsync(forwarder, state, memory, stop);
            lock (memory)
            {
                if (head >= context.Events.Heads[state.Partition] || stop.IsCancellationRequested)
                {
                    memory.Running = null;
                    return;
                }
            }

            try
            {
                state = await context.Watch.ReadAsync(state.Partition, TimeSpan.Zero, stop);
            }
            catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
            {
                memory.Running = null;
                return;
            }
        }
    }

    // Returns the next offset, or long.MaxValue if going on at once makes no sense.
    private async Task<long> DrainOnceAsync(Forwarder forwarder, PartitionState state, DrainMemory memory, CancellationToken stop)
    {
        try
        {
            var next = await new Drain(forwarder, state.Partition, context, memory).RunAsync(state, stop);
            if (memory.YieldsFor(Time) is var yields && yields > TimeSpan.Zero) LookAgain(state.Partition, memory, yields + FairShare.BackLater);
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

    private List<Task> Running() => [.. _memories.Values.Select(memory => memory.Running).OfType<Task>().Where(task => !task.IsCompleted)];

    private bool IsBusyOrQuiet(DrainMemory memory) => IsRunning(memory) || memory.QuietUntil > Time.GetTimestamp();

    // Under the lock, since a drain that still runs then looks at the head once more before it ends.
    private static bool IsRunning(DrainMemory memory)
    {
        lock (memory) return memory.Running is { IsCompleted: false };
    }

    private DrainMemory Memory(Forwarder forwarder, int partition) => _memories.GetOrAdd((forwarder.Name, partition), _ => new DrainMemory());
}
