using System.ComponentModel;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>Says whether the app is well, for load balancers and people.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class HealthFunction(IServiceProvider services)
{
    /// <summary>Answers 200 when it is well, and 503 when it is not.</summary>
    [Function("Health")]
    public Task<IResult> HealthAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "health")] HttpRequest request,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<HealthApi>(request, api => api.HealthAsync(request, cancellationToken), cancellationToken);
}
