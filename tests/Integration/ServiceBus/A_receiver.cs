using Azure.Messaging.ServiceBus;
using static Outpost.Tests.Integration.ServiceBus.BusEntity;

namespace Outpost.Tests.Integration.ServiceBus;

public sealed class A_receiver
{
    [Fact]
    public async Task Gets_what_was_sent_with_everything_the_sender_set()
    {
        await using var queue = await QueueAsync();
        await queue.Sender.SendMessageAsync(new ServiceBusMessage("{}")
        {
            MessageId = "m-1",
            Subject = "OrderPlaced",
            ContentType = "application/json",
            CorrelationId = "c-1",
            PartitionKey = "p",
            ReplyTo = "answers",
            To = "you",
            ReplyToSessionId = "r-1",
            TimeToLive = TimeSpan.FromHours(1),
            ApplicationProperties =
            {
                ["text"] = "ä", ["number"] = 5, ["large"] = 1L << 40, ["fraction"] = 1.5, ["yes"] = true,
                ["when"] = DateTimeOffset.UnixEpoch, ["id"] = Guid.Empty, ["for"] = TimeSpan.FromSeconds(1),
            },
        });

        var message = await ReceiveAsync(queue.Receiver());

        Assert.Equal(
            ("{}", "m-1", "OrderPlaced", "application/json", "c-1", "p", "answers", "you"),
            (message.Body.ToString(), message.MessageId, message.Subject, message.ContentType, message.CorrelationId, message.PartitionKey, message.ReplyTo, message.To));
        Assert.Equal(("r-1", TimeSpan.FromHours(1)), (message.ReplyToSessionId, message.TimeToLive));
        Assert.Equal(
            [
                ("text", "ä"), ("number", 5), ("large", 1L << 40), ("fraction", 1.5), ("yes", true),
                ("when", DateTimeOffset.UnixEpoch), ("id", Guid.Empty), ("for", TimeSpan.FromSeconds(1)),
            ],
            message.ApplicationProperties.Select(each => (each.Key, each.Value)));
        Assert.Equal((1, 1, ServiceBusMessageState.Active), (message.SequenceNumber, message.DeliveryCount, message.State));
        Assert.InRange(DateTimeOffset.UtcNow - message.EnqueuedTime, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(1));
        Assert.InRange(message.LockedUntil - message.EnqueuedTime, TimeSpan.FromSeconds(59), TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Gets_the_messages_of_batches_in_the_order_they_were_sent()
    {
        await using var queue = await QueueAsync();
        for (var batchNumber = 0; batchNumber < 3; batchNumber++)
        {
            using var batch = await queue.Sender.CreateMessageBatchAsync();
            for (var i = 0; i < 100; i++) Assert.True(batch.TryAddMessage(new($"{(100 * batchNumber) + i}")));
            await queue.Sender.SendMessagesAsync(batch);
        }

        var messages = await ReceiveAsync(queue.Receiver(), 300);

        Assert.Equal(Enumerable.Range(0, 300).Select(each => $"{each}"), Bodies(messages));
    }

    [Fact]
    public async Task Waits_for_a_message_that_comes_later()
    {
        await using var queue = await QueueAsync();
        var coming = ReceiveAsync(queue.Receiver());

        await queue.SendAsync("late");

        Assert.Equal("late", (await coming).Body.ToString());
    }

    [Fact]
    public async Task Gets_nothing_from_an_empty_queue_without_an_error()
    {
        await using var queue = await QueueAsync();
        await NothingComesAsync(queue.Receiver());
    }

    [Fact]
    public async Task Has_a_completed_message_gone_for_good()
    {
        await using var queue = await QueueAsync();
        await queue.SendAsync("a");
        var receiver = queue.Receiver();

        await receiver.CompleteMessageAsync(await ReceiveAsync(receiver));

        Assert.Equal(new(0, 0, 0, 0), await queue.CountsAsync());
    }

    [Fact]
    public async Task That_deletes_on_receipt_leaves_nothing_behind()
    {
        await using var queue = await QueueAsync();
        await queue.SendAsync("a", "b");

        var messages = await ReceiveAsync(queue.Receiver(new() { ReceiveMode = ServiceBusReceiveMode.ReceiveAndDelete }), 2);

        Assert.Equal(["a", "b"], Bodies(messages));
        Assert.Equal(new(0, 0, 0, 0), await queue.CountsAsync());
    }

    [Fact]
    public async Task That_fetches_ahead_gets_each_message_once_in_order()
    {
        await using var queue = await QueueAsync();
        await queue.SendAsync(Enumerable.Range(0, 500).Select(each => $"{each}"));
        var receiver = queue.Receiver(new() { PrefetchCount = 100 });

        // the client fetches on as messages are settled, not as they are received
        var bodies = new List<string>();
        while (bodies.Count < 500)
        {
            var message = await ReceiveAsync(receiver);
            bodies.Add(message.Body.ToString());
            await receiver.CompleteMessageAsync(message);
        }

        Assert.Equal(Enumerable.Range(0, 500).Select(each => $"{each}"), bodies);
        Assert.Equal(new(0, 0, 0, 0), await queue.CountsAsync());
    }

    [Fact]
    public async Task Of_an_unknown_entity_or_of_the_wrong_kind_is_told_so()
    {
        await using var queue = await QueueAsync();
        await using var topic = await TopicAsync();

        await FailsAsync(
            ServiceBusFailureReason.MessagingEntityNotFound, () => queue.Client.CreateReceiver("nowhere").ReceiveMessageAsync());
        await FailsAsync(
            ServiceBusFailureReason.MessagingEntityNotFound, () => queue.Client.CreateReceiver(topic.Name, "other").ReceiveMessageAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => topic.Receiver().ReceiveMessageAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => queue.Client.AcceptNextSessionAsync(queue.Name));
    }

    [Fact]
    public async Task Peeks_in_order_without_locking_and_sees_what_is_locked_deferred_or_scheduled()
    {
        await using var queue = await QueueAsync();
        await queue.SendAsync("locked", "deferred", "active");
        var receiver = queue.Receiver();
        var messages = await ReceiveAsync(receiver, 2);
        await receiver.DeferMessageAsync(messages[1]);
        await queue.Sender.ScheduleMessageAsync(new("scheduled"), DateTimeOffset.UtcNow.AddHours(1));

        var first = await receiver.PeekMessagesAsync(2);
        var rest = await receiver.PeekMessagesAsync(10);

        Assert.Equal(
            [
                ("locked", ServiceBusMessageState.Active), ("deferred", ServiceBusMessageState.Deferred),
                ("active", ServiceBusMessageState.Active), ("scheduled", ServiceBusMessageState.Scheduled),
            ],
            first.Concat(rest).Select(each => (each.Body.ToString(), each.State)));
        Assert.Equal("active", (await ReceiveAsync(receiver)).Body.ToString());
    }
}
