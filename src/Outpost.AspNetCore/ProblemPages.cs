using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Outpost.AspNetCore.OpenApi;

namespace Outpost.AspNetCore;

/// <summary>
/// <c>GET /api/problems/{name}</c> explains a kind of problem and what to do about it, at the address that is its
/// <c>type</c> (RFC 9457, 3.1.1). The page is the same for everybody and holds no data.
/// </summary>
/// <param name="endpoints">The app's endpoints, whose own refusals have pages too.</param>
internal sealed class ProblemPages(AppEndpoints endpoints)
{
    private readonly Lazy<Dictionary<string, ProblemType>> _types = new(() =>
        ProblemTypes.All
            .Concat(OpenApiDocument.Own(endpoints).SelectMany(endpoint => endpoint.Attributes.OfType<RefusesAttribute>()).Select(AppOperations.TypeOf))
            .DistinctBy(type => type.Name).ToDictionary(type => type.Name, StringComparer.Ordinal));

    /// <summary>The page, or 404.</summary>
    public IResult Answer(string name) => _types.Value.TryGetValue(name, out var type)
        ? new Page(type)
        : Problem.NotFound("problem-type-not-found", $"There is no page about '{(name.Length <= 40 ? name : name[..40] + "…")}'.");

    private sealed class Page(ProblemType type) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.Headers.CacheControl = "no-store";
            response.Headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
            response.Headers.XContentTypeOptions = "nosniff";
            return WholeBody.WriteAsync(httpContext, "text/html; charset=utf-8", Encoding.UTF8.GetBytes($"""
                <!doctype html>
                <html lang="en">
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width">
                <title>{Text(type.Name)}</title>
                <h1>{Text(type.Title)}</h1>
                <p><code>{Text(type.Name)}</code>, HTTP status {type.Status}</p>
                <p>{Text(type.Meaning)}</p>
                <h2>What to do</h2>
                <p>{Text(type.Remedy)}</p>
                <h2>Example</h2>
                <p>{Text(type.Example)}</p>
                </html>

                """));
        }

        private static string Text(string text) => WebUtility.HtmlEncode(text);
    }
}
