using Azure.Messaging.ServiceBus;
using static Outpost.Tests.Integration.ServiceBus.BusEntity;

namespace Outpost.Tests.Integration.ServiceBus;

public sealed class A_session
{
    private static readonly object ShortLock = new { RequiresSession = true, LockDuration = "PT2S" };

    [Fact]
    public async Task Hands_out_its_own_messages_in_order_and_no_others()
    {
        await using var topic = await TopicAsync();
        await topic.SendToSessionsAsync("a:1", "b:2", "a:3", "b:4", "a:5");

        await using var session = await topic.AcceptAsync("a");
        var messages = await ReceiveAsync(session, 3);

        Assert.Equal(["1", "3", "5"], Bodies(messages));
        Assert.Equal("a", session.SessionId);
        await NothingComesAsync(session);
        foreach (var message in messages) await session.CompleteMessageAsync(message);
    }

    [Fact]
    public async Task That_is_next_is_the_one_waiting_longest_that_nobody_holds()
    {
        await using var topic = await TopicAsync();
        await topic.SendToSessionsAsync("a:1", "b:2", "a:3");

        await using var first = await topic.AcceptNextAsync();
        await using var second = await topic.AcceptNextAsync();

        Assert.Equal(("a", "b"), (first.SessionId, second.SessionId));
    }

    [Fact]
    public async Task Gets_messages_that_arrive_while_it_is_held()
    {
        await using var topic = await TopicAsync();
        await using var session = await topic.AcceptAsync("a");
        var coming = ReceiveAsync(session, 2);

        await topic.SendToSessionsAsync("b:other", "a:1", "a:2");

        Assert.Equal(["1", "2"], Bodies(await coming));
    }

    [Fact]
    public async Task Returns_an_abandoned_message_to_its_place_before_later_ones()
    {
        await using var topic = await TopicAsync();
        await topic.SendToSessionsAsync("a:1", "a:2", "a:3");
        await using var session = await topic.AcceptAsync("a");

        await session.AbandonMessageAsync(await ReceiveAsync(session));

        Assert.Equal(["1", "2", "3"], Bodies(await ReceiveAsync(session, 3)));
    }

    [Fact]
    public async Task Has_one_holder_until_it_is_closed_and_closing_is_no_failed_delivery()
    {
        await using var topic = await TopicAsync();
        await topic.SendToSessionsAsync("a:1");
        var session = await topic.AcceptAsync("a");
        await ReceiveAsync(session);

        await FailsAsync(ServiceBusFailureReason.SessionCannotBeLocked, () => topic.AcceptAsync("a"));
        await session.CloseAsync();

        await using var again = await topic.AcceptAsync("a");
        Assert.Equal(1, (await ReceiveAsync(again)).DeliveryCount);
    }

    [Fact]
    public async Task Is_lost_when_its_lock_expires_and_its_messages_come_back_counted()
    {
        await using var topic = await TopicAsync(ShortLock);
        await topic.SendToSessionsAsync("a:1");
        await using var session = await topic.AcceptAsync("a");
        var message = await ReceiveAsync(session);

        await using var next = await topic.AcceptNextAsync(); // had as soon as the lock has expired

        await IsLostAsync(() => session.CompleteMessageAsync(message));
        await IsLostAsync(() => session.RenewSessionLockAsync());
        await IsLostAsync(() => session.SetSessionStateAsync(new("x")));
        Assert.Equal(2, (await ReceiveAsync(next)).DeliveryCount);
    }

    [Fact]
    public async Task Stays_held_for_longer_when_its_lock_is_renewed()
    {
        await using var topic = await TopicAsync();
        await topic.SendToSessionsAsync("a:1");
        await using var session = await topic.AcceptAsync("a");
        var message = await ReceiveAsync(session);
        var before = session.SessionLockedUntil;

        await session.RenewSessionLockAsync();

        Assert.True(session.SessionLockedUntil > before, $"{session.SessionLockedUntil:O} is not after {before:O}");
        await session.CompleteMessageAsync(message);
    }

    [Fact]
    public async Task Keeps_its_state_from_one_holder_to_the_next()
    {
        await using var topic = await TopicAsync();
        await using (var first = await topic.AcceptAsync("a"))
        {
            Assert.Null(await first.GetSessionStateAsync());
            await first.SetSessionStateAsync(BinaryData.FromString("{\"step\":2}"));
        }

        await using var second = await topic.AcceptAsync("a");

        Assert.Equal("{\"step\":2}", (await second.GetSessionStateAsync()).ToString());
        await second.SetSessionStateAsync(null);
        Assert.Null(await second.GetSessionStateAsync());
    }

    [Fact]
    public async Task Can_defer_a_message_and_take_it_back_by_number_and_peek()
    {
        await using var topic = await TopicAsync();
        await topic.SendToSessionsAsync("a:later", "a:now", "b:other");
        await using var session = await topic.AcceptAsync("a");
        var message = await ReceiveAsync(session);
        await session.DeferMessageAsync(message);

        Assert.Equal(["later", "now"], Bodies(await session.PeekMessagesAsync(10)));
        Assert.Equal("now", (await ReceiveAsync(session)).Body.ToString());
        await session.CompleteMessageAsync(await session.ReceiveDeferredMessageAsync(message.SequenceNumber));
    }

    [Fact]
    public async Task Can_dead_letter_a_message()
    {
        await using var topic = await TopicAsync();
        await topic.SendToSessionsAsync("a:bad", "a:good");
        await using var session = await topic.AcceptAsync("a");

        await session.DeadLetterMessageAsync(await ReceiveAsync(session), "Invalid");

        Assert.Equal("good", (await ReceiveAsync(session)).Body.ToString());
        var dead = await ReceiveAsync(topic.DeadLetters());
        Assert.Equal(("bad", "Invalid", "a"), (dead.Body.ToString(), dead.DeadLetterReason, dead.SessionId));
    }

    [Fact]
    public async Task Is_waited_for_until_a_message_for_one_arrives()
    {
        await using var topic = await TopicAsync();
        var waiting = topic.AcceptNextAsync();

        await topic.SendToSessionsAsync("late:1");

        await using var session = await waiting;
        Assert.Equal("late", session.SessionId);
    }

    [Fact]
    public async Task That_nobody_has_messages_for_is_a_timeout()
    {
        await using var topic = await TopicAsync();
        await using var impatient = await ClientAsync(TimeSpan.FromSeconds(1));

        await FailsAsync(
            ServiceBusFailureReason.ServiceTimeout, () => impatient.AcceptNextSessionAsync(topic.Name, topic.Subscription));
    }

    [Fact]
    public async Task Is_required_so_a_message_without_one_is_dead_lettered_or_refused_by_a_queue()
    {
        await using var topic = await TopicAsync();
        await topic.SendAsync("stray");
        Assert.Equal("Session ID is null.", (await ReceiveAsync(topic.DeadLetters())).DeadLetterReason);

        await using var queue = await QueueAsync(new { RequiresSession = true });
        await Assert.ThrowsAsync<InvalidOperationException>(() => queue.SendAsync("stray"));
    }

    /// <summary>The client closes a receiver once it has heard that its session is lost; until then it is told.</summary>
    private static async Task IsLostAsync(Func<Task> action)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(action);
        Assert.True(
            failure is ObjectDisposedException or ServiceBusException { Reason: ServiceBusFailureReason.SessionLockLost },
            failure.ToString());
    }
}
