using System.Text;
using Azure.Messaging.ServiceBus;
using Confluent.Kafka;
using Outpost.Client;
using Outpost.Forwarding;
using Outpost.Kafka;
using Outpost.RabbitMQ;
using Outpost.ServiceBus;
using Outpost.Tests.Integration.Contract;
using Outpost.Tests.Testing;
using RabbitMQ.Client;

namespace Outpost.Tests.Integration.Consumers;

/// <summary>What the suite needs of a messaging system: how events and other things get there, and a source of another process.</summary>
public abstract class ConsumerUnderTest : IAsyncDisposable
{
    /// <summary>The target that brings events there.</summary>
    public abstract IForwardTarget Target { get; }

    /// <summary>A source, as another process would have it.</summary>
    public abstract IMessageSource Source();

    /// <summary>A message that is no event of Outpost.</summary>
    public abstract Task SendAsync(string text);

    public abstract ValueTask DisposeAsync();
}

public sealed class A_Service_Bus_consumer : ConsumerContract
{
    protected override async Task<ConsumerUnderTest> StartAsync()
    {
        var topic = $"topic-{Guid.NewGuid():n}";
        await ServiceBusEmulator.DefineAsync(topic, new
        {
            Properties = new { RequiresDuplicateDetection = false },
            Subscriptions = new[] { new { Name = "orders", Properties = new { RequiresSession = true, MaxDeliveryCount = 1000 } } },
        });
        return new Under(topic, await TestLog.ServiceBusTargetAsync(topic), new ServiceBusClient(await ServiceBusEmulator.ConnectionStringAsync()));
    }

    private sealed class Under(string topic, ServiceBusTarget target, ServiceBusClient client) : ConsumerUnderTest
    {
        public override IForwardTarget Target => target;

        public override IMessageSource Source() => new ServiceBusSource(client, topic, "orders");

        public override async Task SendAsync(string text)
        {
            await using var sender = client.CreateSender(topic);
            await sender.SendMessageAsync(new ServiceBusMessage(text) { SessionId = "other" });
        }

        public override async ValueTask DisposeAsync()
        {
            await target.DisposeAsync();
            await client.DisposeAsync();
        }
    }
}

[NeedsRabbitMQ]
public sealed class A_RabbitMQ_consumer : ConsumerContract
{
    protected override async Task<ConsumerUnderTest> StartAsync()
    {
        var (server, name) = (await RabbitMQServer.SharedAsync(), $"consumed-{Guid.NewGuid():n}");
        var connection = await new ConnectionFactory { Uri = server.Uri }.CreateConnectionAsync();
        var channel = await connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync(name, ExchangeType.Topic, durable: true);
        await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync(name, name, "#");
        return new Under(name, server.Uri, connection, channel);
    }

    private sealed class Under(string name, Uri uri, IConnection connection, IChannel channel) : ConsumerUnderTest
    {
        private readonly RabbitMQTarget _target = new(new RabbitMQOptions { Uri = uri, Exchange = name }, TimeProvider.System);

        public override IForwardTarget Target => _target;

        public override IMessageSource Source() => new RabbitMQSource(new ConnectionFactory { Uri = uri }, name);

        public override async Task SendAsync(string text) => await channel.BasicPublishAsync("", name, Encoding.UTF8.GetBytes(text));

        public override async ValueTask DisposeAsync()
        {
            await _target.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}

public sealed class A_Kafka_consumer : ConsumerContract
{
    protected override Task<ConsumerUnderTest> StartAsync() => Task.FromResult<ConsumerUnderTest>(new Under());

    private sealed class Under : ConsumerUnderTest
    {
        private readonly KafkaCluster _cluster = new();
        private readonly string _topic;
        private readonly KafkaTarget _target;

        public Under()
        {
            _cluster.GroupsBeginAtOnce();
            _topic = _cluster.NewTopic();
            _target = new KafkaTarget(new KafkaOptions { BootstrapServers = _cluster.BootstrapServers, Topic = _topic }, TimeProvider.System);
        }

        public override IForwardTarget Target => _target;

        // The mock cluster gives the partitions of a member that left to the next one when its session has ended.
        public override IMessageSource Source() => new KafkaSource(new ClientConfig(new Dictionary<string, string>
        {
            ["bootstrap.servers"] = _cluster.BootstrapServers,
            ["session.timeout.ms"] = "3000",
            ["heartbeat.interval.ms"] = "500",
        }), "history", _topic);

        public override async Task SendAsync(string text)
        {
            using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = _cluster.BootstrapServers }).Build();
            await producer.ProduceAsync(_topic, new Message<string, string> { Key = "other", Value = text });
        }

        public override async ValueTask DisposeAsync()
        {
            await _target.DisposeAsync();
            _cluster.Dispose();
        }
    }
}
