using Outpost.Forwarding;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.BadWeather;

/// <summary>What is too large for the topic or for the connection.</summary>
public sealed class Sizes
{
    [Fact]
    public async Task An_entry_refused_for_its_size_by_the_topic_travels_as_a_reference()
    {
        await using var bus = await Bus.StartAsync(kilobytes: 1024);
        await bus.DeliverOneAsync(0);
        await ServiceBusEmulator.LimitAsync(bus.Topic, kilobytes: 256);

        Assert.Equal(new Delivery.Accepted(1), await bus.DeliverAsync(Bus.Entries(1, bytes: 300 * 1024, from: 1)));

        var message = (await bus.ReceiveAsync(2))[1];
        Assert.Equal("http://localhost:7071/api/events/k3v9x2ab-0000-0000000000000000001/data", message.ApplicationProperties["cloudEvents:dataref"]);
    }

    [Fact]
    public async Task A_batch_refused_for_its_size_by_the_topic_is_sent_in_smaller_ones_and_nothing_is_refused()
    {
        await using var bus = await Bus.StartAsync(kilobytes: 1024);
        await bus.DeliverOneAsync(0);
        await ServiceBusEmulator.LimitAsync(bus.Topic, kilobytes: 256);
        var entries = Bus.Entries(6, bytes: 100 * 1024, from: 1);

        var first = await bus.DeliverAsync(entries);
        var second = await bus.DeliverAsync(entries);

        Assert.Equal(6, Assert.IsType<Delivery.Refused>(first).Attempted);
        Assert.Equal(new Delivery.Accepted(2), second);
    }

    [Fact]
    public async Task Batches_halve_when_sends_time_out_and_grow_again()
    {
        await using var bus = await Bus.StartAsync();
        // A full batch of 256 KB takes 6 s, half of one 3 s.
        await ServiceBusEmulator.SetFaultAsync(bus.Topic, new ServiceBusFaultWish(ServiceBusFault.Slow) { BytesPerSecond = 42_000 });
        var entries = Bus.Entries(100, bytes: 10_000);

        var timedOut = await bus.DeliverAsync(entries);
        var half = Assert.IsType<Delivery.Accepted>(await bus.DeliverAsync(entries)).Count;
        await ServiceBusEmulator.SetFaultAsync(bus.Topic, ServiceBusFault.None);
        await bus.DeliverAsync(Bus.Entries(100, bytes: 10_000, from: 100));
        var full = Assert.IsType<Delivery.Accepted>(await bus.DeliverAsync(Bus.Entries(100, bytes: 10_000, from: 200))).Count;

        Assert.Equal("ServiceTimeout", Assert.IsType<Delivery.Failed>(timedOut).Kind);
        Assert.InRange(half, 10, 14);
        Assert.InRange(full, 24, 26);
    }
}
