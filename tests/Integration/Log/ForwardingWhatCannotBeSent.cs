using Outpost.Forwarding;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

/// <summary>Promise 7 with a real client: one bad event blocks nobody else and never vanishes.</summary>
public sealed class ForwardingWhatCannotBeSent
{
    private const int Commands = 1_250;
    private const int EventsPerCommand = 8;

    [Fact]
    public async Task One_event_too_large_for_the_bus_and_one_that_it_refuses_among_ten_thousand_hold_up_nobody_else()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var log = await TestLog.CreateAsync();
        await PlaceManyAsync(log);
        var entries = await log.ReadAllAsync();
        var poison = entries[4_321];
        var large = entries.Single(entry => entry.Payload.Length > 256 * 1024);
        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.None, messageIdPattern: $"^{poison.Id}$");
        await using var bus = await TestLog.ServiceBusTargetAsync(topic);
        var target = new Recording(bus);
        await using var engine = log.Engine([new Forwarder("servicebus", target)]);
        await engine.RunAsync(CancellationToken.None);

        var behind = entries.Where(entry => entry.Subject == poison.Subject && entry.Offset >= poison.Offset).ToList();
        Assert.Equal(entries.Except(behind).Select(entry => entry.Offset), target.Accepted.Select(entry => entry.Offset));
        Assert.Contains(large.Offset, target.Accepted.Select(entry => entry.Offset));
        var parked = await log.Checkpoints.ReadParkedAsync(0, "servicebus", 0, 100, CancellationToken.None);
        Assert.Equal(behind.Select(entry => entry.Offset), parked.Select(entry => entry.Offset));
        Assert.Equal([null, .. behind.Skip(1).Select(_ => (long?)poison.Offset)], parked.Select(entry => entry.Behind));
        // Found by halves, not one by one.
        Assert.InRange(target.Deliveries, 1, 200);

        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.None);
        var operations = new ForwarderOperations(log.Store, log.Checkpoints, engine, TestLog.Sources);
        Assert.IsType<OperationResult.Done>(await operations.RetryAsync("servicebus", 0, poison.Offset, CancellationToken.None));
        await engine.RunAsync(CancellationToken.None);

        Assert.Equal(behind.Select(entry => entry.Offset), target.Accepted.Skip(entries.Count - behind.Count).Select(entry => entry.Offset));
        Assert.Empty(await log.Checkpoints.ReadParkedAsync(0, "servicebus", 0, 100, CancellationToken.None));
    }

    private static Task PlaceManyAsync(TestLog log) => Task.WhenAll(Enumerable.Range(0, Commands).Select(async number =>
    {
        var done = await log.RunAsync(
            $"o-{number}", key: null, "place",
            _ => new Decision<Orders.Order>.Accepted(
                new Orders.Order($"o-{number}", "c", Orders.OrderState.Placed, [], 0),
                [.. Enumerable.Range(0, EventsPerCommand).Select(i => new NewEvent(
                    "Measured", "application/octet-stream", new byte[number == 777 && i == 1 ? 300 * 1024 : 100]))]),
            likelyNew: true);
        Assert.IsType<CommandResult<Orders.Order>.Done>(done);
    }));

    /// <summary>What another target accepted, in order.</summary>
    private sealed class Recording(IForwardTarget inner) : IForwardTarget
    {
        public List<EventEntry> Accepted { get; } = [];

        public int Deliveries { get; private set; }

        public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            Deliveries++;
            var delivery = await inner.DeliverAsync(entries, replay, cancellationToken);
            if (delivery is Delivery.Accepted accepted) Accepted.AddRange(entries.Take(accepted.Count));
            return delivery;
        }
    }
}
