using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;
using Outpost.ServiceBus;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Contract;

public sealed class The_Service_Bus_target : TargetContract
{
    protected override async Task<TargetUnderTest> StartAsync()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        return new ServiceBusUnderTest(topic, await TestLog.ServiceBusTargetAsync(topic), new ServiceBusClient(await ServiceBusEmulator.ConnectionStringAsync()));
    }

    private sealed class ServiceBusUnderTest(string topic, ServiceBusTarget target, ServiceBusClient client) : TargetUnderTest
    {
        private readonly List<Arrived> _arrived = [];

        public override IForwardTarget Target => target;

        public override int TooLarge => 300 * 1024;

        public override async Task<IReadOnlyList<Arrived>> ArrivedAsync(int count)
        {
            await using var receiver = client.CreateReceiver(topic, "all", new ServiceBusReceiverOptions { ReceiveMode = ServiceBusReceiveMode.ReceiveAndDelete });
            while (await receiver.ReceiveMessagesAsync(100, TimeSpan.FromSeconds(_arrived.Count < count ? 10 : 0.2)) is { Count: > 0 } some)
            {
                _arrived.AddRange(some.Select(message => Arrived.From(
                    message.ApplicationProperties.Where(each => each.Key.StartsWith("cloudEvents:", StringComparison.Ordinal)).ToDictionary(each => each.Key[12..], each => (string)each.Value),
                    message.Body.ToArray(),
                    (string?)message.ApplicationProperties.GetValueOrDefault("replay"))));
            }

            return _arrived;
        }

        public override Task RefuseAsync(EventEntry entry) => ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.None, messageIdPattern: $"^{entry.Id}$");

        public override Task BeginAsync(Weather weather) => ServiceBusEmulator.SetFaultAsync(topic, weather switch
        {
            Weather.Throttled => new ServiceBusFaultWish(ServiceBusFault.Busy),
            Weather.Silent => new ServiceBusFaultWish(ServiceBusFault.Silence) { Scope = ServiceBusFaultScope.Connection, Times = 1 },
            _ => new ServiceBusFaultWish(ServiceBusFault.Reset),
        });

        public override Task FineAsync() => ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.None);

        public override async ValueTask DisposeAsync()
        {
            await FineAsync();
            await target.DisposeAsync();
            await client.DisposeAsync();
        }
    }
}
