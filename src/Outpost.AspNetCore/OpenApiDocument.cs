using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>
/// <c>GET /api/openapi.json</c>: the API as a document for programs, the same for everybody, without data. Outpost's own
/// part is in this assembly; an app adds what it answers itself.
/// </summary>
public sealed class OpenApiDocument
{
    // Public, unlike everything else here. Short, so that a new version of the app is soon described.
    private const string CacheControl = "public, max-age=300";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly PageResult _answer;

    /// <summary>Puts the document together.</summary>
    /// <param name="parts">What the app adds.</param>
    /// <exception cref="ArgumentException">Two parts say something about one path or component.</exception>
    public OpenApiDocument(IEnumerable<OpenApiPart> parts)
    {
        using var resource = typeof(OpenApiDocument).Assembly.GetManifestResourceStream("openapi.json")!;
        Json = JsonNode.Parse(resource)!.AsObject();
        foreach (var part in parts) Merge(Json, part.Json, at: "");
        var document = Encoding.UTF8.GetBytes(Json.ToJsonString(Indented));
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(document)[..16])}\"";
        _answer = new PageResult("application/json", document, tag, CacheControl, []);
    }

    internal JsonObject Json { get; }

    /// <summary>The document; 304 for whoever has it.</summary>
    public IResult Answer() => _answer;

    private static void Merge(JsonObject into, JsonObject part, string at)
    {
        foreach (var (name, value) in part)
        {
            switch (into[name], value)
            {
                case (null, _):
                    into[name] = value?.DeepClone();
                    break;
                case (JsonObject known, JsonObject more):
                    Merge(known, more, $"{at}/{name}");
                    break;
                case (JsonArray known, JsonArray more):
                    foreach (var each in more) known.Add(each?.DeepClone());
                    break;
                default:
                    throw new ArgumentException($"OpenAPI: {at}/{name} is there twice.", nameof(part));
            }
        }
    }
}

/// <summary>What an app adds to the OpenAPI document: an object with <c>paths</c>, <c>components</c> and <c>tags</c> of its own endpoints.</summary>
/// <param name="Json">May refer to Outpost's components, such as <c>#/components/parameters/IdempotencyKey</c>.</param>
public sealed record OpenApiPart(JsonObject Json);
