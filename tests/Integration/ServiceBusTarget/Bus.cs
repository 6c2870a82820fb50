using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;
using Outpost.ServiceBus;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.BadWeather;

/// <summary>A topic of the emulator, and a target with the official client that sends entries to it.</summary>
internal sealed record Bus(string Topic, ServiceBusTarget Target) : IAsyncDisposable
{
    public static async Task<Bus> StartAsync(int kilobytes = 256)
    {
        var topic = await ServiceBusEmulator.NewTopicAsync(kilobytes, subscriptions: true);
        return new Bus(topic, await TestLog.ServiceBusTargetAsync(topic));
    }

    public static IReadOnlyList<EventEntry> Entries(int count, int bytes = 10, int from = 0, int partition = 0) =>
        [.. Enumerable.Range(from, count).Select(offset => new EventEntry(
            new EventId("k3v9x2ab", partition, offset), "Measured", "application/octet-stream", new byte[bytes], DateTimeOffset.UnixEpoch, "order/o-1", 1, null, null))];

    public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries) => Target.DeliverAsync(entries, null, CancellationToken.None);

    public async Task<Delivery> DeliverOneAsync(int offset = 0, int partition = 0) => await DeliverAsync(Entries(1, from: offset, partition: partition));

    public Task FailAsync(ServiceBusFault fault, ServiceBusFaultScope scope = ServiceBusFaultScope.Send, int? times = 1, bool onAttach = false) =>
        ServiceBusEmulator.SetFaultAsync(Topic, new ServiceBusFaultWish(fault) { Scope = scope, Times = times, OnAttach = onAttach });

    /// <summary>What the topic's subscription has, in order.</summary>
    public async Task<IReadOnlyList<ServiceBusReceivedMessage>> ReceiveAsync(int count)
    {
        await using var client = new ServiceBusClient(await ServiceBusEmulator.ConnectionStringAsync());
        await using var receiver = client.CreateReceiver(Topic, "all", new ServiceBusReceiverOptions { ReceiveMode = ServiceBusReceiveMode.ReceiveAndDelete });
        var received = new List<ServiceBusReceivedMessage>();
        while (received.Count < count && await receiver.ReceiveMessagesAsync(count, TimeSpan.FromSeconds(30)) is { Count: > 0 } some) received.AddRange(some);
        return received;
    }

    public async ValueTask DisposeAsync()
    {
        // Ends what a fault keeps open.
        await ServiceBusEmulator.SetFaultAsync(Topic, ServiceBusFault.None);
        await Target.DisposeAsync();
    }
}
