using System.ComponentModel;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>The dashboard: status and operations on a page.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class DashboardFunction(IServiceProvider services)
{
    /// <summary>The page itself. It holds no data: it asks the API, with the key that its user types in.</summary>
    [Function("Dashboard")]
    public Task<IResult> DashboardAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "dashboard")] HttpRequest request,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<DashboardPage>(request, page => Task.FromResult<IResult>(page), cancellationToken);
}
