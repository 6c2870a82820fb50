using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>For load balancers and people in a hurry.</summary>
public sealed class HealthFunction(HealthApi api, FaultBoundary boundary)
{
    /// <summary>200 or 503.</summary>
    [Function("Health")]
    public Task<IResult> HealthAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "health")] HttpRequest request,
        CancellationToken cancellationToken) =>
        boundary.RunAsync(request, () => api.HealthAsync(request, cancellationToken), cancellationToken);
}
