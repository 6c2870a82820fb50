using Azure.Messaging.ServiceBus;
using Outpost.ServiceBus;

namespace Outpost.Tests.Unit.ServiceBus;

public sealed class Messages
{
    private const string TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Fact]
    public void Carry_the_entry_as_CloudEvents_in_binary_mode()
    {
        var message = MessageMapping.ToMessage(Entry(), "/outpost");

        Assert.Equal("{\"a\":1}", message.Body.ToString());
        Assert.Equal("application/json", message.ContentType);
        Assert.Equal("k3v9x2ab-0007-0000000000000000041", message.MessageId);
        Assert.Equal("order/o-1", message.SessionId);
        Assert.Equal("OrderPlaced", message.Subject);
        Assert.Equal("corr", message.CorrelationId);
        Assert.Equal(
            new Dictionary<string, object>
            {
                ["cloudEvents:specversion"] = "1.0",
                ["cloudEvents:id"] = "k3v9x2ab-0007-0000000000000000041",
                ["cloudEvents:source"] = "/outpost",
                ["cloudEvents:type"] = "OrderPlaced",
                ["cloudEvents:subject"] = "order/o-1",
                ["cloudEvents:time"] = "2026-11-22T08:00:00.1234567Z",
                ["cloudEvents:sequence"] = "0000000000000000041",
                ["cloudEvents:partitionkey"] = "0007",
                ["cloudEvents:traceparent"] = TraceParent,
                ["traceparent"] = TraceParent,
            },
            message.ApplicationProperties.ToDictionary());
    }

    [Fact]
    public void Have_no_trace_and_no_correlation_where_the_entry_has_none()
    {
        var message = MessageMapping.ToMessage(Entry() with { TraceParent = null, CorrelationId = null }, "/outpost");

        Assert.Null(message.CorrelationId);
        Assert.DoesNotContain(message.ApplicationProperties.Keys, name => name.EndsWith("traceparent", StringComparison.Ordinal));
    }

    [Fact]
    public void Say_the_time_in_UTC_whatever_the_entry_s_offset()
    {
        var entry = Entry() with { Timestamp = new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.FromHours(2)) };

        Assert.Equal("2026-11-22T08:00:00.0000000Z", MessageMapping.ToMessage(entry, "/outpost").ApplicationProperties["cloudEvents:time"]);
    }

    [Theory]
    [InlineData("text/plain", new byte[] { (byte)'a', 0xC3, 0xBC })]
    [InlineData("application/octet-stream", new byte[] { 0, 0xFF, 0xFE })]
    [InlineData("application/octet-stream", new byte[0])]
    public void Carry_the_payload_byte_for_byte(string contentType, byte[] payload)
    {
        var message = MessageMapping.ToMessage(Entry() with { ContentType = contentType, Payload = payload }, "/outpost");

        Assert.Equal((contentType, Convert.ToHexString(payload)), (message.ContentType, Convert.ToHexString(message.Body.ToArray())));
    }

    [Fact]
    public void Use_the_subject_as_session_as_long_as_it_fits()
    {
        var subject = "order/" + new string('x', 122);

        Assert.Equal(subject, MessageMapping.ToMessage(Entry() with { Subject = subject }, "/outpost").SessionId);
    }

    [Fact]
    public void Use_the_SHA_256_of_a_subject_that_is_longer_than_a_session_id_may_be()
    {
        var subject = "order/" + new string('x', 200);

        var message = MessageMapping.ToMessage(Entry() with { Subject = subject }, "/outpost");

        // Computed with Python's hashlib.
        Assert.Equal("4f79cd53f59cac2485302b43a8eb8008ef7192baa7f6a1435b6910d61c5ee38d", message.SessionId);
        Assert.Equal(subject, message.ApplicationProperties["cloudEvents:subject"]);
    }

    [Theory]
    [InlineData(0, 7 * 24)]
    [InlineData(6 * 24, 24)]
    public void That_refer_to_a_payload_live_as_long_as_that_is_retained(int hoursOld, int hoursLeft)
    {
        var entry = Entry();

        Assert.Equal(TimeSpan.FromHours(hoursLeft), MessageMapping.TimeToLive(entry, TimeSpan.FromDays(7), entry.Timestamp + TimeSpan.FromHours(hoursOld)));
        // Older than retention, and just released: there is a moment left to read it.
        Assert.Equal(TimeSpan.FromMinutes(1), MessageMapping.TimeToLive(entry, TimeSpan.FromDays(7), entry.Timestamp + TimeSpan.FromDays(9)));
    }

    [Fact]
    public void That_are_references_have_the_payload_s_address_instead_of_the_payload()
    {
        ServiceBusMessage message = MessageMapping.ToReference(Entry(), "/outpost", "https://app.example");

        Assert.Equal(0, message.Body.ToMemory().Length);
        Assert.Equal(
            "https://app.example/api/events/k3v9x2ab-0007-0000000000000000041/data", message.ApplicationProperties["cloudEvents:dataref"]);
        Assert.Equal(
            ("application/json", "k3v9x2ab-0007-0000000000000000041", "order/o-1"), (message.ContentType, message.MessageId, message.SessionId));
    }

    [Fact]
    public void Of_the_same_entry_have_the_same_id_so_that_the_broker_drops_the_second() =>
        Assert.Equal(MessageMapping.ToMessage(Entry(), "/outpost").MessageId, MessageMapping.ToReference(Entry(), "/outpost", "http://x").MessageId);

    private static EventEntry Entry() => new(
        new EventId("k3v9x2ab", 7, 41),
        "OrderPlaced",
        "application/json",
        "{\"a\":1}"u8.ToArray(),
        new DateTimeOffset(2026, 11, 22, 8, 0, 0, TimeSpan.Zero).AddTicks(1_234_567),
        "order/o-1",
        3,
        TraceParent,
        "corr");
}
