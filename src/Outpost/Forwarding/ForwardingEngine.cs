using Microsoft.Extensions.Logging;

namespace Outpost.Forwarding;

/// <summary>
/// Runs all forwarders of this process: at each tick of the timer, and whenever this process has committed something. Leases make
/// it safe for any process to run them at any time. Thread-safe; one per process.
/// </summary>
internal sealed class ForwardingEngine : IAsyncDisposable
{
    // The pause before a store that cannot be reached at the start is asked again.
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookAtLogEvery = TimeSpan.FromMinutes(1);

    private readonly ForwardingContext _context;
    private readonly IReadOnlyList<Forwarder> _forwarders;
    private readonly Drains _drains;
    private long _lookedAtLog;

    /// <summary>Creates an engine for some forwarders, each with a name of its own.</summary>
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
            throw new ArgumentException($"A forwarder's name has 1 to 50 characters of a-z0-9-; '{bad.Name}' is not allowed.", nameof(forwarders));
        if (forwarders.Select(forwarder => forwarder.Name).Distinct().Count() < forwarders.Count)
            throw new ArgumentException("Two forwarders have the same name.", nameof(forwarders));
        _context = new ForwardingContext(events, store, watch, options, sources, metrics, new ForwardingLog(logger, sources.Time));
        _forwarders = forwarders;
        _drains = new Drains(_context, forwarders);
        Recent = new RecentSamples(sources.Time);
        _lookedAtLog = Time.GetTimestamp();
    }

    /// <summary>The forwarders of this process.</summary>
    public IReadOnlyList<Forwarder> Forwarders => _forwarders;

    /// <summary>Samples of the log over the last minutes, taken by ticks and operators.</summary>
    internal RecentSamples Recent { get; }

    /// <summary>Tells which forwarders other processes run. If null, all forwarders count as run.</summary>
    public Heartbeats? Heartbeats { get; init; }

    internal ForwardingLog Log => _context.Log;

    private TimeProvider Time => _context.Sources.Time;

    /// <summary>
    /// Does one run of the timer: looks at each partition once, with one request for all forwarders, starts drains where there is work,
    /// and waits for them, at most <see cref="ForwardingOptions.RunMax"/>. Longer work goes on in the background.
    /// </summary>
    /// <param name="stop">Stops all forwarding of this process for now; what was delivered still gets its checkpoint.</param>
    public async Task<ForwardRun> RunAsync(CancellationToken stop)
    {
        var start = Time.GetTimestamp();
        await LookAtLogAsync(stop);
        _context.Metrics.Run();
        _context.Metrics.ClockSkew(Time.GetUtcNow() - _context.Events.Now);
        var before = _forwarders.ToDictionary(forwarder => forwarder.Name, _drains.Total);
        using (stop.Register(_drains.Stop))
        {
            var states = await _context.Events.OfAllPartitionsAsync(partition => TickAsync(partition, stop), stop);
            Recent.Add(LogSample.Of(states, _forwarders));
            await ShareAsync([.. states.OfType<PartitionState>()], stop);
            await _drains.WaitAsync(start, stop);
        }

        var sum = new ForwardRun(0, 0, 0);
        foreach (var forwarder in _forwarders)
        {
            var run = _drains.Total(forwarder) - before[forwarder.Name];
            sum += run;
            if (run.Delivered > 0)
                _context.Log.Run(
                    forwarder.Name,
                    new Amount(run.Delivered, "entry", "entries"),
                    new Amount(run.Batches, "batch", "batches"),
                    new Amount(run.FailedPartitions, "partition", "partitions"),
                    Time.GetElapsedTime(start).TotalMilliseconds);
        }

        return sum;
    }

    /// <summary>
    /// Forwards what this process commits right after the commit, until <paramref name="stop"/> is cancelled. Best effort: the timer
    /// finds what is missed.
    /// </summary>
    public async Task ForwardCommitsAsync(CancellationToken stop)
    {
        try
        {
            await ForwardFromAsync(0, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (LayoutMismatchException)
        {
            // The startup check reports the fault, and ends the app.
        }
    }

    // Forwards the partitions from a number on, including those that come when the log grows.
    private async Task ForwardFromAsync(int first, CancellationToken stop)
    {
        var known = (await LayoutAsync(stop)).Partitions;
        await Task.WhenAll([.. Enumerable.Range(first, known - first).Select(partition => ForwardCommitsAsync(partition, stop)), GoOnAsync()]);

        async Task GoOnAsync()
        {
            await _context.Events.Heads.GrownBeyondAsync(known, stop);
            await ForwardFromAsync(known, stop);
        }
    }

    private async Task ForwardCommitsAsync(int partition, CancellationToken stop)
    {
        var heads = _context.Events.Heads;
        for (var seen = 0L; ;)
        {
            await heads.BeyondAsync(partition, seen, Timeout.InfiniteTimeSpan, Time, stop);
            // Read before the look, since entries committed during the look need another one.
            seen = heads[partition];
            await LookAsync(partition, stop);
        }
    }

    /// <summary>Looks at a partition now, as after a commit.</summary>
    public Task LookAsync(int partition, CancellationToken cancellationToken) => _drains.LookAsync(partition, cancellationToken);

    /// <summary>Looks at a partition after a request of an operator: drains under way see the request at once, and others start.</summary>
    public async Task HeedAsync(int partition, CancellationToken cancellationToken)
    {
        try
        {
            var state = await _context.Watch.ReadAsync(partition, TimeSpan.Zero, cancellationToken);
            foreach (var forwarder in _forwarders) _drains.Start(forwarder, state);
        }
        catch (StoreUnavailableException)
        {
            // The request is stored; the next tick finds it.
        }
    }

    /// <summary>Ends all drains: what was delivered gets its checkpoint, and leases are given back. A second call does nothing.</summary>
    public async ValueTask DisposeAsync() => await _drains.DisposeAsync();

    // The table may hold another log by now, whose entries would get the ids of this one.
    private async Task LookAtLogAsync(CancellationToken stop)
    {
        if (Time.GetElapsedTime(_lookedAtLog) < LookAtLogEvery)
        {
            await _context.Events.LayoutAsync(stop);
            return;
        }

        _lookedAtLog = Time.GetTimestamp();
        try
        {
            await _context.Events.RefreshLayoutAsync(stop);
        }
        catch (StoreUnavailableException)
        {
            // The reads of the partitions fail too, and report it. The timer runs all the same.
        }
    }

    // Returns null if the partition could not be read.
    private async Task<PartitionState?> TickAsync(int partition, CancellationToken stop)
    {
        try
        {
            var state = await _context.Watch.ReadAsync(partition, TimeSpan.Zero, stop);
            foreach (var forwarder in _forwarders)
            {
                _drains.Reached(forwarder, partition);
                _drains.Start(forwarder, state);
            }

            foreach (var forwarder in _forwarders)
            {
                var startAt = state.Damaged.ContainsKey(forwarder.Name) ? state.Oldest : forwarder.CheckpointIn(state).NextOffset;
                _context.Metrics.Stands(await ForwarderStanding.ReadAsync(_context.Events, state, forwarder.Name, forwarder.Within, startAt, stop));
            }

            await MeasureOthersAsync(state, stop);

            return state;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception e) when (e is not LayoutMismatchException)
        {
            foreach (var forwarder in _forwarders) _drains.Failed(forwarder, partition, e);
        }

        return null;
    }

    // Measures the forwarders that nobody runs, since nobody else would. Each process measures the forwarders that it runs.
    private async Task MeasureOthersAsync(PartitionState state, CancellationToken stop)
    {
        if (Heartbeats is null) return;
        // Drops the measurements of a forwarder that somebody runs again, or that was forgotten.
        _context.Metrics.KeepOnly(state.Partition, name =>
            _forwarders.Any(forwarder => forwarder.Name == name) || (state.Checkpoints.ContainsKey(name) && !Heartbeats.IsRun(name)));
        foreach (var (name, checkpoint) in state.Checkpoints)
        {
            if (_forwarders.Any(forwarder => forwarder.Name == name) || state.Damaged.ContainsKey(name) || Heartbeats.IsRun(name)) continue;
            var standing = await ForwarderStanding.ReadAsync(_context.Events, state, name, checkpoint.Within ?? TimeSpan.MaxValue, checkpoint.NextOffset, stop);
            _context.Metrics.Stands(standing, isOrphaned: standing is { Backlog: > 0, IsPaused: false, LeaseOwner: null });
        }
    }

    // Asks other processes for some of their leases, if they hold clearly more. A process that is alone asks for nothing.
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
                    _ = _drains.TakeSoonAsync(forwarder, state.Partition);
                }
            }
        }
        catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
        {
            // The next tick can ask again.
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
            catch (Exception e) when (e is not LayoutMismatchException && !stop.IsCancellationRequested)
            {
                // Retries whatever the fault, even a role that is not in effect yet. The start has reported it, and a throw here would end
                // the app.
                await Task.Delay(AskAgain, Time, stop);
            }
        }
    }
}
