using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Outpost.AspNetCore;

namespace Outpost;

/// <summary>Adds the app's own endpoints to the document.</summary>
public static class OpenApiServices
{
    /// <summary>Adds an OpenAPI 3.1 fragment; it is read at once.</summary>
    /// <param name="outpost">What <c>AddOutpost</c> returned.</param>
    /// <param name="json">The fragment: <c>paths</c>, <c>components</c>, <c>tags</c>.</param>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static OutpostBuilder AddOpenApi(this OutpostBuilder outpost, Stream json)
    {
        outpost.Services.AddSingleton(new OpenApiPart(JsonNode.Parse(json)!.AsObject()));
        return outpost;
    }
}
