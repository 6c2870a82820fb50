using Azure.Data.Tables;
using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>What is broken on purpose, to see that it is noticed.</summary>
public enum Broken
{
    Nothing,

    /// <summary>Deliveries count before the target has them.</summary>
    CheckpointBeforeDelivery,

    /// <summary>Checkpoints are written whatever is there.</summary>
    NoIfMatch,

    /// <summary>Whether a lease is over is told by the reader's own clock.</summary>
    LeaseByLocalClock,
}

/// <summary>
/// Processes that forward one table to one target while they are paused, killed and restarted, the table and the target
/// fail, and entries come. Everything is checked at every request: what the target has, and where the checkpoints are.
/// </summary>
internal sealed class ForwardingWorld
{
    private const string Name = "bus";
    private const int Processes = 3;
    private static readonly TimeSpan Chaos = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(60);
    private readonly Random _random;
    private readonly VirtualTime _world;
    private readonly SimulatedTable _table;
    private readonly Broken _broken;
    private readonly long[] _accepted;
    private readonly TableEntity?[] _checkpoints;
    private readonly List<string> _wrong = [];
    private readonly VirtualProcess[] _processes = new VirtualProcess[Processes];
    private TimeSpan _brokerDownUntil;
    private bool _isCalm;
    private int _started;

    private ForwardingWorld(int seed, Broken broken)
    {
        _random = new Random(seed);
        _broken = broken;
        _world = new VirtualTime(new Random(seed + 1));
        _table = new SimulatedTable(_world, exists: false)
        {
            Service = new TableService(_world, _random),
            Faults = Watch,
            HasDates = broken != Broken.LeaseByLocalClock,
        };
        var partitions = 1 + _random.Next(2);
        (_accepted, _checkpoints) = (new long[partitions], new TableEntity?[partitions]);
    }

    /// <summary>Deliveries that were accepted, and entries in them, repeated ones too.</summary>
    public (int Deliveries, int Entries) Delivered { get; private set; }

    public long Entries => _accepted.Sum();

    public int TakeOvers { get; private set; }

    public int Steps => (int)_world.Steps;

    /// <summary>What went wrong; empty: nothing.</summary>
    public static (IReadOnlyList<string> Wrong, ForwardingWorld World) Run(int seed, Broken broken = Broken.Nothing)
    {
        var world = new ForwardingWorld(seed, broken);
        world._world.Run(world.RunAsync);
        return (world._wrong, world);
    }

    private async Task RunAsync()
    {
        for (var i = 0; i < Processes; i++) StartProcess(i);
        var writers = Enumerable.Range(0, 2).Select(i => new VirtualProcess(_world, _table, _random, $"writer-{i}", _accepted.Length)).ToList();
        var writing = Task.WhenAll(writers.Select(writer => writer.Start(() => WriteAsync(writer))));
        while (_world.Elapsed < Chaos)
        {
            await Task.Delay(TimeSpan.FromSeconds(4 * _random.NextDouble()), _world);
            HarmOne();
        }

        _isCalm = true;
        for (var i = 0; i < Processes; i++)
        {
            _processes[i].Resume();
            if (_processes[i].IsKilled) StartProcess(i);
        }

        await writing;
        await Task.Delay(Calm, _world);
        Look();
        for (var partition = 0; partition < _accepted.Length; partition++)
        {
            var head = _table.Row(SoundLog.PartitionKey(partition), "!head")?.GetInt64("Next") ?? 0;
            if (_accepted[partition] < head) Wrong($"{head - _accepted[partition]} entries of partition {partition} never arrived");
            if ((_checkpoints[partition]?.GetInt64("Next") ?? 0) != head) Wrong($"the checkpoint of partition {partition} is not at its head");
        }
    }

    private void StartProcess(int number)
    {
        // An hour ahead, right, or an hour behind.
        var process = new VirtualProcess(_world, _table, _random, $"p{number}-{_started++}", _accepted.Length, TimeSpan.FromHours(number - 1));
        process.Checkpoints = new BrokenStore(process.Checkpoints, process.Store, _broken);
        _processes[number] = process;
        process.Forward(
            process.Engine([new Forwarder(Name, new Broker(this, process))], TimeSpan.FromSeconds(_random.Next(4))),
            TimeSpan.FromSeconds(1 + _random.Next(10)));
    }

    private async Task WriteAsync(VirtualProcess writer)
    {
        for (var i = 0; !_isCalm; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(_random.NextDouble()), writer.Time);
            // Some are written where they are forwarded.
            var id = $"{writer.Name}-{i}";
            var command = Tallies.Count(id, id, events: 1 + _random.Next(5));
            var local = _processes[_random.Next(Processes)];
            _ = _random.Next(2) == 0 ? local.Start(() => TryAsync(local)) : writer.Start(() => TryAsync(writer));

            async Task TryAsync(VirtualProcess process)
            {
                try
                {
                    await process.Log.ExecuteAsync(command, CancellationToken.None);
                }
                catch (StoreUnavailableException)
                {
                    // It is there or it is not: what counts is that what is there arrives.
                }
            }
        }
    }

    private void HarmOne()
    {
        var number = _random.Next(Processes);
        var process = _processes[number];
        var length = TimeSpan.FromSeconds(_random.Next(4) == 0 ? 30 * _random.NextDouble() : 2 * _random.NextDouble());
        switch (_random.Next(4))
        {
            case 0:
                process.Kill();
                _ = After(length, () =>
                {
                    if (process == _processes[number] && process.IsKilled) StartProcess(number);
                });
                break;
            case 1:
                _brokerDownUntil = _world.Elapsed + length;
                break;
            default:
                process.Pause(stopsClock: _random.Next(2) == 0);
                _ = After(length, process.Resume);
                break;
        }
    }

    private async Task After(TimeSpan time, Action action)
    {
        await Task.Delay(time, _world);
        action();
    }

    // Called before each request takes effect: sees what each of them left behind.
    private TableFault? Watch(TableRequest request)
    {
        Look();
        if (_isCalm || _random.Next(30) != 0) return null;
        switch (_random.Next(4))
        {
            case 0:
                return new TableFault.BeforeEffect(TableError.Unreachable);
            case 1:
                return new TableFault.AfterEffect(TableError.ConnectionReset);
            case 2:
                return new TableFault.SentTwice();
            default:
                var landing = new Landing();
                _ = After(TimeSpan.FromSeconds(20 * _random.NextDouble() * _random.NextDouble()), landing.Now);
                return new TableFault.LandsLate(TableError.TimedOut, landing);
        }
    }

    private void Look()
    {
        for (var partition = 0; partition < _checkpoints.Length; partition++)
        {
            var now = _table.Row(SoundLog.PartitionKey(partition), $"c|{Name}");
            var before = _checkpoints[partition];
            _checkpoints[partition] = now;
            if (now is null || now.ETag == before?.ETag) continue;
            var next = now.GetInt64("Next")!.Value;
            if (next > _accepted[partition]) Wrong($"checkpoint {next} is ahead of what was accepted, {_accepted[partition]}");
            if (before is null) continue;
            if (next < before.GetInt64("Next")) Wrong($"the checkpoint went back from {before.GetInt64("Next")} to {next}");
            if (now.GetInt64("Write") <= before.GetInt64("Write")) Wrong("the write number did not rise");
            var (holder, owner) = (before.GetString("Owner"), now.GetString("Owner"));
            if (holder.Length == 0 || owner.Length == 0 || owner == holder) continue;
            TakeOvers++;
            var age = now.Timestamp!.Value - before.Timestamp!.Value;
            if (age < Checkpoint.LeaseTime) Wrong($"{owner} took the lease of {holder} after {age.TotalSeconds:F1} s");
        }
    }

    private void Wrong(string what) => _wrong.Add($"{_world.Elapsed.TotalSeconds:F3}: {what}");

    private void Accept(IReadOnlyList<EventEntry> entries)
    {
        Delivered = (Delivered.Deliveries + 1, Delivered.Entries + entries.Count);
        foreach (var entry in entries)
        {
            ref var next = ref _accepted[entry.Partition];
            if (entry.Offset > next) Wrong($"{entry.Offset} arrived before {next}");
            if (entry.Offset == next) next++;
        }
    }

    /// <summary>Takes some of what it gets; fails, hangs and loses answers while the world is not calm.</summary>
    private sealed class Broker(ForwardingWorld world, VirtualProcess process) : IForwardTarget
    {
        public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            var random = world._random;
            List<EventEntry> batch = [.. entries.Take(1 + random.Next(20))];
            if (world._broken == Broken.CheckpointBeforeDelivery)
            {
                _ = process.Start(() => TakeAsync(batch, cancellationToken));
                return new Delivery.Accepted(batch.Count);
            }

            await TakeAsync(batch, cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(10)), process.Time, cancellationToken);
            return !world._isCalm && random.Next(30) == 0
                ? new Delivery.Failed(new IOException("The answer got lost."), IsTransient: random.Next(2) == 0)
                : new Delivery.Accepted(batch.Count);
        }

        private async Task TakeAsync(List<EventEntry> batch, CancellationToken cancellationToken)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(world._random.Next(30)), process.Time, cancellationToken);
            if (!world._isCalm && world._random.Next(100) == 0) await Task.Delay(Timeout.InfiniteTimeSpan, process.Time, cancellationToken);
            if (!world._isCalm && world._world.Elapsed < world._brokerDownUntil) throw new IOException("The broker is down.");
            world.Accept(batch);
        }
    }

    private sealed class BrokenStore(IForwardingStore inner, IEventStore events, Broken broken) : IForwardingStore
    {
        public async Task<Checkpoint?> SaveAsync(
            int partition, Checkpoint checkpoint, IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark, CancellationToken cancellationToken)
        {
            if (broken == Broken.NoIfMatch)
            {
                var now = await events.ReadPartitionAsync(partition, cancellationToken);
                checkpoint = checkpoint with { Tag = now.Checkpoints.GetValueOrDefault(checkpoint.Forwarder)?.Tag };
            }

            return await inner.SaveAsync(partition, checkpoint, park, unpark, cancellationToken);
        }

        public Task<IReadOnlyList<ParkedEntry>> ReadParkedAsync(
            int partition, string forwarder, long fromOffset, int limit, CancellationToken cancellationToken) =>
            inner.ReadParkedAsync(partition, forwarder, fromOffset, limit, cancellationToken);

        public Task<bool> SaveControlAsync(int partition, string forwarder, Control control, CancellationToken cancellationToken) =>
            inner.SaveControlAsync(partition, forwarder, control, cancellationToken);

        public Task WishAsync(int partition, string forwarder, LeaseWish wish, CancellationToken cancellationToken) =>
            inner.WishAsync(partition, forwarder, wish, cancellationToken);

        public Task ForgetAsync(int partition, string forwarder, CancellationToken cancellationToken) =>
            inner.ForgetAsync(partition, forwarder, cancellationToken);
    }
}
