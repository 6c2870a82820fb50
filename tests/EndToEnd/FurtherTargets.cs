using System.Text;
using System.Text.Json;
using Outpost.Tests.Testing;
using RabbitMQ.Client;

namespace Outpost.Tests.EndToEnd;

/// <summary>The app as it is deployed, with RabbitMQ and Kafka in its settings beside Service Bus.</summary>
public sealed class FurtherTargets
{
    [RabbitMQFact]
    public async Task Get_the_entries_that_the_event_API_serves_with_the_same_ids_in_the_same_order()
    {
        var server = await RabbitMQServer.SharedAsync();
        var exchange = $"shop-{Guid.NewGuid():n}";
        await using var connection = await new ConnectionFactory { Uri = server.Uri }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync(exchange, ExchangeType.Topic, durable: true);
        await channel.QueueDeclareAsync(exchange, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync(exchange, exchange, "#");
        using var cluster = new KafkaCluster();
        var topic = cluster.NewTopic(partitions: 1);
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync(settings: new Dictionary<string, string>
        {
            ["Targets__RabbitMQ__Uri"] = server.Uri.ToString(),
            ["Targets__RabbitMQ__Exchange"] = exchange,
            ["Targets__Kafka__BootstrapServers"] = cluster.BootstrapServers,
            ["Targets__Kafka__Topic"] = topic,
        });

        for (var i = 0; i < 10; i++)
        {
            (await app.PlaceAsync($"o-{i}")).Dispose();
            (await app.PostAsync($"/api/orders/o-{i}/pay", null)).Dispose();
        }

        await app.ForwardedAsync();

        var feed = (await app.FeedAsync()).Select(entry => (Id: entry.GetProperty("id").GetString()!, Subject: entry.GetProperty("subject").GetString()!)).ToList();
        Assert.Equal(20, feed.Count);
        var rabbit = new List<(string Id, string Subject)>();
        while (await channel.BasicGetAsync(exchange, autoAck: true) is { } message)
            rabbit.Add((message.BasicProperties.MessageId!, Encoding.UTF8.GetString((byte[])message.BasicProperties.Headers!["cloudEvents:subject"]!)));
        var kafka = cluster.Read(topic, 20, partitions: 1).Select(each => (Id: Encoding.UTF8.GetString(each.Message.Headers.GetLastBytes("ce_id")), Subject: each.Message.Key)).ToList();
        foreach (var subject in feed.GroupBy(entry => entry.Subject))
        {
            Assert.Equal(subject, rabbit.Where(entry => entry.Subject == subject.Key).Distinct());
            Assert.Equal(subject, kafka.Where(entry => entry.Subject == subject.Key).Distinct());
        }

        using var status = JsonDocument.Parse(await app.Http.GetStringAsync("/api/status"));
        Assert.Superset(
            new HashSet<string> { "servicebus", "rabbitmq", "kafka" },
            status.RootElement.GetProperty("forwarders").EnumerateArray().Select(forwarder => forwarder.GetProperty("name").GetString()!).ToHashSet());
    }
}
