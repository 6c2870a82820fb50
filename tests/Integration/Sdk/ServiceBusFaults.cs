using System.Diagnostics;
using Azure.Messaging.ServiceBus;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Sdk;

/// <summary>What a sender of the official client keeps of a fault, and what ends it, against the emulator.</summary>
public sealed class ServiceBusFaults
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task A_sender_goes_on_over_its_link_when_sends_that_hung_are_answered_again()
    {
        await using var bus = await BusAsync();
        await bus.Sender.SendMessageAsync(new("first"));
        await ServiceBusEmulator.SetFaultAsync(bus.Topic, ServiceBusFault.Hang);
        await ThrowsAsync(ServiceBusFailureReason.ServiceTimeout, bus.SendAsync);

        await ServiceBusEmulator.SetFaultAsync(bus.Topic, ServiceBusFault.None);

        // more than the emulator's window of unsettled deliveries, which a forgotten one would block
        for (var i = 0; i < 25; i++) await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => bus.SendAsync()));
    }

    [Fact]
    public async Task A_link_whose_sends_get_no_outcome_is_not_replaced_and_a_new_sender_is_free_of_it()
    {
        await using var bus = await BusAsync();
        await ServiceBusEmulator.SetFaultAsync(
            bus.Topic, new ServiceBusFaultWish(ServiceBusFault.Hang) { Scope = ServiceBusFaultScope.Link, Times = 1 });

        for (var i = 0; i < 3; i++) await ThrowsAsync(ServiceBusFailureReason.ServiceTimeout, bus.SendAsync);
        await using var other = bus.Client.CreateSender(bus.Topic);
        await other.SendMessageAsync(new("a"));

        Assert.Equal(1, await ServiceBusEmulator.FaultsMetAsync(bus.Topic));
    }

    [Fact]
    public async Task A_connection_whose_sends_get_no_outcome_holds_for_new_senders_of_its_client_too()
    {
        await using var bus = await BusAsync();
        await ServiceBusEmulator.SetFaultAsync(
            bus.Topic, new ServiceBusFaultWish(ServiceBusFault.Hang) { Scope = ServiceBusFaultScope.Connection, Times = 1 });

        await ThrowsAsync(ServiceBusFailureReason.ServiceTimeout, bus.SendAsync);
        await using var sibling = bus.Client.CreateSender(bus.Topic);
        await ThrowsAsync(ServiceBusFailureReason.ServiceTimeout, () => sibling.SendMessageAsync(new("a")));
        await using var client = await ClientAsync(Soon);
        await using var other = client.CreateSender(bus.Topic);
        await other.SendMessageAsync(new("a"));
    }

    [Fact]
    public async Task A_half_open_connection_is_kept_and_a_new_client_is_free_of_it()
    {
        await using var bus = await BusAsync();
        await bus.SendAsync();
        await ServiceBusEmulator.SetFaultAsync(bus.Topic, ServiceBusFault.Silence, times: 1);

        for (var i = 0; i < 2; i++) await ThrowsAsync(ServiceBusFailureReason.ServiceTimeout, bus.SendAsync);
        await using var client = await ClientAsync(TimeSpan.FromSeconds(10));
        await using var other = client.CreateSender(bus.Topic);
        await other.SendMessageAsync(new("a"));

        Assert.Equal(1, await ServiceBusEmulator.FaultsMetAsync(bus.Topic));
        await ServiceBusEmulator.SetFaultAsync(bus.Topic, ServiceBusFault.None); // which ends the silent connection
    }

    [Theory]
    [InlineData(ServiceBusFault.Busy, ServiceBusFailureReason.ServiceBusy)]
    [InlineData(ServiceBusFault.Hang, ServiceBusFailureReason.ServiceTimeout)]
    [InlineData(ServiceBusFault.Silence, ServiceBusFailureReason.ServiceTimeout)]
    [InlineData(ServiceBusFault.Reset, ServiceBusFailureReason.ServiceTimeout)]
    [InlineData(ServiceBusFault.InternalError, ServiceBusFailureReason.GeneralError)]
    public async Task A_link_that_cannot_be_opened_fails_the_batch_before_any_message_is_there(
        ServiceBusFault fault, ServiceBusFailureReason reason)
    {
        await using var bus = await BusAsync();
        await ServiceBusEmulator.SetFaultAsync(bus.Topic, new ServiceBusFaultWish(fault) { OnAttach = true, Times = 1 });

        await ThrowsAsync(reason, async () => (await bus.Sender.CreateMessageBatchAsync()).Dispose());

        Assert.Equal(1, await ServiceBusEmulator.FaultsMetAsync(bus.Topic));
    }

    [Fact]
    public async Task A_slow_bus_takes_longer_for_more()
    {
        await using var bus = await BusAsync(TimeSpan.FromSeconds(20));
        await ServiceBusEmulator.SetFaultAsync(
            bus.Topic, new ServiceBusFaultWish(ServiceBusFault.Slow) { BytesPerSecond = 100_000 });
        var clock = Stopwatch.StartNew();

        await bus.Sender.SendMessageAsync(new(new byte[50_000]));

        Assert.InRange(clock.ElapsedMilliseconds, 490, 20_000);
    }

    private static async Task<Bus> BusAsync(TimeSpan? tryTimeout = null)
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        var client = await ClientAsync(tryTimeout ?? Soon);
        return new(topic, client, client.CreateSender(topic));
    }

    private static async Task<ServiceBusClient> ClientAsync(TimeSpan tryTimeout) => new(
        await ServiceBusEmulator.ConnectionStringAsync(),
        new ServiceBusClientOptions { RetryOptions = new() { MaxRetries = 0, TryTimeout = tryTimeout } });

    private static async Task ThrowsAsync(ServiceBusFailureReason reason, Func<Task> action) =>
        Assert.Equal(reason, (await Assert.ThrowsAsync<ServiceBusException>(action)).Reason);

    private sealed record Bus(string Topic, ServiceBusClient Client, ServiceBusSender Sender) : IAsyncDisposable
    {
        public Task SendAsync() => Sender.SendMessageAsync(new("a"));

        public async ValueTask DisposeAsync()
        {
            await Sender.DisposeAsync();
            await Client.DisposeAsync();
        }
    }
}
