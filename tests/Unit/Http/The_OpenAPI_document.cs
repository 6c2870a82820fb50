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
    private static readonly AppEndpoints Own = new(() => typeof(OrderFunctions).GetMethods().SelectMany(HttpFunctions.Of));

    private static readonly JsonNode Document = Whole().Json;

    private static readonly IReadOnlyList<HttpTriggerAttribute> Triggers =
    [
        .. typeof(OrderFunctions).Assembly.GetTypes().Concat(typeof(EventFunctions).Assembly.GetTypes()).SelectMany(type => type.GetMethods())
            .SelectMany(method => method.GetParameters()).Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()).OfType<HttpTriggerAttribute>(),
    ];

    [Fact]
    public void Names_every_function_s_routes_and_methods_and_the_key_it_takes_and_no_other()
    {
        // The operations once more, behind a sign-in: the document says so in words.
        Assert.Contains("/api/operators/", Document["tags"]!.ToJsonString(), StringComparison.Ordinal);
        var functions = Triggers.Where(trigger => trigger.Route != "operators/{*path}").SelectMany(trigger => trigger.Methods!.Select(method => $"{method} /api/{trigger.Route}: {Keys(trigger.AuthLevel)}"));

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
    [InlineData("responses/Partitions/content/application~json/schema/properties/partitions/maxItems", Limits.PartitionsMax)]
    public void Has_the_limits_of_the_code(string place, int limit)
    {
        var node = place.Split('/').Aggregate(Document["components"]!, (at, name) => at[name.Replace('~', '/')]!);

        Assert.Equal($"{limit}", node.ToJsonString());
    }

    [Fact]
    public async Task Names_every_problem_that_the_code_answers_and_each_has_a_page()
    {
        var code = "";
        foreach (var folder in new[] { "Outpost.AspNetCore", "Functions", "Orders" })
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(DocPage.Root(), "src", folder), "*.cs", SearchOption.AllDirectories).Where(IsAnswering)) code += await File.ReadAllTextAsync(file);
        }

        var answered = ProblemName().Matches(code).Select(match => match.Groups["name"].Value).ToHashSet();
        // What only an app without a Functions host answers, or only to operators who sign in.
        string[] elsewhere = ["not-protected", "not-signed-in", "not-an-operator", "sign-in-off", "sign-in-unavailable"];
        answered.ExceptWith(elsewhere);
        // Made from the entity's name.
        answered.Add("order-not-found");
        var named = Document["components"]!["responses"]!.AsObject()
            .Select(response => response.Value!["content"]?["application/problem+json"]?["schema"]!["allOf"]![1]!["properties"]!["type"]!["enum"]!.AsArray())
            .OfType<JsonArray>().SelectMany(names => names).Select(name => name!.ToString()).ToHashSet();

        Assert.True(answered.Count > 15, string.Join(' ', answered));
        Assert.Equal(answered.Select(name => $"/api/problems/{name}").Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
        var pages = new ProblemPages(Own);
        foreach (var name in answered.Concat(elsewhere))
        {
            var page = await AnswerAsync(Request($"/api/problems/{name}"), pages.Answer(name));
            Assert.Equal((200, "text/html; charset=utf-8"), (page.Status, page["Content-Type"]));
            Assert.Contains($"<code>{name}</code>", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Has_no_page_about_a_problem_that_nobody_knows()
    {
        var answer = await AnswerAsync(Request("/api/problems/x"), new ProblemPages(Own).Answer("<script>alert(1)</script>"));

        Assert.Equal((404, "/api/problems/problem-type-not-found"), (answer.Status, (string?)JsonNode.Parse(answer.Text)!["type"]));
    }

    [Fact]
    public void Describes_a_body_by_what_its_reader_takes()
    {
        var body = Document["paths"]!["/api/orders"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]!;

        Assert.Equal(["customerId", "lines"], body["required"]!.AsArray().Select(name => (string)name!));
        Assert.Equal(("1", "100"), ($"{body["properties"]!["customerId"]!["minLength"]}", $"{body["properties"]!["customerId"]!["maxLength"]}"));
        var line = body["properties"]!["lines"]!["items"]!;
        Assert.Equal(["sku", "quantity", "unitPrice"], line["required"]!.AsArray().Select(name => (string)name!));
        Assert.Equal(("1", "1000000"), ($"{line["properties"]!["quantity"]!["minimum"]}", $"{line["properties"]!["quantity"]!["maximum"]}"));
        Assert.Equal(["string", "null"], body["properties"]!["orderId"]!["type"]!.AsArray().Select(name => (string)name!));
    }

    [Fact]
    public void Has_the_last_words_of_the_app()
    {
        var document = new OpenApiDocument(Own, [new OpenApiChange(json => json["info"]!["title"] = "Orders")]);

        Assert.Equal("Orders", (string?)document.Json["info"]!["title"]);
    }

    [Fact]
    public void Has_an_endpoint_about_which_nothing_is_said_with_its_route_and_key()
    {
        var endpoint = new AppEndpoint("post", "/api/things/{id}/touch", "Touch", OpenApiKey.Function, []);

        var document = new OpenApiDocument(new AppEndpoints(() => [endpoint]), []).Json;

        var operation = document["paths"]!["/api/things/{id}/touch"]!["post"]!;
        Assert.Equal(("Touch", "id"), ((string?)operation["operationId"], (string?)operation["parameters"]![0]!["name"]));
        Assert.Equal(["200", "401", "500", "503"], operation["responses"]!.AsObject().Select(response => response.Key));
    }

    [Fact]
    public async Task Is_not_sent_again_to_whoever_has_it()
    {
        var first = await AnswerAsync(Request("/api/openapi.json"), Whole().Answer());

        var second = await AnswerAsync(Request("/api/openapi.json", ("If-None-Match", first["ETag"]!)), Whole().Answer());

        Assert.Equal((200, 304, "public, max-age=300"), (first.Status, second.Status, second["Cache-Control"]));
    }

    private static OpenApiDocument Whole() => new(Own, []);

    // The catalogue of problems and the refusals' attributes name what others answer.
    private static bool IsAnswering(string file) => !file.Contains("/obj/", StringComparison.Ordinal) && Path.GetFileName(file) != "ProblemTypes.cs";

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
    [GeneratedRegex("""(Problem\.(NotFound|Conflict|Unavailable)\(\s*|new\((400|403|410|412|413|415|422|500), |Refusal\.[A-Za-z]+\(\s*|BadRequest\(\$"[^;]*", |string name = )"(?<name>[a-z]+(-[a-z]+)*)"[,)]""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ProblemName();
}
