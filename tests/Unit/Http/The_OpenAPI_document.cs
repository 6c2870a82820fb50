using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;
using Outpost.AzureFunctions;
using Outpost.Functions;
using Outpost.Tests.Unit.Docs;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

/// <summary>The document says what the code does. What a running app answers is held against it end to end.</summary>
public sealed partial class The_OpenAPI_document
{
    private static readonly JsonNode Document = Whole().Json;

    private static readonly IReadOnlyList<HttpTriggerAttribute> Triggers =
    [
        .. typeof(OrderFunctions).Assembly.GetTypes().Concat(typeof(EventFunctions).Assembly.GetTypes()).SelectMany(type => type.GetMethods())
            .SelectMany(method => method.GetParameters()).Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()).OfType<HttpTriggerAttribute>(),
    ];

    [Fact]
    public void Names_every_function_s_routes_and_methods_and_the_key_it_takes_and_no_other()
    {
        var functions = Triggers.SelectMany(trigger => trigger.Methods!.Select(method => $"{method} /api/{trigger.Route}: {Keys(trigger.AuthLevel)}"));

        var operations = Operations().Select(one =>
            $"{one.Method} {one.Path}: {string.Join(' ', one.Operation["security"]!.AsArray().SelectMany(each => each!.AsObject()).Select(each => each.Key))}");

        Assert.Equal(functions.Order(StringComparer.Ordinal), operations.Order(StringComparer.Ordinal));
    }

    // Locally none is needed: a call without one is valid, too.
    [Fact]
    public void Lets_a_key_be_left_out_where_one_is_named() =>
        Assert.All(Operations().Where(one => one.Operation["security"]!.AsArray().Count > 0), one => Assert.Contains(one.Operation["security"]!.AsArray(), each => each!.AsObject().Count == 0));

    [Fact]
    public void Names_the_parameters_of_every_path() =>
        Assert.All(Operations(), one => Assert.Equal(
            Placeholder().Matches(one.Path).Select(match => match.Groups["name"].Value),
            (one.Operation["parameters"]?.AsArray() ?? []).Select(Resolved).Where(each => (string)each["in"]! == "path").Select(each => (string)each["name"]!)));

    [Theory]
    [InlineData("parameters/Limit/schema/maximum", Limits.PageEntriesMax)]
    [InlineData("parameters/Limit/schema/default", EventQuery.LimitDefault)]
    [InlineData("parameters/Wait/schema/maximum", EventQuery.WaitSecondsMax)]
    [InlineData("parameters/Types/schema/maxItems", EventQuery.TypesMax)]
    [InlineData("parameters/Types/schema/items/maxLength", Limits.HeaderCharactersMax)]
    [InlineData("parameters/Partition/schema/maximum", Limits.PartitionsMax - 1)]
    [InlineData("parameters/PartitionInPath/schema/maximum", Limits.PartitionsMax - 1)]
    // Quotes, and every character escaped.
    [InlineData("parameters/IdempotencyKey/schema/maxLength", (2 * Limits.IdempotencyKeyMax) + 2)]
    [InlineData("schemas/Page/maxItems", Limits.PageEntriesMax)]
    [InlineData("schemas/CloudEventsBatch/maxItems", Limits.PageEntriesMax)]
    [InlineData("schemas/Entry/properties/type/maxLength", Limits.HeaderCharactersMax)]
    [InlineData("schemas/Partitions/properties/partitions/maxItems", Limits.PartitionsMax)]
    public void Has_the_limits_of_the_code(string place, int limit)
    {
        var node = place.Split('/').Aggregate(Document["components"]!, (at, name) => at[name]!);

        Assert.Equal(limit, node.GetValue<int>());
    }

    [Fact]
    public async Task Names_every_problem_that_the_code_answers()
    {
        var code = "";
        foreach (var folder in new[] { "Outpost.AspNetCore", "Functions", "Orders" })
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(DocPage.Root(), "src", folder), "*.cs", SearchOption.AllDirectories).Where(file => !file.Contains("/obj/", StringComparison.Ordinal))) code += await File.ReadAllTextAsync(file);
        }

        var answered = ProblemName().Matches(code).Select(match => match.Groups["name"].Value).ToHashSet();
        var named = Document["components"]!["responses"]!.AsObject()
            .Select(response => response.Value!["content"]?["application/problem+json"]?["schema"]!["allOf"]![1]!["properties"]!["type"]!["enum"]!.AsArray())
            .OfType<JsonArray>().SelectMany(names => names).Select(name => name!.ToString()["/problems/".Length..]).ToHashSet();

        Assert.True(answered.Count > 15, string.Join(' ', answered));
        Assert.Equal(answered.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Is_not_sent_again_to_whoever_has_it()
    {
        var first = await AnswerAsync(Request("/api/openapi.json"), Whole().Answer());

        var second = await AnswerAsync(Request("/api/openapi.json", ("If-None-Match", first["ETag"]!)), Whole().Answer());

        Assert.Equal((200, 304, "public, max-age=300"), (first.Status, second.Status, second["Cache-Control"]));
    }

    private static OpenApiDocument Whole() => new([new OpenApiPart(JsonNode.Parse(OrderFunctions.OpenApi)!.AsObject())]);

    private static IEnumerable<(string Method, string Path, JsonNode Operation)> Operations() =>
        from path in Document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (operation.Key, path.Key, operation.Value!);

    private static JsonNode Resolved(JsonNode? node) =>
        node!["$ref"] is { } reference ? reference.ToString().Split('/').Skip(1).Aggregate(Document, (at, name) => at[name]!) : node;

    private static string Keys(AuthorizationLevel level) => level switch
    {
        AuthorizationLevel.Function => "functionKey functionCode",
        AuthorizationLevel.Admin => "adminKey adminCode",
        _ => "",
    };

    [GeneratedRegex(@"\{(?<name>[a-z]+)\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Placeholder();

    // Where a problem or a refusal is made: in a string right after what makes it, or as a default.
    [GeneratedRegex("""(Problem\.(NotFound|Conflict|Unavailable)\(\s*|new\((400|410|412|413|415|422|500), |Refusal\.[A-Za-z]+\(\s*|BadRequest\(\$"[^;]*", |string name = )"(?<name>[a-z]+(-[a-z]+)*)"[,)]""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ProblemName();
}
