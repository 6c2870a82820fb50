using System.Text.Json;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class Json_fields
{
    [Fact]
    public void Are_read_when_they_are_allowed()
    {
        var fields = Fields("""{"text":"ü","number":3,"price":9.2500,"lines":[{"sku":"a"},{"sku":"b"}],"none":null}""");

        Assert.Equal("ü", fields.Text("text", 1, 1));
        Assert.Equal(3, fields.Integer("number", 1, 3));
        Assert.Equal(9.25m, fields.Decimal("price", 0, 10, 4));
        Assert.Equal(["a", "b"], fields.Objects("lines", 1, 2, line => line.Text("sku", 1, 10)));
        Assert.Null(fields.OptionalText("none", 1, 10));
        Assert.Null(fields.OptionalText("missing", 1, 10));
        Assert.Null(fields.Problem());
    }

    [Theory]
    [InlineData("{}", "text: is missing; a string of 1 to 5 characters without control characters is needed.")]
    [InlineData("""{"text":""}""", "text: '\"\"' is not allowed; a string of 1 to 5 characters without control characters is.")]
    [InlineData("""{"text":"123456"}""", "text: '\"123456\"' is not allowed; a string of 1 to 5 characters without control characters is.")]
    [InlineData("""{"text":null}""", "text: 'null' is not allowed; a string of 1 to 5 characters without control characters is.")]
    [InlineData("""{"text":12}""", "text: '12' is not allowed; a string of 1 to 5 characters without control characters is.")]
    [InlineData("""{"text":"a\u0000"}""", "text: '\"a\\u0000\"' is not allowed; a string of 1 to 5 characters without control characters is.")]
    [InlineData("""{"text":"\ud800"}""", "text: '\"\\ud800\"' is not allowed; a string of 1 to 5 characters without control characters is.")]
    [InlineData("""{"text":"a","Text":"b"}""", "Text: there is no such field.")]
    public void That_are_no_text_are_refused(string json, string detail)
    {
        var fields = Fields(json);
        fields.Text("text", 1, 5);

        Assert.Equal(detail, fields.Problem()!.Detail);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("11")]
    [InlineData("1.5")]
    [InlineData("\"1\"")]
    [InlineData("99999999999")]
    [InlineData("1e400")]
    [InlineData("true")]
    public void That_are_no_whole_number_within_bounds_are_refused(string value)
    {
        var fields = Fields($$"""{"number":{{value}}}""");
        fields.Integer("number", 1, 10);

        Assert.Equal($"number: '{value}' is not allowed; a whole number from 1 to 10 is.", fields.Problem()!.Detail);
    }

    [Theory]
    [InlineData("-0.01")]
    [InlineData("10.01")]
    [InlineData("1.001")]
    [InlineData("\"1\"")]
    [InlineData("1e-3")]
    [InlineData("1e-30")]
    [InlineData("-1E-30")]
    [InlineData("9e-99999")]
    [InlineData("1e400")]
    public void That_are_no_number_within_bounds_and_decimals_are_refused(string value)
    {
        var fields = Fields($$"""{"price":{{value}}}""");
        fields.Decimal("price", 0, 10, 2);

        Assert.Equal($"price: '{value}' is not allowed; a number from 0 to 10 with at most 2 decimal places is.", fields.Problem()!.Detail);
    }

    [Theory]
    [InlineData("1.00000000000000000000000000000000001")]
    [InlineData("10000000000000000000000001e-29")]
    public void With_more_decimals_than_a_number_can_hold_are_refused(string value)
    {
        var fields = Fields($$"""{"price":{{value}}}""");
        fields.Decimal("price", 0, 10, 4);

        Assert.NotNull(fields.Problem());
    }

    [Theory]
    [InlineData("9.50", 9.5)]
    [InlineData("1e1", 10)]
    [InlineData("950E-2", 9.5)]
    [InlineData("5.0E-4", 0.0005)]
    [InlineData("0.0", 0)]
    public void That_are_numbers_are_read_in_any_notation(string value, double number)
    {
        var fields = Fields($$"""{"price":{{value}}}""");

        Assert.Equal((decimal)number, fields.Decimal("price", 0, 10, 4));
        Assert.Null(fields.Problem());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[{},{},{}]")]
    [InlineData("[{},1]")]
    [InlineData("{}")]
    [InlineData("null")]
    public void That_are_no_array_of_objects_are_refused(string value)
    {
        var fields = Fields($$"""{"lines":{{value}}}""");
        fields.Objects("lines", 1, 2, _ => 0);

        Assert.Equal($"lines: '{value}' is not allowed; an array of 1 to 2 objects is.", fields.Problem()!.Detail);
    }

    [Fact]
    public async Task That_are_wrong_are_all_named_with_their_place()
    {
        var fields = Fields("""{"lines":[{"sku":"a"},{"sku":1,"size":2}],"note":"x"}""");
        fields.Objects("lines", 1, 2, line => line.Text("sku", 1, 10));
        var request = Request("/api/orders");

        var answer = await AnswerAsync(request, fields.Problem()!);

        Assert.Equal(
            [
                "lines[1].sku: '1' is not allowed; a string of 1 to 10 characters without control characters is.",
                "lines[1].size: there is no such field.",
                "note: there is no such field.",
            ],
            answer.Json.GetProperty("errors").EnumerateArray().Select(error => error.GetString()));
    }

    [Fact]
    public async Task That_are_wrong_are_named_up_to_20()
    {
        var fields = Fields($$"""{{{string.Join(',', Enumerable.Range(0, 50).Select(number => $"\"f{number}\":1"))}}}""");

        var answer = await AnswerAsync(Request("/api/orders"), fields.Problem()!);

        Assert.Equal(20, answer.Json.GetProperty("errors").GetArrayLength());
    }

    [Fact]
    public async Task That_are_wrong_are_shown_shortened_even_where_that_cuts_a_character_in_half()
    {
        var fields = Fields($$"""{"text":"{{new string('x', 38)}}😀😀"}""");
        fields.Text("text", 1, 5);

        Assert.StartsWith("text: '\"xxx", (await AnswerAsync(Request("/api/orders"), fields.Problem()!)).Detail, StringComparison.Ordinal);
    }

    private static JsonFields Fields(string json) => new(JsonDocument.Parse(json).RootElement);
}
