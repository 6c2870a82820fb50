using System.ComponentModel;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>Explains a kind of problem, at the address that is its <c>type</c>.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class ProblemPageFunction(IServiceProvider services)
{
    /// <summary>A page for people.</summary>
    [Function("ProblemPage")]
    public Task<IResult> PageAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "problems/{name}")] HttpRequest request, string name, CancellationToken cancellationToken) =>
        services.AnswerAsync<ProblemPages>(request, pages => Task.FromResult(pages.Answer(name)), cancellationToken);
}
