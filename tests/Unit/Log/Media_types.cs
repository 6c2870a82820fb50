using System.Text;

namespace Outpost.Tests.Unit.Log;

public sealed class Media_types
{
    [Theory]
    [InlineData("application/json", true, false)]
    [InlineData("application/json; charset=utf-8", true, false)]
    [InlineData("APPLICATION/JSON", true, false)]
    [InlineData("application/vnd.acme.order+json", true, false)]
    [InlineData("application/vnd.acme.order+json;v=1", true, false)]
    [InlineData("text/json", true, true)]
    [InlineData("text/plain", false, true)]
    [InlineData(" text/plain ; charset=utf-8", false, true)]
    [InlineData("application/octet-stream", false, false)]
    [InlineData("application/jsonl", false, false)]
    [InlineData("application/octet-stream; note=application/json", false, false)]
    [InlineData("json", false, false)]
    public void Say_whether_a_payload_is_JSON_or_text(string contentType, bool isJson, bool isText)
    {
        Assert.Equal(isJson, MediaType.IsJson(contentType));
        Assert.Equal(isText, MediaType.IsText(contentType));
    }

    [Fact]
    public void Of_text_give_the_text() => Assert.Equal("grün 😀", MediaType.TextOrNull("text/plain", "grün 😀"u8));

    [Fact]
    public void Of_text_keep_a_byte_order_mark()
    {
        byte[] payload = [0xEF, 0xBB, 0xBF, (byte)'a'];

        Assert.Equal(payload, Encoding.UTF8.GetBytes(MediaType.TextOrNull("text/plain", payload)!));
    }

    [Fact]
    public void Of_bytes_give_no_text() => Assert.Null(MediaType.TextOrNull("application/octet-stream", "abc"u8));

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE })]
    [InlineData(new byte[] { (byte)'a', 0xC3 })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    public void Give_no_text_where_bytes_are_not_UTF_8(byte[] payload) => Assert.Null(MediaType.TextOrNull("text/plain", payload));
}
