using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>Status and operations for eyes and hands.</summary>
public sealed class DashboardFunction(DashboardPage page, FaultBoundary boundary)
{
    /// <summary>The page itself, which holds no data: it asks the API, with the key that its user types in.</summary>
    [Function("Dashboard")]
    public Task<IResult> DashboardAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "dashboard")] HttpRequest request,
        CancellationToken cancellationToken) =>
        boundary.RunAsync(request, () => Task.FromResult<IResult>(page), cancellationToken);
}
