using System.Text.Json.Nodes;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>One operation of the OpenAPI document.</summary>
/// <param name="Method">HTTP method in lower case. A GET answers HEAD too.</param>
/// <param name="Path">Path with its prefix and placeholders.</param>
/// <param name="Id">Name of the operation, which is the function's name where there is a function.</param>
/// <param name="Key">The key that it takes.</param>
/// <param name="Tag">The group that it is listed in.</param>
/// <param name="Summary">What it does, in a few words.</param>
internal sealed record Operation(string Method, string Path, string Id, OpenApiKey Key, string Tag, string Summary)
{
    public string? Description { get; init; }

    /// <summary>Names from <see cref="Parts.Parameters"/>, or whole parameters.</summary>
    public IReadOnlyList<JsonNode> Parameters { get; init; } = [];

    public RequestBody? Body { get; init; }

    public IReadOnlyList<Answer> Answers { get; init; } = [];

    /// <summary>Problems in addition to those that every operation of its kind may answer.</summary>
    public IReadOnlyList<ProblemType> Problems { get; init; } = [];

    /// <summary>False for an operation that reads nothing of the request, so that nothing in it can be wrong.</summary>
    public bool IsChecked { get; init; } = true;
}

/// <summary>A JSON body of a request. Without a name, its schema is written where it is used.</summary>
internal sealed record RequestBody(string? Name, JsonObject Schema, JsonNode Example, int BytesMax, bool Required, string? More = null);

/// <summary>An answer that is no problem.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Name">Name among the document's responses.</param>
/// <param name="Description">What the answer is.</param>
/// <param name="Headers">Names from <see cref="Parts.Headers"/>.</param>
internal sealed record Answer(int Status, string Name, string Description, params string[] Headers)
{
    public IReadOnlyList<Content> Content { get; init; } = [];
}

/// <summary>A media type of an answer.</summary>
internal sealed record Content(string MediaType, JsonNode Schema, JsonNode? Example = null);
