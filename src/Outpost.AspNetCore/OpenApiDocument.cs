using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>
/// <c>GET /api/openapi.json</c>: the API as a document for programs. Written by hand, the same for everybody, without
/// data; tests hold it against the functions, the limits and what a running app answers.
/// </summary>
public sealed class OpenApiDocument
{
    // Public, unlike everything else here. Short, so that a new version of the app is soon described.
    private const string CacheControl = "public, max-age=300";
    private readonly PageResult _answer;

    /// <summary>Reads the document from this assembly.</summary>
    public OpenApiDocument()
    {
        using var resource = typeof(OpenApiDocument).Assembly.GetManifestResourceStream("openapi.json")!;
        using var bytes = new MemoryStream();
        resource.CopyTo(bytes);
        var document = bytes.ToArray();
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(document)[..16])}\"";
        _answer = new PageResult("application/json", document, tag, CacheControl, []);
    }

    /// <summary>The document; 304 for whoever has it.</summary>
    public IResult Answer() => _answer;
}
