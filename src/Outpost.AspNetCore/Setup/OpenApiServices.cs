using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Outpost.AspNetCore;

namespace Outpost;

/// <summary>Lets the app change the OpenAPI document.</summary>
public static class OpenApiServices
{
    /// <summary>
    /// Changes the document before it is served: its title, a description, an example, or an endpoint that Outpost does
    /// not know.
    /// </summary>
    /// <param name="outpost">What <c>AddOutpost</c> returned.</param>
    /// <param name="change">
    /// Changes the OpenAPI 3.1 document in place. It runs once, when the document is first asked for.
    /// </param>
    public static OutpostBuilder ChangeOpenApi(this OutpostBuilder outpost, Action<JsonObject> change)
    {
        outpost.Services.AddSingleton(new OpenApiChange(change));
        return outpost;
    }
}
