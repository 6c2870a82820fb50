using System.Diagnostics;
using System.Text;
using Outpost.Forwarding;
using Outpost.Orders;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Contract;

/// <summary>
/// What the forwarder relies on, whatever it delivers to. A target joins with a class that says how to start it and what has
/// arrived, see <see cref="TargetUnderTest"/>.
/// </summary>
public abstract class TargetContract
{
    // A lease lasts for fifteen seconds.
    private const double DeliverySeconds = 12;

    // A delivery that gets no answer takes five.
    private const double NoTimeoutSeconds = 4.8;

    [TargetFact]
    public async Task Takes_every_entry_once_in_fine_weather_and_keeps_the_order_of_each_subject()
    {
        await using var under = await StartAsync();
        var entries = Entries(300, subjects: 30);

        Assert.Empty(await ForwardAsync(under.Target, entries));

        var arrived = await under.ArrivedAsync(300);
        Assert.Equal(entries.Select(entry => entry.Id.ToString()).Order(), arrived.Select(each => each.Id).Order());
        AssertOrder(arrived);
        Assert.All(arrived, each => Assert.Equal(entries[(int)each.Sequence].Payload.ToArray(), each.Body));
    }

    [TargetFact]
    public async Task Keeps_the_order_of_one_single_subject()
    {
        await using var under = await StartAsync();

        await ForwardAsync(under.Target, Entries(50, subjects: 1));

        Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)i), (await under.ArrivedAsync(50)).Select(each => each.Sequence));
    }

    [TargetFact(Ability.Attributes)]
    public async Task Passes_on_the_entry_s_attributes()
    {
        await using var under = await StartAsync();
        var entry = Entries(1)[0] with { TraceParent = "00-11111111111111111111111111111111-2222222222222222-01" };

        await ForwardAsync(under.Target, [entry]);

        var attributes = Assert.Single(await under.ArrivedAsync(1)).Attributes!;
        Assert.Equal(("1.0", "/outpost", "OrderPlaced"), (attributes["specversion"], attributes["source"], attributes["type"]));
        Assert.Equal((entry.Subject, entry.TraceParent), (attributes["subject"], attributes["traceparent"]));
        Assert.Equal(("0000000000000000000", "0000"), (attributes["sequence"], attributes["partitionkey"]));
        Assert.Equal(entry.Timestamp, DateTimeOffset.Parse(attributes["time"]));
    }

    [TargetFact]
    public async Task Refuses_one_entry_among_many_and_it_alone_is_found_by_halves()
    {
        await using var under = await StartAsync();
        var entries = Entries(64, subjects: 64);
        entries[41] = entries[41] with { Type = "Refused" };
        await under.RefuseAsync(entries[41]);

        Assert.Equal([41], await ForwardAsync(under.Target, entries));

        var arrived = await under.ArrivedAsync(63);
        Assert.Equal(Enumerable.Range(0, 64).Where(i => i != 41).Select(i => (long)i), arrived.Select(each => each.Sequence).Distinct().Order());
    }

    [TargetFact(Ability.References)]
    public async Task Gives_a_reference_to_what_is_too_large_and_what_is_around_it_whole()
    {
        await using var under = await StartAsync();
        var entries = Entries(9, subjects: 3);
        entries[4] = entries[4] with { Payload = new byte[under.TooLarge] };

        Assert.Empty(await ForwardAsync(under.Target, entries));

        var arrived = await AssertAllAsync(under, entries);
        Assert.All(arrived.DistinctBy(each => each.Id), each => Assert.Equal(
            each.Sequence == 4 ? (0, $"http://localhost:7071/api/events/{entries[4].Id}/data") : (entries[(int)each.Sequence].Payload.Length, null),
            (each.Body.Length, each.Reference)));
    }

    [TargetFact]
    public async Task Says_that_trying_again_will_help_while_it_is_throttled_and_then_takes_all_in_order()
    {
        await using var under = await StartAsync();
        var entries = Entries(60, subjects: 6);
        await ForwardAsync(under.Target, entries[..20]);
        await under.BeginAsync(Weather.Throttled);

        var throttled = await under.Target.DeliverAsync(entries[20..], null, CancellationToken.None);
        await under.FineAsync();
        await ForwardAsync(under.Target, entries[20..]);

        Assert.True(Assert.IsType<Delivery.Failed>(throttled).IsTransient);
        await AssertAllAsync(under, entries);
    }

    [TargetFact]
    public async Task Ends_a_delivery_over_a_connection_that_is_half_open_within_the_lease_and_goes_on_over_another()
    {
        await using var under = await StartAsync();
        var entries = Entries(60, subjects: 6);
        await ForwardAsync(under.Target, entries[..20]);
        await under.BeginAsync(Weather.Silent);
        var clock = Stopwatch.StartNew();

        var first = await under.Target.DeliverAsync(entries[20..], null, CancellationToken.None);
        var took = clock.Elapsed.TotalSeconds;
        clock.Restart();
        await ForwardAsync(under.Target, entries[(20 + (first is Delivery.Accepted some ? some.Count : 0))..]);

        // One delivery is lost to it at most, no second one.
        Assert.InRange(took, 0, DeliverySeconds);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, NoTimeoutSeconds);
        Assert.True(first is Delivery.Accepted or Delivery.Failed { IsTransient: true }, $"{first}");
        await AssertAllAsync(under, entries);
    }

    [TargetFact]
    public async Task Says_that_nobody_is_there_and_goes_on_as_soon_as_somebody_is()
    {
        await using var under = await StartAsync();
        var entries = Entries(60, subjects: 6);
        await ForwardAsync(under.Target, entries[..20]);
        await under.BeginAsync(Weather.Away);

        var clock = Stopwatch.StartNew();
        var away = await under.Target.DeliverAsync(entries[20..], null, CancellationToken.None);
        var took = clock.Elapsed.TotalSeconds;
        await under.FineAsync();
        await ForwardAsync(under.Target, entries[20..]);

        Assert.True(Assert.IsType<Delivery.Failed>(away).IsTransient);
        Assert.InRange(took, 0, DeliverySeconds);
        await AssertAllAsync(under, entries);
    }

    [TargetFact]
    public async Task Ends_soon_after_it_was_cancelled_although_nothing_answers()
    {
        await using var under = await StartAsync();
        var entries = Entries(2);
        await ForwardAsync(under.Target, entries[..1]);
        await under.BeginAsync(Weather.Silent);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        var clock = Stopwatch.StartNew();

        var end = await Record.ExceptionAsync(() => under.Target.DeliverAsync(entries[1..], null, stop.Token));

        Assert.IsAssignableFrom<OperationCanceledException>(end);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, NoTimeoutSeconds);
    }

    [TargetFact]
    public async Task Has_the_same_id_for_what_is_delivered_again()
    {
        await using var under = await StartAsync();
        var entry = Entries(1);

        await ForwardAsync(under.Target, entry);
        await ForwardAsync(under.Target, entry);

        // One that the broker dropped is as good.
        Assert.Single((await under.ArrivedAsync(1)).Select(each => each.Id).Distinct(), entry[0].Id.ToString());
    }

    [TargetFact(Ability.Attributes)]
    public async Task Marks_a_replay_and_lets_it_through()
    {
        await using var under = await StartAsync();
        var entries = Entries(3, subjects: 2);
        await ForwardAsync(under.Target, entries);

        await ForwardAsync(under.Target, entries[..2], replay: "r1");

        var arrived = await under.ArrivedAsync(5);
        Assert.Equal([null, null, null, "r1", "r1"], arrived.Select(each => each.Replay).OrderBy(each => each));
        Assert.Equal([0L, 1], arrived.Where(each => each.Replay is not null).Select(each => each.Sequence).Order());
        Assert.All(arrived, each => Assert.Equal(entries[(int)each.Sequence].Id.ToString(), each.Id));
    }

    [TargetFact]
    public async Task Takes_several_partitions_at_once()
    {
        await using var under = await StartAsync();
        var partitions = Enumerable.Range(0, 8).Select(partition => Entries(20, subjects: 4, partition)).ToList();

        await Task.WhenAll(partitions.Select(entries => ForwardAsync(under.Target, entries)));

        var arrived = await under.ArrivedAsync(160);
        AssertOrder(arrived);
        Assert.Equal(partitions.SelectMany(entries => entries).Select(entry => entry.Id.ToString()).Order(), arrived.Select(each => each.Id).Order());
    }

    // With the real forwarder on a real log: a process is stopped in the middle, and another one takes over.
    [TargetFact]
    public async Task Gets_all_of_a_log_in_order_although_forwarding_is_shut_down_in_the_middle()
    {
        await using var under = await StartAsync();
        await using var log = await TestLog.CreateAsync();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => PlaceAsync(log, $"o-{i}")));
        using var counting = new Stopping(under.Target, after: 2);
        await using (var first = log.Forwarder(counting))
        {
            await Record.ExceptionAsync(() => first.RunAsync(counting.Stop));
        }

        await using var other = await log.AnotherProcessAsync();
        await using var second = other.Forwarder(under.Target);
        for (var tries = 0; (await NextOffsetAsync(log)) < 180 && tries < 100; tries++) await second.RunAsync(CancellationToken.None);

        Assert.Equal(180, await NextOffsetAsync(log));
        await AssertAllAsync(under, await log.ReadAllAsync());
    }

    protected abstract Task<TargetUnderTest> StartAsync();

    /// <summary>Entries of a partition, one after the other of each subject in turn.</summary>
    private static EventEntry[] Entries(int count, int subjects = 1, int partition = 0) => [.. Enumerable.Range(0, count).Select(offset => new EventEntry(
        new EventId("k3v9x2ab", partition, offset), "OrderPlaced", "application/json", Payload(offset), DateTimeOffset.UnixEpoch.AddDays(20_000),
        $"order/{partition}-{offset % subjects}", (offset / subjects) + 1, null, null))];

    private static byte[] Payload(int number) => Encoding.UTF8.GetBytes($$"""{"orderId":"o-{{number}}","customerId":"c1","lines":[],"total":0}""");

    // As the forwarder does it, with a bound; gives what was refused.
    private static async Task<IReadOnlyList<long>> ForwardAsync(IForwardTarget target, EventEntry[] entries, string? replay = null)
    {
        var (refused, failures) = (new List<long>(), 0);
        for (var (done, max) = (0, entries.Length); done < entries.Length;)
        {
            switch (await target.DeliverAsync(entries[done..Math.Min(entries.Length, done + max)], replay, CancellationToken.None))
            {
                case Delivery.Accepted accepted:
                    (done, max) = (done + accepted.Count, entries.Length);
                    break;
                case Delivery.Refused { Attempted: > 1 } some:
                    max = Math.Max(1, some.Attempted / 2);
                    break;
                case Delivery.Refused:
                    refused.Add(entries[done].Offset);
                    (done, max) = (done + 1, entries.Length);
                    break;
                case Delivery.Failed failed:
                    Assert.True(failed.IsTransient, $"{failed}");
                    Assert.InRange(++failures, 1, 20);
                    await Task.Delay(100);
                    break;
            }
        }

        return refused;
    }

    private static async Task<IReadOnlyList<Arrived>> AssertAllAsync(TargetUnderTest under, IReadOnlyCollection<EventEntry> entries)
    {
        var arrived = await under.ArrivedAsync(entries.Count);
        for (var tries = 0; arrived.DistinctBy(each => each.Id).Count() < entries.Count && tries < 20; tries++)
        {
            arrived = await under.ArrivedAsync(arrived.Count + 1);
        }

        Assert.Equal(entries.Select(entry => entry.Id.ToString()).Order(), arrived.Select(each => each.Id).Distinct().Order());
        AssertOrder(arrived);
        return arrived;
    }

    // What comes again changes nothing: a consumer drops what is not above the last it saw.
    private static void AssertOrder(IReadOnlyList<Arrived> arrived) => Assert.All(arrived.GroupBy(each => each.Subject), subject =>
    {
        var first = subject.Select(each => each.Sequence).Distinct().ToList();
        Assert.Equal(first.Order(), first);
    });

    private static async Task PlaceAsync(TestLog log, string id) => Assert.IsType<CommandResult<Order>.Done>(await log.RunAsync(
        id, key: null, "place",
        _ => new Decision<Order>.Accepted(
            new Order(id, "c", OrderState.Placed, [], 0),
            [.. Enumerable.Range(0, 3).Select(i => new NewEvent("OrderPlaced", "application/json", Payload(i)))]),
        likelyNew: true));

    private static async Task<long> NextOffsetAsync(TestLog log) =>
        (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Checkpoints.TryGetValue("servicebus", out var checkpoint) ? checkpoint.NextOffset : 0;

    /// <summary>Delivers small parts, and says stop while one of them is under way.</summary>
    private sealed class Stopping(IForwardTarget inner, int after) : IForwardTarget, IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private int _deliveries;

        public CancellationToken Stop => _stop.Token;

        public void Dispose() => _stop.Dispose();

        public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            if (++_deliveries > after) await _stop.CancelAsync();
            return await inner.DeliverAsync([.. entries.Take(10)], replay, cancellationToken);
        }
    }
}
