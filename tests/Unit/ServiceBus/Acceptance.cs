using System.Reflection;
using Microsoft.Azure.Amqp;
using Microsoft.Azure.Amqp.Framing;
using Outpost.ServiceBus;

namespace Outpost.Tests.Unit.ServiceBus;

/// <summary>Promise 4: whose word an acceptance is, once the client has reported one.</summary>
public sealed class Acceptance
{
    [Fact]
    public void Is_the_brokers_when_its_answer_was_read_from_the_wire() => Assert.True(IsBelieved(new Accepted()));

    // The constant is what the library writes without having read an answer.
    [Fact]
    public void Is_not_the_brokers_when_the_library_made_it_up() => Assert.False(IsBelieved(AmqpConstants.AcceptedOutcome));

    [Fact]
    public void Is_not_the_brokers_when_the_answer_says_otherwise()
    {
        Assert.False(IsBelieved(new Rejected()));
        Assert.False(IsBelieved(new Released()));
        Assert.False(IsBelieved(new Modified()));
    }

    [Fact]
    public void Is_not_the_brokers_while_no_answer_is_known() => Assert.False(IsBelieved(null));

    [Fact]
    public void Is_not_the_brokers_when_the_answer_came_before_the_delivery_could_be_found()
    {
        using var send = OvertakenAnswers.Expect(Guid.NewGuid().ToString());
        send.Found(null);

        Assert.False(send.IsAcceptedByBroker);
    }

    // A newer version of the library may move them, and then the client's word would be all there is.
    [Theory]
    [InlineData("syncRoot", typeof(object))]
    [InlineData("unsettledMap", typeof(Dictionary<ArraySegment<byte>, Microsoft.Azure.Amqp.Delivery>))]
    public void Can_be_told_as_long_as_a_link_keeps_its_deliveries_in(string field, Type type) =>
        Assert.Equal(type, typeof(AmqpLink).GetField(field, BindingFlags.Instance | BindingFlags.NonPublic)?.FieldType);

    private static bool IsBelieved(DeliveryState? state)
    {
        using var send = OvertakenAnswers.Expect(Guid.NewGuid().ToString());
        using var delivery = AmqpMessage.Create(new Data { Value = new ArraySegment<byte>([1]) });
        delivery.State = state;
        send.Found(delivery);
        return send.IsAcceptedByBroker;
    }
}
