using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Azure.Messaging.ServiceBus;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.StandIns;

/// <summary>What was sent is what arrives. The reader is the official JavaScript client.</summary>
public sealed class ServiceBusArriving
{
    /// <summary>Reads a number of messages from a subscription and prints them as JSON, one per line.</summary>
    private const string Read = """
        import { ServiceBusClient } from '@azure/service-bus';
        const [connectionString, topic, subscription, count] = process.argv.slice(1);
        const client = new ServiceBusClient(connectionString);
        const receiver = client.createReceiver(topic, subscription, { receiveMode: 'receiveAndDelete' });
        for (let left = Number(count); left > 0;) {
          const messages = await receiver.receiveMessages(left, { maxWaitTimeInMs: 10000 });
          if (messages.length === 0) break;
          left -= messages.length;
          for (const each of messages) {
            const { messageId, sessionId, partitionKey, subject, contentType, correlationId, replyTo, to, timeToLive,
              applicationProperties, body } = each; // the client has parsed a body that is JSON
            console.log(JSON.stringify({ messageId, sessionId, partitionKey, subject, contentType, correlationId, replyTo,
              to, timeToLive, applicationProperties, body }));
          }
        }
        await client.close();
        """;

    [Fact]
    public async Task All_of_a_message_arrives_as_it_was_when_added()
    {
        var connection = await ServiceBusEmulator.ConnectionStringAsync();
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var client = new ServiceBusClient(connection);
        await using var sender = client.CreateSender(topic);
        using var batch = await sender.CreateMessageBatchAsync();
        var message = new ServiceBusMessage("""{"text":"é€😀"}""")
        {
            MessageId = "k3v9x2ab-0000-0000000000000000041",
            SessionId = "order/o-1",
            PartitionKey = "order/o-1",
            Subject = "OrderPlaced",
            ContentType = "application/json",
            CorrelationId = "c",
            ReplyTo = "r",
            To = "t",
            TimeToLive = TimeSpan.FromSeconds(90),
        };
        message.ApplicationProperties["cloudEvents:id"] = "\"quoted\" \\ é";
        message.ApplicationProperties["number"] = 41;
        message.ApplicationProperties["half"] = 0.5;
        message.ApplicationProperties["flag"] = true;
        Assert.True(batch.TryAddMessage(message));
        message.Subject = "changed";
        message.ApplicationProperties["number"] = 42;
        await sender.SendMessagesAsync(batch);

        var arrived = Assert.Single(await ReadAsync(connection, topic, count: 1));

        Assert.Equal("k3v9x2ab-0000-0000000000000000041", Text("messageId"));
        Assert.Equal(("order/o-1", "order/o-1"), (Text("sessionId"), Text("partitionKey")));
        Assert.Equal(("OrderPlaced", "application/json"), (Text("subject"), Text("contentType")));
        Assert.Equal(("c", "r", "t"), (Text("correlationId"), Text("replyTo"), Text("to")));
        Assert.Equal(90_000, arrived.GetProperty("timeToLive").GetInt32());
        Assert.Equal("é€😀", arrived.GetProperty("body").GetProperty("text").GetString());
        var properties = arrived.GetProperty("applicationProperties");
        Assert.Equal("\"quoted\" \\ é", properties.GetProperty("cloudEvents:id").GetString());
        Assert.Equal(41, properties.GetProperty("number").GetInt32());
        Assert.Equal(0.5, properties.GetProperty("half").GetDouble());
        Assert.True(properties.GetProperty("flag").GetBoolean());

        string? Text(string name) => arrived.GetProperty(name).GetString();
    }

    [Fact]
    public async Task Messages_arrive_in_the_order_they_were_sent_and_a_repeated_id_once()
    {
        var connection = await ServiceBusEmulator.ConnectionStringAsync();
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var client = new ServiceBusClient(connection);
        await using var sender = client.CreateSender(topic);

        await sender.SendMessagesAsync([Numbered(0), Numbered(1), Numbered(2)]);
        await sender.SendMessagesAsync([Numbered(2), Numbered(3)]);
        await sender.SendMessageAsync(Numbered(4));

        var arrived = await ReadAsync(connection, topic, count: 5);
        Assert.Equal(["0", "1", "2", "3", "4"], arrived.Select(each => each.GetProperty("messageId").GetString()));
    }

    private static ServiceBusMessage Numbered(int number) =>
        new("x") { MessageId = number.ToString(CultureInfo.InvariantCulture), SessionId = "s" };

    private static async Task<List<JsonElement>> ReadAsync(string connection, string topic, int count)
    {
        var start = new ProcessStartInfo(
            "node",
            ["--input-type=module", "--eval", Read, connection, topic, "all", count.ToString(CultureInfo.InvariantCulture)])
        {
            WorkingDirectory = Path.Combine(ServiceBusEmulator.Folder, "..", "..", "tests"),
            RedirectStandardOutput = true,
        };
        using var node = Process.Start(start)!;
        var messages = new List<JsonElement>();
        while (await node.StandardOutput.ReadLineAsync() is { } line) messages.Add(JsonSerializer.Deserialize<JsonElement>(line));
        await node.WaitForExitAsync();
        return messages;
    }
}
