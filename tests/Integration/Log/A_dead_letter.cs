using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

/// <summary>What a consumer gave up comes back by a replay of that entry, and by nothing simpler.</summary>
public sealed class A_dead_letter
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Comes_back_when_its_entry_is_replayed_and_not_when_it_is_sent_as_it_is()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var log = await TestLog.CreateAsync();
        for (var i = 0; i < 3; i++) Assert.IsType<CommandResult<Tally>.Done>(await log.Log.ExecuteAsync(Tallies.Count("a", $"{i}"), CancellationToken.None));
        await using var bus = await TestLog.ServiceBusTargetAsync(topic);
        await using var engine = log.Engine([new Forwarder("servicebus", bus)]);
        await engine.RunAsync(CancellationToken.None);
        await using var client = new ServiceBusClient(await ServiceBusEmulator.ConnectionStringAsync());
        await using var session = await client.AcceptNextSessionAsync(topic, "orders");
        for (var i = 0; i < 3; i++)
        {
            var message = await session.ReceiveMessageAsync(Soon);
            if (i == 1) await session.DeadLetterMessageAsync(message, "it cannot be handled");
            else await session.CompleteMessageAsync(message);
        }

        var last = Sequence(2);
        await using var dead = client.CreateReceiver(topic, "orders", new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        var letter = await dead.ReceiveMessageAsync(Soon);
        Assert.Equal("it cannot be handled", letter.DeadLetterReason);

        // As it is: the topic has seen this MessageId, and says nothing.
        await using var sender = client.CreateSender(topic);
        await sender.SendMessageAsync(new ServiceBusMessage(letter));
        var operations = new ForwarderOperations(log.Store, log.Checkpoints, engine, TestLog.Sources);
        Assert.True(EventId.TryParse(letter.MessageId, out var id));
        var asked = Assert.IsType<OperationResult.Done>(await operations.ReplayAsync("servicebus", id.Partition, id.Offset, id.Offset, CancellationToken.None));
        await engine.RunAsync(CancellationToken.None);

        var again = await session.ReceiveMessageAsync(Soon);
        Assert.Equal($"{id}~{asked.ReplayId}", again.MessageId);
        // What the consumers of the docs go by: below the last sequence, and wanted all the same.
        Assert.True(string.CompareOrdinal((string)again.ApplicationProperties["cloudEvents:sequence"], last) < 0);
        Assert.Equal(asked.ReplayId, again.ApplicationProperties["replay"]);
        Assert.Equal(letter.Body.ToString(), again.Body.ToString());
        await session.CompleteMessageAsync(again);
        await dead.CompleteMessageAsync(letter);
        Assert.Null(await session.ReceiveMessageAsync(TimeSpan.FromMilliseconds(300)));
        Assert.Null(await dead.ReceiveMessageAsync(TimeSpan.FromMilliseconds(300)));

        static string Sequence(long offset) => offset.ToString("D19", System.Globalization.CultureInfo.InvariantCulture);
    }
}
