namespace Outpost.Tests.Unit.Log;

public sealed class New_events
{
    [Fact]
    public void Take_any_payload_that_is_not_JSON()
    {
        byte[] payload = [0xFF, 0, 1];

        var @event = new NewEvent("Measured", "application/octet-stream", payload);

        Assert.Equal(("Measured", "application/octet-stream"), (@event.Type, @event.ContentType));
        Assert.Equal(payload, @event.Payload.ToArray());
    }

    // A forwarder reads what was committed a moment ago from memory.
    [Fact]
    public void Keep_their_payload_although_the_array_it_came_in_is_used_again()
    {
        byte[] payload = [1, 2];
        var @event = new NewEvent("Measured", "application/octet-stream", payload);

        payload[0] = 9;

        Assert.Equal([1, 2], @event.Payload.ToArray());
    }

    [Theory]
    [InlineData("", "nothing")]
    [InlineData("{", "half an object")]
    [InlineData("{} {}", "two values")]
    [InlineData("\uFEFF{}", "a byte order mark")]
    public void Refuse_a_JSON_payload_that_is_no_JSON(string payload, string why)
    {
        var refused = Assert.Throws<ArgumentException>(
            () => new NewEvent("Measured", "application/json", System.Text.Encoding.UTF8.GetBytes(payload)));

        Assert.True(refused.ParamName == "payload", why);
    }

    [Theory]
    [InlineData("text/plain\r\nX-Other: 1")]
    [InlineData("no media type")]
    public void Refuse_a_content_type_that_is_none(string contentType) =>
        Assert.Throws<ArgumentException>(() => new NewEvent("Measured", contentType, default));

    [Theory]
    [InlineData(0)]
    [InlineData(513)]
    public void Refuse_a_type_or_content_type_that_is_empty_or_too_long(int length)
    {
        var text = new string('a', length);

        Assert.Equal("type", Assert.Throws<ArgumentException>(() => new NewEvent(text, "text/plain", default)).ParamName);
        Assert.Equal("contentType", Assert.Throws<ArgumentException>(() => new NewEvent("Measured", text, default)).ParamName);
    }
}
