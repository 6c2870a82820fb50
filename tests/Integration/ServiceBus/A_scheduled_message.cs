using Azure.Messaging.ServiceBus;
using static Outpost.Tests.Integration.ServiceBus.BusEntity;

namespace Outpost.Tests.Integration.ServiceBus;

public sealed class A_scheduled_message
{
    [Fact]
    public async Task Comes_when_it_is_due_and_not_before()
    {
        await using var queue = await QueueAsync();
        var due = DateTimeOffset.UtcNow.AddSeconds(1.5);
        await queue.Sender.ScheduleMessagesAsync([new("a"), new("b")], due);
        await queue.Sender.SendMessageAsync(new("c") { ScheduledEnqueueTime = due });
        await queue.SendAsync("now");
        var receiver = queue.Receiver();

        Assert.Equal("now", (await ReceiveAsync(receiver)).Body.ToString());
        var later = await ReceiveAsync(receiver, 3);

        Assert.Equal(["a", "b", "c"], Bodies(later));
        Assert.All(later, message => Assert.True(message.EnqueuedTime >= due.AddMilliseconds(-1), $"{message.EnqueuedTime:O}"));
    }

    [Fact]
    public async Task Never_comes_when_cancelled_and_is_not_found_then()
    {
        await using var queue = await QueueAsync();
        var due = DateTimeOffset.UtcNow.AddSeconds(1);
        var number = await queue.Sender.ScheduleMessageAsync(new("never"), due);
        await queue.Sender.ScheduleMessageAsync(new("this"), due);

        await queue.Sender.CancelScheduledMessageAsync(number);

        await FailsAsync(ServiceBusFailureReason.MessageNotFound, () => queue.Sender.CancelScheduledMessageAsync(number));
        var receiver = queue.Receiver();
        Assert.Equal("this", (await ReceiveAsync(receiver)).Body.ToString());
        await NothingComesAsync(receiver);
    }

    [Fact]
    public async Task To_a_topic_reaches_its_subscription()
    {
        await using var topic = await TopicAsync();
        await topic.Sender.ScheduleMessageAsync(new("a") { SessionId = "s" }, DateTimeOffset.UtcNow.AddMilliseconds(500));

        await using var session = await topic.AcceptNextAsync();

        Assert.Equal("a", (await ReceiveAsync(session)).Body.ToString());
    }
}
