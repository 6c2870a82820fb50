using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>The API as a document for programs.</summary>
public sealed class OpenApiFunction(OpenApiDocument document, FaultBoundary boundary)
{
    /// <summary>OpenAPI 3.1.</summary>
    [Function("OpenApi")]
    public Task<IResult> DocumentAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "openapi.json")] HttpRequest request,
        CancellationToken cancellationToken) =>
        boundary.RunAsync(request, () => Task.FromResult(document.Answer()), cancellationToken);
}
