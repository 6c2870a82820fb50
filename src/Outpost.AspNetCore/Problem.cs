using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Outpost.AspNetCore;

/// <summary>
/// An error answer: <c>application/problem+json</c> (RFC 9457). Its <c>type</c> ends in a stable name that programs can
/// rely on, and <c>detail</c> is a sentence for people. No cache keeps it.
/// </summary>
internal sealed class Problem : IResult
{
    /// <summary>The beginning of <c>type</c>. The page at that address explains the problem.</summary>
    internal const string TypePrefix = "/api/problems/";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = WholeBody.Json.Encoder };
    private TimeSpan? _retryAfter;

    private Problem(int status, string name, string title, string detail) =>
        Details = new ProblemDetails { Type = TypePrefix + name, Title = title, Status = status, Detail = detail };

    /// <summary>The body.</summary>
    public ProblemDetails Details { get; }

    /// <summary>HTTP status.</summary>
    public int Status => Details.Status!.Value;

    /// <summary>Last segment of <c>type</c>.</summary>
    public string Name => Details.Type![TypePrefix.Length..];

    /// <summary>What happened this time.</summary>
    public string Detail => Details.Detail!;

    /// <summary>400: a field, parameter or header of the request is not allowed.</summary>
    public static Problem BadRequest(string detail, string name = "invalid-request") =>
        new(400, name, "The request is not valid", detail);

    /// <summary>404.</summary>
    public static Problem NotFound(string name, string detail) => new(404, name, TitleOf(404), detail);

    /// <summary>409: the state forbids it.</summary>
    public static Problem Conflict(string name, string detail) => new(409, name, TitleOf(409), detail);

    /// <summary>410: the entries were deleted by retention.</summary>
    public static Problem Expired(string detail) => new(410, "offset-expired", "These entries are gone", detail);

    /// <summary>412: If-Match names another version.</summary>
    public static Problem PreconditionFailed(string detail) => new(412, "stale-version", "The version is not current", detail);

    /// <summary>413.</summary>
    public static Problem TooLarge(string detail) => new(413, "too-large", "The request is too large", detail);

    /// <summary>415.</summary>
    public static Problem UnsupportedMediaType(string detail) =>
        new(415, "unsupported-media-type", "The media type is not supported", detail);

    /// <summary>The answer to a command that the app's own rules refuse.</summary>
    public static Problem Refused(Refusal refusal) => refusal.Kind switch
    {
        RefusalKind.NotFound => NotFound(refusal.Code, refusal.Detail),
        RefusalKind.Conflict => Conflict(refusal.Code, refusal.Detail),
        RefusalKind.Forbidden => new(403, refusal.Code, TitleOf(403), refusal.Detail),
        RefusalKind.Invalid => new(422, refusal.Code, TitleOf(422), refusal.Detail),
        _ => throw new InvalidOperationException($"Unknown kind of refusal {refusal.Kind}."),
    };

    /// <summary>The title of the answer to such a refusal.</summary>
    internal static string TitleOf(int status) => status switch
    {
        403 => "This is not allowed",
        404 => "Not found",
        409 => "The state forbids it",
        422 => "The command is not valid",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "A refusal is 403, 404, 409 or 422."),
    };

    /// <summary>401: the request has no token, or none that is valid here.</summary>
    internal static Problem NotSignedIn(string detail) => new(401, "not-signed-in", "Nobody is signed in", detail);

    /// <summary>403: the app maps a route and does not say who may use it.</summary>
    internal static Problem NotProtected() => new(
        403, "not-protected", "This route is not protected",
        "This app does not say who may use this route. Call RequireAuthorization, or AllowAnonymous where something before the app protects it, on what MapOutpost returns.");

    /// <summary>422: the idempotency key belongs to another request.</summary>
    public static Problem KeyReused(string detail) =>
        new(422, "idempotency-key-reused", "The idempotency key was used for another request", detail);

    /// <summary>500: a fault of this program. The answer says nothing about its cause.</summary>
    public static Problem Fault() =>
        new(500, "internal-error", "Something went wrong here", "The request could not be completed. It has been logged.");

    /// <summary>503: a later try helps.</summary>
    public static Problem Unavailable(string name, string detail, TimeSpan? retryAfter = null) =>
        new(503, name, "Not available right now", detail) { _retryAfter = retryAfter ?? TimeSpan.FromSeconds(1) };

    /// <summary>Adds a member to the body.</summary>
    public Problem With(string name, object value)
    {
        Details.Extensions[name] = value;
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
        return WholeBody.WriteAsync(httpContext, "application/problem+json", JsonSerializer.SerializeToUtf8Bytes(Details, Json));
    }
}
