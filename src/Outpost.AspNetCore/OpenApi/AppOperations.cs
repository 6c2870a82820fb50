using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>Describes the app's own endpoints as operations of the OpenAPI document.</summary>
internal static partial class AppOperations
{
    private const string Tag = "app";
    private const int BodyBytesMax = 64 * 1024;

    public static Operation Of(AppEndpoint endpoint)
    {
        var about = endpoint.Attributes.OfType<IEntityEndpoint>().FirstOrDefault();
        var operation = new Operation(endpoint.Method, endpoint.Path, endpoint.Id, endpoint.Key, Tag, about?.Summary ?? endpoint.Id)
        {
            Parameters = [.. Placeholder().Matches(endpoint.Path).Select(match => PathParameter(match.Groups["name"].Value))],
            Problems = [.. endpoint.Attributes.OfType<RefusesAttribute>().Select(TypeOf)],
        };
        return about switch
        {
            null => operation with { Answers = [new(200, $"{endpoint.Id}Answer", "What the app answers.") { Content = [new("*/*", new JsonObject())] }], IsChecked = false },
            IEntityCommand command => Command(operation, command, about),
            _ => operation with
            {
                Answers =
                [
                    new(200, $"{endpoint.Id}Answer", "The entity as it is now.", "NoSniff", "NoStore", "Version") { Content = [View(about)] },
                    new(304, $"{endpoint.Id}NotModified", "The caller has this version.", "NoSniff", "NoStore", "Version"),
                ],
            },
        };
    }

    private static Operation Command(Operation operation, IEntityCommand command, IEntityEndpoint about) => operation with
    {
        Parameters = [.. operation.Parameters, "IdempotencyKey", "IfMatch", "TraceParent", "CorrelationId"],
        Body = BodyOf(command.Body),
        Answers =
        [
            command.Creates
                ? new(201, $"{operation.Id}Answer", "Created, now or by the request that this one repeats.", "NoSniff", "NoStore", "Version", "Replayed", "Location") { Content = [View(about)] }
                : new(200, $"{operation.Id}Answer", "The entity after the change.", "NoSniff", "NoStore", "Version", "Replayed") { Content = [View(about)] },
        ],
        Problems = [.. operation.Problems, ProblemTypes.Of("stale-version"), ProblemTypes.Of("idempotency-key-reused")],
    };

    private static RequestBody BodyOf(Type? type)
    {
        if (type is null)
            return new RequestBody(null, new JsonObject { ["type"] = "object", ["description"] = "No member is allowed; the body may be left out.", ["additionalProperties"] = false }, new JsonObject(), BodyBytesMax, Required: false);
        var read = type.GetInterfaces().Any(each => each.IsGenericType && each.GetGenericTypeDefinition() == typeof(ICommandBody<>))
            ? typeof(AppOperations).GetMethod(nameof(Describe), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type)
            : throw new ArgumentException($"{type} is no ICommandBody: nothing says how it is read.");
        var fields = (FieldSchema)read.Invoke(null, null)!;
        return new RequestBody(null, fields.Schema.Trimmed(), fields.Sample, BodyBytesMax, Required: true);
    }

    private static FieldSchema Describe<T>()
        where T : ICommandBody<T> => JsonFields.Describe(body => T.Read(body));

    private static Content View(IEntityEndpoint about) => new("application/json", Schemas.Of(about.View));

    private static JsonObject PathParameter(string name) => new()
    {
        ["name"] = name,
        ["in"] = "path",
        ["required"] = true,
        ["description"] = "Names the entity.",
        ["schema"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Za-z0-9._~-]{1,100}$" },
        ["example"] = "x-1",
    };

    internal static ProblemType TypeOf(RefusesAttribute refusal) => new(
        refusal.Status, refusal.Code, Problem.TitleOf(refusal.Status), refusal.Meaning, "The detail of the answer says more.", refusal.Meaning);

    [GeneratedRegex(@"\{(?<name>[^}:?*=]+)[^}]*\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Placeholder();
}
