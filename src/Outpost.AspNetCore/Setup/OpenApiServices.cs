using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Outpost.AspNetCore;

namespace Outpost;

/// <summary>Changes what the OpenAPI document says.</summary>
public static class OpenApiServices
{
    /// <summary>Changes the document before it is served: its title, a description, an example, an endpoint that Outpost does not know of.</summary>
    /// <param name="outpost">What <c>AddOutpost</c> returned.</param>
    /// <param name="change">Changes the OpenAPI 3.1 document in place. Runs once, when the document is first asked for.</param>
    public static OutpostBuilder ChangeOpenApi(this OutpostBuilder outpost, Action<JsonObject> change)
    {
        outpost.Services.AddSingleton(new OpenApiChange(change));
        return outpost;
    }
}
