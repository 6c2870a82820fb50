using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Outpost.LocalHost;

/// <summary>
/// Applies what <c>host.json</c> says about every request: how many are taken at once, and which headers each answer
/// has.
/// </summary>
internal sealed class RequestLimits(IConfiguration configuration) : IDisposable
{
    private readonly IReadOnlyList<KeyValuePair<string, string?>> _headers = HostSettings.CustomHeaders(configuration);
    private readonly ConcurrencyLimiter? _limiter = Limiter(
        HostSettings.HttpLimit(configuration, "maxConcurrentRequests"), HostSettings.HttpLimit(configuration, "maxOutstandingRequests"));

    /// <summary>Answers the request, or answers 429 where there are too many.</summary>
    public async Task TakeAsync(HttpContext http, Func<Task> answer)
    {
        foreach (var (name, value) in _headers) http.Response.Headers.TryAdd(name, value);
        using var turn = _limiter is null ? null : await _limiter.AcquireAsync(1, http.RequestAborted);
        if (turn is { IsAcquired: false }) http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        else await answer();
    }

    public void Dispose() => _limiter?.Dispose();

    // Outstanding requests are those that run and those that wait for their turn.
    private static ConcurrencyLimiter? Limiter(int? concurrent, int? outstanding)
    {
        if (concurrent is null && outstanding is null) return null;
        var running = Math.Min(concurrent ?? int.MaxValue, outstanding ?? int.MaxValue);
        return new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = running, QueueLimit = (outstanding ?? int.MaxValue) - running });
    }
}
