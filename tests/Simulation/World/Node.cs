using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.AspNetCore;
using Outpost.Retention;
using Outpost.Tables;

namespace Outpost.Tests.Simulation;

/// <summary>One process of the app, wired as the app is: commands, forwarders, retention, event API, operators' requests.</summary>
internal sealed class Node : IDisposable
{
    private static readonly RetentionOptions Keeps = new(RetentionModel.Keeps, RetentionModel.Keeps);
    private const int TicksPerRetention = 4;
    private readonly World _world;
    private readonly CancellationTokenSource _stop = new();
    private readonly PartitionWatch _watch;
    private readonly IForwardingStore _checkpoints;
    private readonly IRetentionStore _retention;
    private readonly TimeSpan _tick;
    private int _ticks;

    public Node(World world, string name, Random random, TimeSpan clockAhead)
    {
        _world = world;
        Process = new VirtualProcess(
            world.Time, world.Table, random, name, world.Partitions, clockAhead, clock => world.Sabotage.Connect(world.Table, clock));
        var events = world.Sabotage.Events(Process.Store, Process);
        Process.Log = new EventLog(world.Sabotage.Places(Process.Store), Process.Time);
        _watch = new PartitionWatch(events, Process.Sources);
        _checkpoints = world.Sabotage.Forwarding(Process.Checkpoints, events);
        _retention = world.Sabotage.Retention(new TableRetentionStore(Process.Table, Process.Sources));
        _tick = TimeSpan.FromSeconds(2 + random.Next(7));
        Engine = new ForwardingEngine(
            events,
            _checkpoints,
            _watch,
            [.. world.Targets.Forwarders(Process)],
            new ForwardingOptions { Owner = name, Linger = TimeSpan.FromSeconds(random.Next(4)), Poll = TimeSpan.FromMilliseconds(600) },
            Process.Sources,
            Process.Metrics,
            NullLogger<ForwardingEngine>.Instance);
        Operations = new ForwarderOperations(world.Sabotage.SeenByOperators(events), _checkpoints, Engine, Process.Sources);
        Api = new EventApi(events, _watch, new EventApiOptions(TimeSpan.FromDays(1)));
        Partitions = new PartitionApi(events);
        Opened = Process.Start(OpenAsync);
    }

    public VirtualProcess Process { get; }

    public ForwardingEngine Engine { get; }

    public ForwarderOperations Operations { get; }

    public EventApi Api { get; }

    public PartitionApi Partitions { get; }

    /// <summary>
    /// Done when it has opened the log, as a host does before it answers anybody.
    /// </summary>
    public Task Opened { get; }

    /// <summary>Forwards and deletes: the timer, and what it commits right after the commit.</summary>
    public void Begin()
    {
        Start(() => Engine.ForwardCommitsAsync(_stop.Token));
        Start(async () =>
        {
            while (!_stop.IsCancellationRequested)
            {
                await TickAsync();
                // Nothing comes of a tick then, and clients may take minutes to read to the end.
                await Task.Delay(_world.IsAtRest ? _tick * 10 : _tick, Process.Time, _stop.Token);
            }
        });
    }

    /// <summary>As a host ends it: what was begun is finished.</summary>
    public Task StopAsync() => Process.Start(async () =>
    {
        _stop.CancelHere();
        await _world.Bounds.HoldAsync(Process, EndAsync(), Bounds.Stop, "a stop");

        async Task EndAsync()
        {
            await Engine.DisposeAsync();
            await Process.Store.DisposeAsync();
        }
    });

    public void Dispose()
    {
        Process.Metrics.Dispose();
        _stop.Dispose();
    }

    private async Task OpenAsync()
    {
        while (true)
        {
            try
            {
                await Process.Store.LayoutAsync(CancellationToken.None);
                return;
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), Process.Time);
            }
            catch (LayoutMismatchException)
            {
                _world.Refused(this);
            }
        }
    }

    private async Task TickAsync()
    {
        try
        {
            await _world.Bounds.HoldAsync(Process, Engine.RunAsync(_stop.Token), _world.Bounds.Run, "a run");
            if (_ticks++ % TicksPerRetention > 0) return;
            // A new one each time: it looks at a partition once a minute at most, which is as long as a world lasts.
            var retention = new RetentionRunner(
                _world.Sabotage.SeenByRetention(Process.Store),
                _retention,
                _world.Sabotage.ParkedForRetention(_checkpoints),
                new PartitionWatch(_world.Sabotage.SeenByRetention(Process.Store), Process.Sources),
                Engine,
                _world.Sabotage.Keeps(Keeps),
                Process.Sources,
                Process.Metrics,
                NullLogger<RetentionRunner>.Instance);
            await _world.Bounds.HoldAsync(Process, retention.RunAsync(_stop.Token), Bounds.Retention, "retention");
        }
        catch (StoreUnavailableException)
        {
            // The next tick.
        }
    }

    // Nothing the app does in the background may fail.
    private void Start(Func<Task> work) => _ = Process.Start(async () =>
    {
        try
        {
            await Opened;
            await work();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            _world.Judge.Wrong($"{Process.Name} failed: {e}");
        }
    });
}
