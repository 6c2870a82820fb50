using System.Text;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class Json_bodies
{
    private const int Max = 100;

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/json;charset=UTF-8")]
    [InlineData("Application/JSON")]
    [InlineData("application/vnd.acme+json")]
    [InlineData("text/json")]
    public async Task Can_have_any_JSON_media_type_in_UTF_8(string contentType)
    {
        var (body, _) = await ReadAsync("{\"a\":1}", contentType);

        Assert.Equal(1, body!.Root.GetProperty("a").GetInt32());
        Assert.Equal("{\"a\":1}"u8, body.Bytes);
    }

    [Fact]
    public async Task Can_have_a_charset_in_quotes() =>
        Assert.NotNull((await ReadAsync("{}", "application/json; charset=\"utf-8\"")).Body);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=iso-8859-1")]
    [InlineData("json")]
    public async Task Of_another_media_type_are_refused(string? contentType)
    {
        var (body, problem) = await ReadAsync("{}", contentType);

        Assert.Null(body);
        Assert.Equal((415, "unsupported-media-type"), (problem!.Status, problem.Name));
    }

    [Theory]
    [InlineData("", "nothing")]
    [InlineData("{", "half an object")]
    [InlineData("{} x", "something after it")]
    [InlineData("{\"a\":1,}", "a comma too many")]
    [InlineData("// hello\n{}", "a comment")]
    [InlineData("{\"a\":1,\"a\":2}", "a member twice")]
    [InlineData("{\"a\":{\"b\":1,\"b\":1}}", "a member twice further in")]
    [InlineData("{\"a\":1,\"\\u0061\":2}", "a member twice in another spelling")]
    [InlineData("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "17 levels")]
    [InlineData("\uFEFF{}", "a byte order mark")]
    [InlineData("NaN", "no JSON at all")]
    public async Task That_are_not_valid_are_refused(string json, string why)
    {
        var (body, problem) = await ReadAsync(json);

        Assert.True(body is null, why);
        Assert.Equal((400, "invalid-request", why), (problem!.Status, problem.Name, why));
        Assert.Matches("^The body (is not valid JSON: see line 1, byte [0-9]+|has the member '[ab]' twice in one object|is nested more than 16 deep).$", problem.Detail);
    }

    [Fact]
    public async Task That_are_not_UTF_8_are_refused()
    {
        var request = Request("POST", "/api/orders", Encoding.Latin1.GetBytes("{\"reason\":\"trop grand: \u00e9\"}"));
        request.ContentType = "application/json";

        var (body, problem) = await JsonBody.ReadAsync(request, Max, optional: false, CancellationToken.None);

        Assert.Null(body);
        Assert.Equal((400, "The body is not valid UTF-8."), (problem!.Status, problem.Detail));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("1")]
    [InlineData("\"{}\"")]
    public async Task That_are_no_objects_are_refused(string json)
    {
        var (body, problem) = await ReadAsync(json);

        Assert.Null(body);
        Assert.Equal((400, "The body must be a JSON object."), (problem!.Status, problem.Detail));
    }

    [Fact]
    public async Task Can_be_missing_where_that_is_allowed()
    {
        var (body, _) = await ReadAsync("", contentType: null, optional: true);

        Assert.Empty(body!.Bytes);
        Assert.Null(new JsonFields(body.Root).Problem());
        Assert.Equal(415, (await ReadAsync("{}", contentType: null, optional: true)).Problem!.Status);
    }

    [Fact]
    public async Task Can_be_as_long_as_allowed()
    {
        var (body, _) = await ReadAsync("{}" + new string(' ', Max - 2));

        Assert.Equal(Max, body!.Bytes.Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task That_are_too_long_are_refused_whether_they_say_so_or_not(bool saysSo)
    {
        var request = Request("POST", "/api/orders", Encoding.UTF8.GetBytes("{}" + new string(' ', Max - 1)), ("Content-Type", "application/json"));
        if (!saysSo) request.ContentLength = null;

        var (body, problem) = await JsonBody.ReadAsync(request, Max, optional: false, CancellationToken.None);

        Assert.Null(body);
        var answer = await AnswerAsync(request, problem!);
        Assert.Equal((413, "too-large", Max), (answer.Status, answer.ProblemName, answer.Json.GetProperty("maxBytes").GetInt32()));
    }

    [Fact]
    public async Task That_never_end_are_read_no_further_than_allowed()
    {
        var request = Request("POST", "/api/orders", [], ("Content-Type", "application/json"));
        using var endless = new Endless();
        (request.Body, request.ContentLength) = (endless, null);

        var (_, problem) = await JsonBody.ReadAsync(request, Max, optional: false, CancellationToken.None);

        Assert.Equal((413, Max + 1L), (problem!.Status, endless.Position));
    }

    [Theory]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("{\"\\ud800\":1,\"\\udfff\":1}")]
    public async Task With_a_member_whose_name_is_no_text_are_refused(string json)
    {
        var (body, problem) = await ReadAsync(json);

        Assert.Equal(400, (problem ?? new JsonFields(body!.Root).Problem())!.Status);
    }

    private static Task<(JsonBody? Body, Problem? Problem)> ReadAsync(string json, string? contentType = "application/json", bool optional = false)
    {
        var request = Request("POST", "/api/orders", Encoding.UTF8.GetBytes(json));
        if (contentType is not null) request.ContentType = contentType;
        return JsonBody.ReadAsync(request, Max, optional, CancellationToken.None);
    }

    private sealed class Endless : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            Array.Fill(buffer, (byte)' ', offset, count);
            Position += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
