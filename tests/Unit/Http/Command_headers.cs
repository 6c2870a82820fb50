using System.Text;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class Command_headers
{
    [Fact]
    public void Need_not_be_there()
    {
        var headers = Read().Headers!;

        Assert.Equal((null, null, null, null), (headers.Key, headers.IfMatch, headers.TraceParent, headers.CorrelationId));
    }

    [Theory]
    [InlineData("\"abc\"", "abc", "a quoted string")]
    [InlineData("abc", "abc", "a bare token")]
    [InlineData("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324", "a bare UUID")]
    [InlineData("  \"abc\"  ", "abc", "with blanks around it")]
    [InlineData("\"a b\"", "a b", "a blank inside")]
    [InlineData("\"a\\\"b\\\\c\"", "a\"b\\c", "an escaped quote and an escaped backslash")]
    [InlineData("\"a,b;c\"", "a,b;c", "separators inside")]
    public void Can_have_a_key(string header, string key, string why) =>
        Assert.Equal((key, why), (Read(("Idempotency-Key", header)).Headers?.Key, why));

    [Theory]
    [InlineData("", "empty")]
    [InlineData("\"\"", "an empty string")]
    [InlineData("\"abc", "no quote at the end")]
    [InlineData("\"", "only a quote")]
    [InlineData("abc\"", "no quote at the start")]
    [InlineData("a b", "a bare token with a blank")]
    [InlineData("a,b", "two bare tokens")]
    [InlineData("\"a\", \"b\"", "two strings")]
    [InlineData("\"a\"; p=1", "a string with parameters")]
    [InlineData("\"a\\n\"", "an escape that is none")]
    [InlineData("\"a\\\"", "a quote at the end that is escaped")]
    [InlineData("\"a\tb\"", "a control character")]
    [InlineData("\"ü\"", "a character beyond ASCII")]
    public async Task Cannot_have_a_key_that_is_none(string header, string why)
    {
        var request = Request("/api/orders", ("Idempotency-Key", header));

        var (headers, problem) = CommandHeaders.Read(request);

        Assert.True(headers is null, why);
        var answer = await AnswerAsync(request, problem!);
        Assert.Equal((400, "invalid-request"), (answer.Status, answer.ProblemName));
        Assert.StartsWith($"Idempotency-Key: '{header.Trim()}' is not allowed; ", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Can_have_a_key_of_128_characters_and_no_longer_one()
    {
        var longest = new string('k', 128);

        Assert.Equal(longest, Read(("Idempotency-Key", longest)).Headers?.Key);
        Assert.Equal(longest, Read(("Idempotency-Key", $"\"{longest}\"")).Headers?.Key);
        Assert.NotNull(Read(("Idempotency-Key", longest + "k")).Problem);
        Assert.NotNull(Read(("Idempotency-Key", $"\"{longest}k\"")).Problem);
    }

    [Fact]
    public void Cannot_have_two_keys() => Assert.NotNull(Read(("Idempotency-Key", "a"), ("Idempotency-Key", "b")).Problem);

    [Theory]
    [InlineData("\"3\"", new long[] { 3 }, "one version")]
    [InlineData("\"3\", \"4\"", new long[] { 3, 4 }, "a list")]
    [InlineData("\"3\",W/\"4\"", new long[] { 3 }, "a weak tag in the list matches nothing")]
    [InlineData("W/\"3\"", new long[] { }, "a weak tag alone")]
    [InlineData("\"abc\"", new long[] { }, "a tag that is no version")]
    [InlineData("\"\"", new long[] { }, "an empty tag")]
    [InlineData("*", null, "any version")]
    public void Can_have_versions_to_match(string header, long[]? versions, string why)
    {
        var condition = Read(("If-Match", header)).Headers?.IfMatch;

        Assert.True(condition is not null, why);
        Assert.Equal(versions, condition.Versions);
    }

    [Fact]
    public void Can_have_versions_to_match_in_several_lines() =>
        Assert.Equal([3L, 4L], Read(("If-Match", "\"3\""), ("If-Match", "\"4\"")).Headers?.IfMatch?.Versions);

    [Theory]
    [InlineData("3")]
    [InlineData("\"3")]
    [InlineData("")]
    public void Cannot_have_versions_that_are_no_entity_tags(string header)
    {
        var (headers, problem) = Read(("If-Match", header));

        Assert.Null(headers);
        Assert.StartsWith($"If-Match: '{header}' is not allowed; ", problem!.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"3\" \"4\"")]
    [InlineData("\"3\", 4")]
    public void Cannot_have_versions_that_are_partly_no_entity_tags(string header) =>
        Assert.NotNull(Read(("If-Match", header)).Problem);

    // Strong comparison is character by character (RFC 9110, 8.8.3.2): these are not the tag "3".
    [Theory]
    [InlineData("\"03\"")]
    [InlineData("\"+3\"")]
    [InlineData("\" 3\"")]
    public void Cannot_match_a_version_with_a_tag_that_only_looks_like_it(string header) =>
        Assert.False(Read(("If-Match", header)).Headers!.IfMatch!.Accepts(3));

    [Theory]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true)]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01", false)]
    [InlineData("nonsense", false)]
    [InlineData("", false)]
    public void Can_have_a_trace_parent_and_ignore_one_that_is_none(string header, bool isKept) =>
        Assert.Equal(isKept ? header : null, Read(("traceparent", header)).Headers!.TraceParent);

    [Fact]
    public void Can_have_a_correlation_id_of_up_to_128_printable_characters()
    {
        Assert.Equal("c 1", Read(("X-Correlation-Id", "c 1")).Headers?.CorrelationId);
        Assert.NotNull(Read(("X-Correlation-Id", new string('c', 128))).Headers);
        Assert.NotNull(Read(("X-Correlation-Id", new string('c', 129))).Problem);
        Assert.NotNull(Read(("X-Correlation-Id", "a\nb")).Problem);
        Assert.NotNull(Read(("X-Correlation-Id", "a"), ("X-Correlation-Id", "b")).Problem);
    }

    [Fact]
    public void Make_a_repeat_recognisable_by_scope_key_and_body()
    {
        var headers = Read(("Idempotency-Key", "k-1")).Headers!;

        // SHA-256 computed with Python's hashlib.
        Assert.Equal(
            new Idempotency("POST /orders", "k-1", "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"),
            headers.Idempotency("POST /orders", Encoding.UTF8.GetBytes("{\"a\":1}")));
        Assert.Null(Read().Headers!.Idempotency("POST /orders", default));
    }

    private static (CommandHeaders? Headers, Problem? Problem) Read(params (string, string)[] headers)
    {
        var (read, problem) = CommandHeaders.Read(Request("/api/orders", headers));
        return (read, (Problem?)problem);
    }
}
