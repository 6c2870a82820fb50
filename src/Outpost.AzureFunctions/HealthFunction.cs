using System.ComponentModel;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>For load balancers and people in a hurry.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class HealthFunction(IServiceProvider services)
{
    /// <summary>200 or 503.</summary>
    [Function("Health")]
    public Task<IResult> HealthAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "health")] HttpRequest request,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<HealthApi>(request, api => api.HealthAsync(request, cancellationToken), cancellationToken);
}
