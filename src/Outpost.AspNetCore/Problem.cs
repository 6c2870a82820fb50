using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>
/// An error answer: <c>application/problem+json</c> (RFC 9457). Its <c>type</c> ends in a stable name that programs can
/// rely on; <c>detail</c> is a sentence for people. Never cached.
/// </summary>
public sealed class Problem : IResult
{
    private readonly Dictionary<string, object> _members = new(StringComparer.Ordinal);
    private TimeSpan? _retryAfter;

    private Problem(int status, string name, string title, string detail)
    {
        Status = status;
        Name = name;
        Title = title;
        Detail = detail;
    }

    /// <summary>HTTP status.</summary>
    public int Status { get; }

    /// <summary>Last segment of <c>type</c>.</summary>
    public string Name { get; }

    /// <summary>The same for every problem of this name.</summary>
    public string Title { get; }

    /// <summary>What happened this time.</summary>
    public string Detail { get; }

    /// <summary>400: a field, parameter or header of the request is not allowed.</summary>
    public static Problem BadRequest(string detail, string name = "invalid-request") =>
        new(400, name, "The request is not valid", detail);

    /// <summary>404.</summary>
    public static Problem NotFound(string name, string detail) => new(404, name, "Not found", detail);

    /// <summary>409: the state forbids it.</summary>
    public static Problem Conflict(string name, string detail) => new(409, name, "The state forbids it", detail);

    /// <summary>410: the entries were deleted by retention.</summary>
    public static Problem Expired(string detail) => new(410, "offset-expired", "These entries are gone", detail);

    /// <summary>412: If-Match names another version.</summary>
    public static Problem PreconditionFailed(string detail) => new(412, "stale-version", "The version is not current", detail);

    /// <summary>413.</summary>
    public static Problem TooLarge(string detail) => new(413, "too-large", "The request is too large", detail);

    /// <summary>415.</summary>
    public static Problem UnsupportedMediaType(string detail) =>
        new(415, "unsupported-media-type", "The media type is not supported", detail);

    /// <summary>What a command's own rules refuse.</summary>
    public static Problem Refused(Refusal refusal) => refusal.Kind switch
    {
        RefusalKind.NotFound => NotFound(refusal.Code, refusal.Detail),
        RefusalKind.Conflict => Conflict(refusal.Code, refusal.Detail),
        RefusalKind.Forbidden => new(403, refusal.Code, "This is not allowed", refusal.Detail),
        RefusalKind.Invalid => new(422, refusal.Code, "The command is not valid", refusal.Detail),
        _ => throw new InvalidOperationException($"Unknown kind of refusal {refusal.Kind}."),
    };

    /// <summary>403: an app maps routes and does not say who may use them.</summary>
    internal static Problem NotProtected() => new(
        403, "not-protected", "This route is not protected",
        "This app does not say who may use this route. Call RequireAuthorization, or AllowAnonymous where something before the app protects it, on what MapOutpost returns.");

    /// <summary>422: the idempotency key belongs to another request.</summary>
    public static Problem KeyReused(string detail) =>
        new(422, "idempotency-key-reused", "The idempotency key was used for another request", detail);

    /// <summary>500: a fault of this program. Says nothing of its inside.</summary>
    public static Problem Fault() =>
        new(500, "internal-error", "Something went wrong here", "The request could not be completed. It has been logged.");

    /// <summary>503: trying again later helps.</summary>
    public static Problem Unavailable(string name, string detail, TimeSpan? retryAfter = null) =>
        new(503, name, "Not available right now", detail) { _retryAfter = retryAfter ?? TimeSpan.FromSeconds(1) };

    /// <summary>Adds a member to the body.</summary>
    public Problem With(string name, object value)
    {
        _members[name] = value;
        return this;
    }

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.Headers.CacheControl = "no-store";
        if (_retryAfter is { } retryAfter)
            response.Headers.RetryAfter = Math.Ceiling(retryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return WholeBody.WriteAsync(httpContext, "application/problem+json", ToJson());
    }

    private byte[] ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, WholeBody.Json))
        {
            json.WriteStartObject();
            json.WriteString("type", $"/problems/{Name}");
            json.WriteString("title", Title);
            json.WriteNumber("status", Status);
            json.WriteString("detail", Detail);
            foreach (var (name, value) in _members)
            {
                json.WritePropertyName(name);
                JsonSerializer.Serialize(json, value);
            }

            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
