using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Outpost.AspNetCore.OpenApi;

namespace Outpost.AspNetCore;

/// <summary>
/// <c>GET /api/openapi.json</c>: the description of the API for programs. It is the same for everybody and holds no
/// data. It is made from the operations, the types of their answers and the readers of their bodies: Outpost's and the
/// app's own.
/// </summary>
internal sealed class OpenApiDocument
{
    // Unlike everything else here it is public. The time is short, so that a new version of the app is soon described.
    private const string CacheControl = "public, max-age=300";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly Lazy<(JsonObject Json, PageResult Answer)> _document;

    /// <summary>Makes the document when it is first asked for.</summary>
    /// <param name="endpoints">Finds the app's own endpoints.</param>
    /// <param name="changes">The app's changes to the document.</param>
    public OpenApiDocument(AppEndpoints endpoints, IEnumerable<OpenApiChange> changes) =>
        _document = new(() =>
        {
            var json = DocumentBuilder.Build([.. OutpostOperations.All, .. Own(endpoints).Select(AppOperations.Of)]);
            foreach (var change in changes) change.Apply(json);
            var document = Encoding.UTF8.GetBytes(json.ToJsonString(Indented));
            var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(document)[..16])}\"";
            return (json, new PageResult("application/json", document, tag, CacheControl, []));
        });

    internal JsonObject Json => _document.Value.Json;

    /// <summary>The document; 304 for a caller that has it already.</summary>
    public IResult Answer() => _document.Value.Answer;

    internal static IEnumerable<AppEndpoint> Own(AppEndpoints endpoints)
    {
        var known = OutpostOperations.All.Select(operation => (operation.Method, operation.Path)).ToHashSet();
        return endpoints.Find().Where(endpoint => endpoint.Method != "head" && !known.Contains((endpoint.Method, endpoint.Path)));
    }
}

/// <summary>A change that the app makes to the document before it is served.</summary>
/// <param name="Apply">Changes the document in place.</param>
internal sealed record OpenApiChange(Action<JsonObject> Apply);
