using Azure.Messaging.ServiceBus;

namespace Outpost.Tests.Unit.StandIns;

/// <summary>What may be set on a message, and where the client refuses it.</summary>
public sealed class ServiceBusMessageRules
{
    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public void A_message_id_is_not_empty(string? id) =>
        Assert.ThrowsAny<ArgumentException>(() => new ServiceBusMessage { MessageId = id });

    [Fact]
    public void Ids_and_keys_have_at_most_128_characters()
    {
        var longest = new string('x', 128);
        var message = new ServiceBusMessage { MessageId = longest, SessionId = longest, ReplyToSessionId = longest };
        message.PartitionKey = longest;

        Assert.Throws<ArgumentOutOfRangeException>(() => message.MessageId = longest + "x");
        Assert.Throws<ArgumentOutOfRangeException>(() => message.SessionId = longest + "x");
        Assert.Throws<ArgumentOutOfRangeException>(() => message.ReplyToSessionId = longest + "x");
        Assert.Throws<ArgumentOutOfRangeException>(() => new ServiceBusMessage { PartitionKey = longest + "x" });
        Assert.Equal(longest, message.MessageId);
    }

    [Fact]
    public void A_partition_key_cannot_differ_from_the_session()
    {
        var message = new ServiceBusMessage { SessionId = "s", PartitionKey = "s" };

        Assert.Throws<ArgumentOutOfRangeException>(() => message.PartitionKey = "other");
    }

    [Fact]
    public void A_session_set_later_replaces_the_partition_key()
    {
        var message = new ServiceBusMessage { PartitionKey = "p" };
        message.SessionId = "s";

        Assert.Equal("s", message.PartitionKey);
        Assert.Null(new ServiceBusMessage { SessionId = "s" }.PartitionKey);
    }

    [Fact]
    public void A_time_to_live_is_positive_and_unlimited_unless_set()
    {
        var message = new ServiceBusMessage();

        Assert.Equal(TimeSpan.MaxValue, message.TimeToLive);
        Assert.Throws<ArgumentOutOfRangeException>(() => message.TimeToLive = TimeSpan.Zero);
    }

    [Fact]
    public void A_text_body_is_utf8()
    {
        Assert.Equal("é"u8.ToArray(), new ServiceBusMessage("é").Body.ToArray());
        Assert.Empty(new ServiceBusMessage().Body.ToArray());
    }
}
