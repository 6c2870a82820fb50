using System.Globalization;
using System.Text.Json.Nodes;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>Writes operations as an OpenAPI 3.1 document.</summary>
internal static class DocumentBuilder
{
    private static readonly string[] Later = ["store-unavailable", "layout-mismatch", "log-damaged", "busy", "outcome-unknown", "stopping"];

    public static JsonObject Build(IReadOnlyList<Operation> operations)
    {
        var components = new JsonObject
        {
            ["securitySchemes"] = SecuritySchemes(),
            ["parameters"] = new JsonObject(),
            ["headers"] = new JsonObject(),
            ["schemas"] = Parts.Written,
            ["responses"] = new JsonObject { ["WrongKey"] = new JsonObject { ["description"] = "The key is missing or wrong. The answer is the host's own, without a body." } },
        };
        var paths = new JsonObject();
        foreach (var operation in operations)
        {
            var path = paths[operation.Path]?.AsObject() ?? [];
            paths[operation.Path] ??= path;
            path[operation.Method] = Written(operation, operation.Id, operation.Summary, components);
            if (operation.Method == "get") path["head"] = Written(operation, $"Head{operation.Id}", $"{operation.Summary}: headers only", components);
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = Info(),
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/", ["description"] = "The app that answers this document." }),
            ["tags"] = new JsonArray([.. operations.Select(operation => operation.Tag).Distinct().Select(Tag)]),
            ["paths"] = paths,
            ["components"] = components,
        };
    }

    private static JsonObject Written(Operation operation, string id, string summary, JsonObject components)
    {
        var written = new JsonObject
        {
            ["operationId"] = id,
            ["tags"] = new JsonArray(operation.Tag),
            ["summary"] = summary,
            ["description"] = operation.Description,
            ["security"] = Security(operation.Key),
            ["parameters"] = operation.Parameters.Count == 0 ? null : new JsonArray([.. operation.Parameters.Select(parameter => Parameter(parameter, components))]),
            ["requestBody"] = operation.Body is null ? null : Body(operation.Body, components),
        };
        var responses = new SortedDictionary<int, JsonObject>();
        foreach (var answer in operation.Answers) responses[answer.Status] = Reference("responses", answer.Name, () => Answer(answer, components), components);
        if (operation.Key != OpenApiKey.None) responses[401] = new JsonObject { ["$ref"] = "#/components/responses/WrongKey" };
        foreach (var status in ProblemsOf(operation).GroupBy(type => type.Status)) responses.TryAdd(status.Key, ProblemResponse([.. status.Distinct()], components));
        written["responses"] = new JsonObject([.. responses.Select(response => KeyValuePair.Create(response.Key.ToString(CultureInfo.InvariantCulture), (JsonNode?)response.Value))]);
        return written.Trimmed();
    }

    // What every operation of its kind may answer, and what this one adds.
    private static IEnumerable<ProblemType> ProblemsOf(Operation operation) =>
    [
        .. operation.IsChecked ? [ProblemTypes.Of("invalid-request")] : Enumerable.Empty<ProblemType>(),
        .. operation.IsChecked && operation.Method == "get" ? [ProblemTypes.Of("stale-version")] : Enumerable.Empty<ProblemType>(),
        .. operation.Body is null ? Enumerable.Empty<ProblemType>() : [ProblemTypes.Of("too-large"), ProblemTypes.Of("unsupported-media-type")],
        .. operation.Problems,
        ProblemTypes.Of("internal-error"),
        .. Later.Select(ProblemTypes.Of),
    ];

    private static JsonNode Parameter(JsonNode parameter, JsonObject components)
    {
        if (parameter is not JsonValue name) return parameter.DeepClone();
        return Reference("parameters", (string)name!, () => (JsonObject)Parts.Parameters[(string)name!]!.DeepClone(), components);
    }

    private static JsonObject Body(RequestBody body, JsonObject components) => new()
    {
        ["required"] = body.Required,
        ["description"] = $"At most {body.BytesMax.ToString("N0", CultureInfo.InvariantCulture)} bytes of JSON in UTF-8, with no member twice and no member that is not named here.{body.More}",
        ["content"] = new JsonObject
        {
            ["application/json"] = new JsonObject { ["schema"] = body.Name is null ? body.Schema.DeepClone() : Reference("schemas", body.Name, () => (JsonObject)body.Schema.DeepClone(), components), ["example"] = body.Example.DeepClone() },
        },
    };

    private static JsonObject Answer(Answer answer, JsonObject components)
    {
        var content = new JsonObject();
        foreach (var (mediaType, schema, example) in answer.Content)
        {
            content[mediaType] = new JsonObject { ["schema"] = schema.DeepClone() };
            if (example is not null) content[mediaType]!["example"] = example.DeepClone();
        }

        return new JsonObject
        {
            ["description"] = answer.Description,
            ["headers"] = answer.Headers.Length == 0 ? null : Headers(answer.Headers, components),
            ["content"] = content.Count == 0 ? null : content,
        }.Trimmed();
    }

    private static JsonObject ProblemResponse(IReadOnlyList<ProblemType> types, JsonObject components)
    {
        var name = string.Join('.', types.Select(type => type.Name));
        string[] headers = types[0].Status == 503 ? ["NoSniff", "NoStore", "RetryAfter"] : ["NoSniff", "NoStore"];
        return Reference("responses", name, () => new JsonObject
        {
            ["description"] = string.Join(" Or: ", types.Select(type => type.Meaning).Distinct()),
            ["headers"] = Headers(headers, components),
            ["content"] = new JsonObject { ["application/problem+json"] = ProblemContent(types) },
        }, components);
    }

    private static JsonObject ProblemContent(IReadOnlyList<ProblemType> types)
    {
        var properties = new JsonObject { ["type"] = new JsonObject { ["enum"] = new JsonArray([.. types.Select(type => (JsonNode)(Problem.TypePrefix + type.Name))]) } };
        foreach (var (name, schema) in types.SelectMany(type => type.Members)) properties[name] = schema.DeepClone();
        return new JsonObject
        {
            ["schema"] = new JsonObject
            {
                ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = "#/components/schemas/Problem" }, new JsonObject { ["type"] = "object", ["properties"] = properties }),
            },
            ["example"] = new JsonObject { ["type"] = Problem.TypePrefix + types[0].Name, ["title"] = types[0].Title, ["status"] = types[0].Status, ["detail"] = types[0].Example },
        };
    }

    private static JsonObject Headers(IEnumerable<string> names, JsonObject components)
    {
        var headers = new JsonObject();
        foreach (var name in names) headers[Parts.Headers[name].Name] = Reference("headers", name, () => (JsonObject)Parts.Headers[name].Header.DeepClone(), components);
        return headers;
    }

    private static JsonObject Reference(string kind, string name, Func<JsonObject> make, JsonObject components)
    {
        var known = components[kind]!.AsObject();
        if (!known.ContainsKey(name)) known[name] = make();
        return new JsonObject { ["$ref"] = $"#/components/{kind}/{name}" };
    }

    private static JsonArray Security(OpenApiKey key) => key switch
    {
        OpenApiKey.Function => [One("functionKey"), One("functionCode"), new JsonObject()],
        OpenApiKey.Admin => [One("adminKey"), One("adminCode"), new JsonObject()],
        _ => [],
    };

    private static JsonObject One(string scheme) => new() { [scheme] = new JsonArray() };

    private static JsonObject Info() => new()
    {
        ["title"] = "Outpost",
        ["version"] = "1.0.0",
        ["summary"] = "The app's commands, the event API and operations of one log.",
        ["description"] = "Errors that the app answers are RFC 9457 problems. What the Functions host answers before it (unknown route or method, wrong key) is the host's. "
            + "Query parameters that an operation does not name are 400, except `code` and `clientId`, which are the host's.",
        ["license"] = new JsonObject { ["name"] = "MIT License", ["identifier"] = "MIT" },
    };

    private static JsonNode Tag(string name) => new JsonObject
    {
        ["name"] = name,
        ["description"] = name switch { "events" => "The log as a feed.", "operations" => "For operators. In a function app whose operators sign in, `/api/operators/` has the same operations, with a bearer token in place of a key.", _ => "The app's own endpoints." },
    };

    private static JsonObject SecuritySchemes() => new()
    {
        ["functionKey"] = Scheme("header", "x-functions-key", "A function key or a host key. Locally none is needed."),
        ["functionCode"] = Scheme("query", "code", "The same key as a parameter. Other programs log it, so prefer the header."),
        ["adminKey"] = Scheme("header", "x-functions-key", "The admin key (`_master`). Locally none is needed."),
        ["adminCode"] = Scheme("query", "code", "The same key as a parameter. Prefer the header."),
    };

    private static JsonObject Scheme(string where, string name, string description) => new() { ["type"] = "apiKey", ["in"] = where, ["name"] = name, ["description"] = description };
}
