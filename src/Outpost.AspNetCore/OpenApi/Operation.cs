using System.Text.Json.Nodes;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>One operation of the document.</summary>
/// <param name="Method">HTTP method in lower case; a GET answers HEAD as well.</param>
/// <param name="Path">With the prefix and its placeholders.</param>
/// <param name="Id">Its name: the function's, where it is one.</param>
/// <param name="Key">The key it takes.</param>
/// <param name="Tag">The group it is listed in.</param>
/// <param name="Summary">A few words.</param>
internal sealed record Operation(string Method, string Path, string Id, OpenApiKey Key, string Tag, string Summary)
{
    public string? Description { get; init; }

    /// <summary>Names in <see cref="Parts.Parameters"/>, or parameters themselves.</summary>
    public IReadOnlyList<JsonNode> Parameters { get; init; } = [];

    public RequestBody? Body { get; init; }

    public IReadOnlyList<Answer> Answers { get; init; } = [];

    /// <summary>Problems beside those that every operation of its kind may answer.</summary>
    public IReadOnlyList<ProblemType> Problems { get; init; } = [];

    /// <summary>False: it reads nothing of the request, so nothing of it can be wrong.</summary>
    public bool IsChecked { get; init; } = true;
}

/// <summary>A JSON body of a request. Without a name its schema stands where it is used.</summary>
internal sealed record RequestBody(string? Name, JsonObject Schema, JsonNode Example, int BytesMax, bool Required, string? More = null);

/// <summary>An answer that is no problem.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Name">Its name among the document's responses.</param>
/// <param name="Description">What it is.</param>
/// <param name="Headers">Names in <see cref="Parts.Headers"/>.</param>
internal sealed record Answer(int Status, string Name, string Description, params string[] Headers)
{
    public IReadOnlyList<Content> Content { get; init; } = [];
}

/// <summary>A media type of an answer.</summary>
internal sealed record Content(string MediaType, JsonNode Schema, JsonNode? Example = null);
