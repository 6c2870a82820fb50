using Outpost.Forwarding;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.BadWeather;

/// <summary>Promise 4: a batch that the broker has refused never counts as delivered, however soon the answer comes.</summary>
public sealed class Answers_that_come_at_once
{
    private const int Targets = 8;
    private const int Deliveries = 250;

    // The client's AMQP library has a race of its own (ADR 0031), which shows in one of some hundred answers on a busy machine:
    // with so many, more than one of them on most runs.
    [Fact]
    public async Task Are_never_taken_for_acceptance_where_they_refuse()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, Targets).Select(_ => RefusedAsync()));

        Assert.All(outcomes.SelectMany(some => some), outcome => Assert.IsType<Delivery.Failed>(outcome));
    }

    private static async Task<IReadOnlyList<Delivery>> RefusedAsync()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.EntityDisabled);
        await using var target = await TestLog.ServiceBusTargetAsync(topic);
        var entry = Bus.Entries(1);
        var outcomes = new List<Delivery>();
        for (var i = 0; i < Deliveries; i++) outcomes.Add(await target.DeliverAsync(entry, null, CancellationToken.None));
        return outcomes;
    }
}
