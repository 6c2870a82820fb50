using Outpost.RabbitMQ;

namespace Outpost.Tests.Unit.Rabbits;

public sealed class Messages_for_RabbitMQ
{
    private static readonly EventEntry Entry = new(
        new EventId("k3v9x2ab", 3, 41), "OrderPlaced", "application/json", "{}"u8.ToArray(), DateTimeOffset.UnixEpoch.AddDays(1), "order/o-1", 2, null, null);

    // AMQP 0.9.1 has 255 bytes for a property or routing key; the log lets names be longer.
    [Fact]
    public void Carry_what_is_too_long_for_a_property_in_a_header()
    {
        var text = new string('é', 200);
        var properties = MessageMapping.ToProperties(Entry with { Type = text, ContentType = $"text/{text}", CorrelationId = text }, "/outpost");

        Assert.Equal((null, null, null), (properties.Type, properties.ContentType, properties.CorrelationId));
        Assert.Equal(text, properties.Headers!["cloudEvents:type"]);
        Assert.Equal($"text/{text}", properties.Headers["cloudEvents:datacontenttype"]);
        Assert.Equal(text, properties.Headers["cloudEvents:correlationid"]);
    }

    [Theory]
    [InlineData(RoutingKey.Type)]
    [InlineData(RoutingKey.Subject)]
    public void Are_routed_by_a_hash_where_the_key_would_be_too_long(RoutingKey by)
    {
        var text = new string('x', 256);

        var key = MessageMapping.RoutingKeyOf(Entry with { Type = text, Subject = text }, by);

        Assert.Matches("^[0-9a-f]{64}$", key);
    }

    [Theory]
    [InlineData(30, 29, "86400000")]
    [InlineData(30, 40, "60000")]
    [InlineData(30, -1, "2592000000")]
    public void That_are_references_live_as_long_as_the_payload(int keptDays, int ageDays, string expiration)
    {
        var options = new RabbitMQOptions { Uri = new Uri("amqp://x"), PayloadsKeptFor = TimeSpan.FromDays(keptDays), PublicUrl = "https://app.example" };

        var properties = MessageMapping.ToReference(Entry, options, Entry.Timestamp.AddDays(ageDays), "r1");

        Assert.Equal(expiration, properties.Expiration);
        Assert.Equal("https://app.example/api/events/k3v9x2ab-0003-0000000000000000041/data", properties.Headers!["cloudEvents:dataref"]);
        Assert.Equal(("k3v9x2ab-0003-0000000000000000041~r1", "r1"), (properties.MessageId, properties.Headers["replay"]));
    }
}
