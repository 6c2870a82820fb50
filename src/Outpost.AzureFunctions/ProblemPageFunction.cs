using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>What a kind of problem means: the page at its <c>type</c>.</summary>
public sealed class ProblemPageFunction(ProblemPages pages, FaultBoundary boundary)
{
    /// <summary>A page for people.</summary>
    [Function("ProblemPage")]
    public Task<IResult> PageAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "problems/{name}")] HttpRequest request, string name, CancellationToken cancellationToken) =>
        boundary.RunAsync(request, () => Task.FromResult(pages.Answer(name)), cancellationToken);
}
