using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Outpost.Http;

/// <summary>A cacheable answer with an entity tag; 304 without a body where the caller has it already (RFC 9110, 13.1.2).</summary>
internal sealed class PageResult(
    string contentType, ReadOnlyMemory<byte> body, string tag, string cacheControl, IReadOnlyList<(string Name, string Value)> headers) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.Headers.ETag = tag;
        response.Headers.CacheControl = cacheControl;
        response.Headers.Vary = "Accept";
        foreach (var (name, value) in headers) response.Headers[name] = value;
        if (Matches(httpContext.Request.Headers.IfNoneMatch))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        return WholeBody.WriteAsync(httpContext, contentType, body);
    }

    // Weak comparison. What cannot be read as a list of tags is treated as if it were not there.
    private bool Matches(StringValues ifNoneMatch) =>
        EntityTagHeaderValue.TryParseList(ifNoneMatch, out var tags) &&
        tags.Any(t => t.Equals(EntityTagHeaderValue.Any) || t.Compare(new EntityTagHeaderValue(tag), useStrongComparison: false));
}
