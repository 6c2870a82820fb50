using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace Outpost.Tests.Unit.Http;

/// <summary>Requests and answers without a server.</summary>
internal static class Asking
{
    private static readonly ServiceProvider Services = new ServiceCollection().AddLogging().BuildServiceProvider();

    public static HttpRequest Request(string target, params (string Name, string Value)[] headers) => Request("GET", target, null, headers);

    public static HttpRequest Request(string method, string target, byte[]? body, params (string Name, string Value)[] headers)
    {
        var http = new DefaultHttpContext { RequestServices = Services };
        var query = target.IndexOf('?', StringComparison.Ordinal);
        http.Request.Method = method;
        http.Request.Path = query < 0 ? target : target[..query];
        http.Request.QueryString = new QueryString(query < 0 ? "" : target[query..]);
        // Not Append: it passes over empty values, which a server does not.
        foreach (var (name, value) in headers) http.Request.Headers[name] = StringValues.Concat(http.Request.Headers[name], value);
        if (body is not null)
        {
            http.Request.Body = new MemoryStream(body);
            http.Request.ContentLength ??= body.Length;
        }

        return http.Request;
    }

    public static HttpRequest Post(string target, string json, params (string Name, string Value)[] headers) =>
        Request("POST", target, Encoding.UTF8.GetBytes(json), [.. headers, ("Content-Type", "application/json")]);

    public static async Task<Answer> AnswerAsync(HttpRequest request, IResult result)
    {
        var http = request.HttpContext;
        using var body = new MemoryStream();
        http.Response.Body = body;
        await result.ExecuteAsync(http);
        return new Answer(http.Response.StatusCode, http.Response.Headers, body.ToArray());
    }

    public static async Task<Answer> AnswerAsync(HttpRequest request, Func<HttpRequest, Task<IResult>> ask) =>
        await AnswerAsync(request, await ask(request));
}

internal sealed record Answer(int Status, IHeaderDictionary Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>A header, or null where there is none.</summary>
    public string? this[string header] => Headers.TryGetValue(header, out var value) ? value.ToString() : null;

    public long Next => long.Parse(this["Next-Offset"]!, CultureInfo.InvariantCulture);

    /// <summary>The name of a problem: the last segment of its type.</summary>
    public string ProblemName
    {
        get
        {
            Assert.Equal(("application/problem+json", "no-store"), (this["Content-Type"], this["Cache-Control"]));
            Assert.Equal(Status, Json.GetProperty("status").GetInt32());
            return Json.GetProperty("type").GetString()!.Split('/')[^1];
        }
    }

    public string Detail => Json.GetProperty("detail").GetString()!;
}
