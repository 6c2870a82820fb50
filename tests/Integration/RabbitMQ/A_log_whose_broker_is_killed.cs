using System.Collections.Concurrent;
using Outpost.Forwarding;
using Outpost.Orders;
using Outpost.RabbitMQ;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Rabbits;

/// <summary>The whole way with real services: commands commit, processes that forward come and go, and the broker is killed meanwhile.</summary>
public sealed class A_log_whose_broker_is_killed
{
    private const int Orders = 800;
    private const int EventsPerOrder = 3;
    private const int Partitions = 2;
    private const int Kills = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [RabbitMQFact]
    public async Task Loses_no_event_and_keeps_the_order_of_each_subject()
    {
        await using var server = await RabbitMQServer.StartAsync();
        await using var rabbit = await Rabbit.StartAsync(server: server);
        await using var log = await TestLog.CreateAsync(Partitions);
        var delivered = new ConcurrentDictionary<EventId, bool>();
        using var late = new CancellationTokenSource(Patience);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(late.Token);
        var forwarding = Enumerable.Range(1, 2).Select(seed => ForwardAsync(log, rabbit.Options, delivered, new Random(seed), done.Token)).ToList();

        var commits = Task.Run(async () =>
        {
            for (var i = 0; i < Orders; i += 20)
            {
                await Task.WhenAll(Enumerable.Range(i, 20).Select(number => PlaceAsync(log, $"o-{number}")));
                await Task.Delay(20, late.Token);
            }
        });
        for (var kill = 1; kill <= Kills; kill++)
        {
            while (delivered.Count < kill * Orders * EventsPerOrder / (Kills + 1)) await Task.Delay(10, late.Token);
            await server.KillAsync();
            await server.RunAsync();
        }

        await commits;
        while (delivered.Count < Orders * EventsPerOrder) await Task.Delay(10, late.Token);
        await done.CancelAsync();
        await Task.WhenAll(forwarding);

        // The connection of before is gone with the broker.
        await using var after = await Rabbit.StartAsync(server: server);
        var arrived = (await after.TakeAsync(rabbit.Queue)).Select(message => (
            Id: message.BasicProperties.MessageId!, Subject: Rabbit.Header(message, "cloudEvents:subject"), Sequence: long.Parse(Rabbit.Header(message, "cloudEvents:sequence")!))).ToList();
        var committed = new List<EventEntry>();
        for (var partition = 0; partition < Partitions; partition++) committed.AddRange(await log.ReadAllAsync(partition));
        Assert.Equal(Orders * EventsPerOrder, committed.Count);
        Assert.Equal(committed.Select(entry => entry.Id.ToString()).Order(), arrived.Select(each => each.Id).Distinct().Order());
        Assert.All(arrived.GroupBy(each => each.Subject), subject =>
        {
            var first = subject.Select(each => each.Sequence).Distinct().ToList();
            Assert.Equal(first.Order(), first);
        });
    }

    // Processes one after the other, each of which is stopped wherever it is.
    private static async Task ForwardAsync(TestLog log, RabbitMQOptions options, ConcurrentDictionary<EventId, bool> delivered, Random random, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            await using var process = await log.AnotherProcessAsync();
            await using var target = new RabbitMQTarget(options, TimeProvider.System);
            await using var engine = process.Forwarder(new Counting(target, delivered), linger: TimeSpan.FromSeconds(2));
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(done);
            stop.CancelAfter(random.Next(200, 3000));
            try
            {
                while (!stop.IsCancellationRequested) await engine.RunAsync(stop.Token);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // The next process goes on.
            }
        }
    }

    private static async Task PlaceAsync(TestLog log, string id) => Assert.IsType<CommandResult<Order>.Done>(await log.RunAsync(
        id, key: null, "place",
        _ => new Decision<Order>.Accepted(
            new Order(id, "c", OrderState.Placed, [], 0), [.. Enumerable.Range(0, EventsPerOrder).Select(i => new NewEvent("Measured", "text/plain", new byte[100]))]),
        likelyNew: true));

    private sealed class Counting(IForwardTarget inner, ConcurrentDictionary<EventId, bool> delivered) : IForwardTarget
    {
        public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            // Small parts, so that there is something to kill.
            var some = entries.Take(50).ToList();
            var delivery = await inner.DeliverAsync(some, replay, cancellationToken);
            if (delivery is Delivery.Accepted accepted) foreach (var entry in some.Take(accepted.Count)) delivered[entry.Id] = true;
            return delivery;
        }
    }
}
