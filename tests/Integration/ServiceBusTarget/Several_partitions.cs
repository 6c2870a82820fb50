using System.Collections.Concurrent;
using System.Diagnostics;
using Outpost.Forwarding;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.BadWeather;

/// <summary>Forwarding of a log, in processes with clients of their own, while the broker fails.</summary>
public sealed class Several_partitions
{
    private const int Partitions = 4;
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Do_not_stand_still_as_long_as_the_client_would_after_one_busy_answer_under_load()
    {
        await using var bus = await Bus.StartAsync();
        await using var log = await TestLog.CreateAsync(Partitions);
        var watched = new Watched(bus.Target);
        await using var engine = log.Forwarder(watched, linger: TimeSpan.FromSeconds(5));
        using var stop = new CancellationTokenSource();
        var nudges = engine.ForwardCommitsAsync(stop.Token);
        var load = LoadAsync(log, stop.Token);
        await UntilAsync(() => watched.Of(Partitions).All(times => times.Count > 20));

        await bus.FailAsync(ServiceBusFault.Busy);
        await UntilAsync(() => watched.Failures == 1);
        var seen = watched.Of(Partitions).Select(times => times.Count).ToList();
        await UntilAsync(() => watched.Of(Partitions).Zip(seen).All(pair => pair.First.Count > pair.Second + 20));

        await stop.CancelAsync();
        await load;
        await nudges;
        Assert.All(watched.Of(Partitions), times => Assert.InRange(times.Zip(times.Skip(1), (one, next) => (next - one).TotalSeconds).Max(), 0, 7));
        Assert.Equal(1, watched.Failures);
    }

    [Fact]
    public async Task Whose_sender_gets_no_answers_are_delivered_by_another_process_and_the_sender_recovers_by_itself()
    {
        await using var hanging = await Bus.StartAsync();
        await using var healthy = await Bus.StartAsync();
        await using var log = await TestLog.CreateAsync(Partitions);
        await using var other = await log.AnotherProcessAsync();
        var (one, two) = (new Watched(hanging.Target), new Watched(healthy.Target));
        await using var first = log.Forwarder(one, linger: TimeSpan.FromSeconds(5));
        using var stopFirst = new CancellationTokenSource();
        await PlaceAsync(log, "warm-up");
        var ticks = TickAsync(first, stopFirst.Token);
        await UntilAsync(() => one.Of(Partitions).All(times => times.Count > 0));

        await hanging.FailAsync(ServiceBusFault.Hang, times: null);
        await PlaceAsync(log, "during");
        await UntilAsync(() => one.Waiting == Partitions);
        var clock = Stopwatch.StartNew();
        await using (var second = other.Forwarder(two, linger: TimeSpan.FromSeconds(5)))
        {
            using var stopSecond = new CancellationTokenSource();
            var otherTicks = TickAsync(second, stopSecond.Token);
            await UntilAsync(() => two.Of(Partitions).All(times => times.Count > 0));
            Assert.InRange(clock.Elapsed.TotalSeconds, 0, 20);
            await stopSecond.CancelAsync();
            await otherTicks;
        }

        await PlaceAsync(log, "later");
        var before = one.Of(Partitions).Select(times => times.Count).ToList();
        await UntilAsync(() => one.Waiting > 0);
        await hanging.FailAsync(ServiceBusFault.None, times: null);
        clock.Restart();
        await UntilAsync(() => one.Of(Partitions).Zip(before).All(pair => pair.First.Count > pair.Second));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 30);
        await stopFirst.CancelAsync();
        await ticks;
        for (var partition = 0; partition < Partitions; partition++)
        {
            var offsets = one.Offsets(partition).Concat(two.Offsets(partition)).Order().ToList();
            Assert.Equal(Enumerable.Range(0, offsets.Count).Select(offset => (long)offset), offsets);
            Assert.Equal(one.Offsets(partition).Order(), one.Offsets(partition));
        }
    }

    // Every partition has some of them.
    private static async Task PlaceAsync(TestLog log, string name) => await Task.WhenAll(Enumerable.Range(0, 40).Select(i => log.PlaceAsync($"{name}-{i}")));

    private static async Task LoadAsync(TestLog log, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++) await Task.WhenAll(Enumerable.Range(0, 8).Select(j => log.PlaceAsync($"o-{i}-{j}")));
    }

    private static async Task TickAsync(ForwardingEngine engine, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await engine.RunAsync(stop);
            await Task.Delay(Tick, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition()) await Task.Delay(20, late.Token);
    }

    /// <summary>When, and what, another target accepted.</summary>
    private sealed class Watched(IForwardTarget inner) : IForwardTarget
    {
        private readonly ConcurrentDictionary<int, ConcurrentQueue<(TimeSpan At, long First, int Count)>> _accepted = new();
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private int _failures;
        private int _waiting;

        public int Failures => Volatile.Read(ref _failures);

        public int Waiting => Volatile.Read(ref _waiting);

        public IReadOnlyList<IReadOnlyList<TimeSpan>> Of(int partitions) =>
            [.. Enumerable.Range(0, partitions).Select(partition => (IReadOnlyList<TimeSpan>)[.. Queue(partition).Select(one => one.At)])];

        public IReadOnlyList<long> Offsets(int partition) =>
            [.. Queue(partition).SelectMany(one => Enumerable.Range(0, one.Count).Select(i => one.First + i))];

        public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _waiting);
            var delivery = await inner.DeliverAsync(entries, replay, cancellationToken);
            Interlocked.Decrement(ref _waiting);
            if (delivery is Delivery.Accepted accepted) Queue(entries[0].Partition).Enqueue((_clock.Elapsed, entries[0].Offset, accepted.Count));
            else Interlocked.Increment(ref _failures);
            return delivery;
        }

        private ConcurrentQueue<(TimeSpan At, long First, int Count)> Queue(int partition) => _accepted.GetOrAdd(partition, _ => new());
    }
}
