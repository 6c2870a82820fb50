using Outpost.Forwarding;

namespace Outpost.Tests.Simulation;

/// <summary>
/// Where entries go: a broker that takes batches, and a handler inside the app. They fail, hang, lose answers and take
/// what its sender has given up, while the world is not calm. Some entries they refuse until they are repaired.
/// </summary>
internal sealed class Targets(World world)
{
    public const string Bus = "bus";
    public const string Handler = "refunds";
    private const int RefusedOneIn = 40;
    private readonly Random _random = world.Plan.Random("targets");

    /// <summary>Until when the broker and the handler's service cannot be reached.</summary>
    public TimeSpan DownUntil { get; set; }

    /// <summary>Until when connections are open and nothing comes back: what is sent arrives or not.</summary>
    public TimeSpan SilentUntil { get; set; }

    /// <summary>Nothing is refused any more.</summary>
    public bool IsRepaired { get; set; }

    public IEnumerable<Forwarder> Forwarders(VirtualProcess process)
    {
        // Late is nobody here: to count the late entries takes a search of the log at each tick.
        yield return new Forwarder(Bus, world.Sabotage.Target(new Broker(this), process)) { Within = TimeSpan.FromHours(1) };
        if (world.Plan.Forwarders == 1) yield break;
        var service = new Service(this);
        var handler = new HandlerTarget<Counted>(service, TallyJson.Default.Counted, new HandlerOptions(), process.Time);
        yield return new Forwarder(Handler, new TellingReplays(handler, service)) { Within = TimeSpan.FromHours(1) };
    }

    /// <summary>Whether an entry is one of those that are refused until they are repaired.</summary>
    public bool WasRefused(long offset) =>
        world.Plan.Has(FaultKind.EventRefused) && ((uint)world.Plan.Seed + (offset * 2654435761L)) % RefusedOneIn == 0;

    private bool IsRefused(EventEntry entry) => !IsRepaired && WasRefused(entry.Offset);

    private bool Fires(FaultKind kind, int oneIn)
    {
        if (world.IsCalm || !world.Plan.Has(kind) || _random.Next(oneIn) != 0) return false;
        world.Faults.Fired(kind);
        return true;
    }

    private bool IsSilent => world.Time.Elapsed < SilentUntil;

    private Task TravelAsync() => Task.Delay(TimeSpan.FromMilliseconds(2 + _random.Next(20)), world.Time);

    private Task LaterAsync() => Task.Delay(TimeSpan.FromSeconds(8 * _random.NextDouble()), world.Time);

    /// <summary>What was sent is under way whatever happens to its sender.</summary>
    private static async Task<T> UnderWayAsync<T>(TaskScheduler scheduler, Func<Task<T>> send, CancellationToken cancellationToken) =>
        await Task.Factory.StartNew(send, CancellationToken.None, TaskCreationOptions.None, scheduler).Unwrap().WaitAsync(cancellationToken);

    private sealed class Broker(Targets targets) : IForwardTarget
    {
        private readonly World _world = targets.World;

        public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            List<EventEntry> batch = [.. entries.Take(1 + targets._random.Next(20))];
            return await UnderWayAsync(_world.Scheduler, () => SendAsync(batch, replay), cancellationToken);
        }

        private async Task<Delivery> SendAsync(List<EventEntry> batch, string? replay)
        {
            await targets.TravelAsync();
            if (_world.Time.Elapsed < targets.DownUntil) return Failed("The broker is down.", isTransient: true);
            if (targets.Fires(FaultKind.BusBusy, 25)) return Failed("The broker is busy.", isTransient: true);
            if (targets.Fires(FaultKind.BusDenies, 60)) return Failed("There is no such topic.", isTransient: false);
            if (targets.Fires(FaultKind.BusHangs, 80)) await Task.Delay(Timeout.InfiniteTimeSpan, _world.Time);
            if (targets.IsSilent)
            {
                if (targets._random.Next(2) == 0 && !Refuses(batch)) Take(batch, replay);
                await Task.Delay(Timeout.InfiniteTimeSpan, _world.Time);
            }

            if (targets.Fires(FaultKind.BusLandsLate, 40))
            {
                _ = LandAsync(batch, replay);
                return Failed("It took too long.", isTransient: true);
            }

            if (Refuses(batch)) return new Delivery.Refused(batch.Count, "It is refused.");
            Take(batch, replay);
            await targets.TravelAsync();
            return targets.Fires(FaultKind.BusAnswerLost, 25) ? Failed("The answer got lost.", isTransient: true) : new Delivery.Accepted(batch.Count);
        }

        private async Task LandAsync(List<EventEntry> batch, string? replay)
        {
            await targets.LaterAsync();
            if (!Refuses(batch)) Take(batch, replay);
        }

        private bool Refuses(List<EventEntry> batch)
        {
            if (!batch.Any(targets.IsRefused)) return false;
            _world.Faults.Fired(FaultKind.EventRefused);
            return true;
        }

        private void Take(List<EventEntry> batch, string? replay)
        {
            _world.Judge.Note($"bus has {batch[0].Partition}: {batch[0].Offset} to {batch[^1].Offset} {replay}");
            _world.Forward(Bus).Accept(batch, replay);
        }

        private static Delivery.Failed Failed(string what, bool isTransient) => new(new IOException(what), isTransient);
    }

    // A handler does not hear whether it is a replay; the checks need to.
    private sealed class TellingReplays(IForwardTarget handler, Service service) : IForwardTarget
    {
        public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            service.Replay = replay;
            return handler.DeliverAsync(entries, replay, cancellationToken);
        }
    }

    private sealed class Service(Targets targets) : IEventHandler<Counted>
    {
        private readonly World _world = targets.World;
        private readonly AsyncLocal<string?> _replay = new();

        public string? Replay
        {
            get => _replay.Value;
            set => _replay.Value = value;
        }

        public Task HandleAsync(Counted payload, EventEntry entry, CancellationToken cancellationToken) =>
            UnderWayAsync(_world.Scheduler, () => TakeAsync(entry), cancellationToken);

        private async Task<bool> TakeAsync(EventEntry entry)
        {
            await targets.TravelAsync();
            if (_world.Time.Elapsed < targets.DownUntil || targets.Fires(FaultKind.BusBusy, 60)) throw new IOException("The service is down.");
            if (targets.IsSilent || targets.Fires(FaultKind.BusHangs, 400)) await Task.Delay(Timeout.InfiniteTimeSpan, _world.Time);
            if (targets.IsRefused(entry))
            {
                _world.Faults.Fired(FaultKind.EventRefused);
                throw new PermanentFailureException("It is refused.");
            }

            _world.Judge.Note($"handler has {entry.Partition}: {entry.Offset}");
            _world.Forward(Handler).Accept([entry], Replay);
            await targets.TravelAsync();
            return targets.Fires(FaultKind.BusAnswerLost, 60) ? throw new IOException("The answer got lost.") : true;
        }
    }

    private World World => world;
}
