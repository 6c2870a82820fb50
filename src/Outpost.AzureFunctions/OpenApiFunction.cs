using System.ComponentModel;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>Describes the API to programs.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class OpenApiFunction(IServiceProvider services)
{
    /// <summary>The OpenAPI 3.1 document.</summary>
    [Function("OpenApi")]
    public Task<IResult> DocumentAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "openapi.json")] HttpRequest request,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OpenApiDocument>(request, document => Task.FromResult(document.Answer()), cancellationToken);
}
