using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Outpost.AspNetCore;

/// <summary>One of the app's health checks, named <c>outpost</c>. It says what <c>/api/health</c> says.</summary>
internal sealed class OutpostHealthCheck(HealthApi health) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var problems = await health.ProblemsAsync(cancellationToken);
        if (problems.Count == 0) return HealthCheckResult.Healthy();
        var text = string.Join(' ', problems.Select(problem => $"{problem.Code}: {problem.Detail}"));
        return problems[0].IsFatal ? HealthCheckResult.Unhealthy(text) : HealthCheckResult.Degraded(text);
    }
}
