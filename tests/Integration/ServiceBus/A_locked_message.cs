using Azure.Messaging.ServiceBus;
using static Outpost.Tests.Integration.ServiceBus.BusEntity;

namespace Outpost.Tests.Integration.ServiceBus;

public sealed class A_locked_message
{
    private static readonly object ShortLock = new { LockDuration = "PT2S" };

    [Fact]
    public async Task Comes_back_to_its_place_when_abandoned_counted_and_changed_as_asked()
    {
        await using var queue = await QueueAsync();
        await queue.Sender.SendMessagesAsync([new("a") { ApplicationProperties = { ["kept"] = 1, ["changed"] = "no" } }, new("b")]);
        var receiver = queue.Receiver();

        var first = await ReceiveAsync(receiver);
        await receiver.AbandonMessageAsync(first, new Dictionary<string, object> { ["changed"] = "yes", ["added"] = 2 });
        var messages = await ReceiveAsync(receiver, 2);

        Assert.Equal(["a", "b"], Bodies(messages));
        Assert.Equal((first.SequenceNumber, 2), (messages[0].SequenceNumber, messages[0].DeliveryCount));
        Assert.Equal([("kept", 1), ("changed", "yes"), ("added", 2)], messages[0].ApplicationProperties.Select(each => (each.Key, each.Value)));
    }

    [Fact]
    public async Task Comes_back_by_itself_when_its_lock_has_expired_and_who_settles_late_is_told()
    {
        await using var queue = await QueueAsync(ShortLock);
        await queue.SendAsync("a");
        var receiver = queue.Receiver();

        var first = await ReceiveAsync(receiver);
        var again = await ReceiveAsync(receiver);

        Assert.Equal(2, again.DeliveryCount);
        await FailsAsync(ServiceBusFailureReason.MessageLockLost, () => receiver.CompleteMessageAsync(first));
        await receiver.CompleteMessageAsync(again);
    }

    [Fact]
    public async Task Stays_locked_for_longer_when_its_lock_is_renewed_and_not_once_it_is_settled()
    {
        await using var queue = await QueueAsync();
        await queue.SendAsync("a");
        var receiver = queue.Receiver();
        var message = await ReceiveAsync(receiver);
        var before = message.LockedUntil;

        await receiver.RenewMessageLockAsync(message);

        Assert.True(message.LockedUntil > before, $"{message.LockedUntil:O} is not after {before:O}");
        await receiver.CompleteMessageAsync(message);
        await FailsAsync(ServiceBusFailureReason.MessageLockLost, () => receiver.RenewMessageLockAsync(message));
    }

    [Fact]
    public async Task Goes_to_the_dead_letter_queue_after_its_last_delivery()
    {
        await using var queue = await QueueAsync(new { MaxDeliveryCount = 3 });
        await queue.Sender.SendMessageAsync(new("poison") { MessageId = "p" });
        var receiver = queue.Receiver();

        for (var delivery = 1; delivery <= 3; delivery++)
        {
            var message = await ReceiveAsync(receiver);
            Assert.Equal(delivery, message.DeliveryCount);
            await receiver.AbandonMessageAsync(message);
        }

        var dead = await ReceiveAsync(queue.DeadLetters());
        Assert.Equal(
            ("p", "MaxDeliveryCountExceeded", "Message could not be consumed after 3 delivery attempts.", queue.Name),
            (dead.MessageId, dead.DeadLetterReason, dead.DeadLetterErrorDescription, dead.DeadLetterSource));
    }

    [Fact]
    public async Task Is_dead_lettered_with_reason_description_and_changes_and_completed_there()
    {
        await using var topic = await TopicAsync(new { });
        await topic.Sender.SendMessageAsync(new("bad") { ApplicationProperties = { ["kept"] = "x" } });
        var receiver = topic.Receiver();

        await receiver.DeadLetterMessageAsync(
            await ReceiveAsync(receiver), new Dictionary<string, object> { ["extra"] = "e" }, "Invalid", "no lines");
        var letters = topic.DeadLetters();
        var dead = await ReceiveAsync(letters);

        Assert.Equal(
            ("Invalid", "no lines", $"{topic.Name}/Subscriptions/orders"),
            (dead.DeadLetterReason, dead.DeadLetterErrorDescription, dead.DeadLetterSource));
        Assert.Equal(("x", "e"), (dead.ApplicationProperties["kept"], dead.ApplicationProperties["extra"]));
        await letters.CompleteMessageAsync(dead);
        Assert.Equal(new(0, 0, 0, 0), await topic.CountsAsync());
    }

    [Fact]
    public async Task Is_received_by_its_number_only_once_deferred_and_can_then_be_settled()
    {
        await using var queue = await QueueAsync();
        await queue.SendAsync("later", "now");
        var receiver = queue.Receiver();
        var message = await ReceiveAsync(receiver);

        await receiver.DeferMessageAsync(message, new Dictionary<string, object> { ["why"] = "not yet" });

        Assert.Equal("now", (await ReceiveAsync(receiver)).Body.ToString());
        var deferred = await receiver.ReceiveDeferredMessageAsync(message.SequenceNumber);
        Assert.Equal(
            ("later", "not yet", ServiceBusMessageState.Deferred),
            (deferred.Body.ToString(), deferred.ApplicationProperties["why"], deferred.State));
        await receiver.AbandonMessageAsync(deferred);
        deferred = await receiver.ReceiveDeferredMessageAsync(message.SequenceNumber);
        Assert.Equal(2, deferred.DeliveryCount);
        await receiver.RenewMessageLockAsync(deferred);
        await receiver.CompleteMessageAsync(deferred);
        Assert.Equal(new(0, 1, 0, 0), await queue.CountsAsync());
        await FailsAsync(
            ServiceBusFailureReason.MessageNotFound, () => receiver.ReceiveDeferredMessageAsync(message.SequenceNumber));
    }

    [Fact]
    public async Task Of_a_closed_receiver_can_be_settled_by_another()
    {
        await using var queue = await QueueAsync();
        await queue.SendAsync("a");
        var message = await ReceiveAsync(queue.Receiver());
        await using var client = await ClientAsync();

        await client.CreateReceiver(queue.Name).CompleteMessageAsync(message);

        Assert.Equal(new(0, 0, 0, 0), await queue.CountsAsync());
    }
}
