using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>
/// A cacheable answer with an entity tag. A caller that has it already gets 304 without a body (RFC 9110, 13.1.2).
/// </summary>
internal sealed class PageResult(
    string contentType, ReadOnlyMemory<byte> body, string tag, string cacheControl, IReadOnlyList<(string Name, string Value)> headers) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        if (Preconditions.OfRead(httpContext.Request, tag) is { } refusal)
        {
            await refusal.ExecuteAsync(httpContext);
            return;
        }

        var response = httpContext.Response;
        response.Headers.ETag = tag;
        response.Headers.CacheControl = cacheControl;
        response.Headers.Vary = "Accept";
        foreach (var (name, value) in headers) response.Headers[name] = value;
        if (Preconditions.IsKnown(httpContext.Request, tag)) response.StatusCode = StatusCodes.Status304NotModified;
        else await WholeBody.WriteAsync(httpContext, contentType, body);
    }
}
