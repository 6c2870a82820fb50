using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Outpost.AspNetCore;

/// <summary>
/// Checks the conditions of a request (RFC 9110, 13), and refuses those that are not supported. No request with a
/// condition is carried out without a check of that condition.
/// </summary>
internal static class Preconditions
{
    /// <summary>
    /// Checks a command's conditions. If-Match can name versions where the command has them; no other condition is
    /// supported.
    /// </summary>
    public static Problem? OfCommand(HttpRequest request, bool isVersioned) =>
        NotSupported(request, HeaderNames.IfNoneMatch)
        ?? NotSupported(request, HeaderNames.IfUnmodifiedSince)
        ?? (isVersioned ? null : NotSupported(request, HeaderNames.IfMatch));

    /// <summary>
    /// Checks a read's conditions; null where they hold. If-Modified-Since only saves bytes, so it may be ignored.
    /// </summary>
    /// <param name="request">
    /// The request. Only GET and HEAD are checked here; other methods were checked before they were carried out.
    /// </param>
    /// <param name="tag">The entity tag of the answer. Null: it has none, so only <c>*</c> matches.</param>
    public static Problem? OfRead(HttpRequest request, string? tag)
    {
        if (!IsRead(request)) return null;
        if (NotSupported(request, HeaderNames.IfUnmodifiedSince) is { } problem) return problem;
        var values = request.Headers.IfMatch;
        if (values.Count == 0) return null;
        if (!EntityTagHeaderValue.TryParseStrictList(values, out var tags) || tags.Count == 0)
            return Problem.BadRequest("If-Match: this is not allowed; a list of entity tags such as \"3\", or * is.");
        var matches = tags.Any(one => one.Equals(EntityTagHeaderValue.Any) || (tag is not null && one.Compare(new EntityTagHeaderValue(tag), useStrongComparison: true)));
        return matches ? null : Problem.PreconditionFailed(tag is null
            ? "If-Match: this answer has no entity tag, so none matches."
            : $"If-Match names another version; the current entity tag is {tag}.");
    }

    /// <summary>
    /// Whether the caller has the answer already (304), by weak comparison. A header that is no list of tags matches
    /// nothing, so the caller gets the answer.
    /// </summary>
    public static bool IsKnown(HttpRequest request, string? tag) =>
        IsRead(request) && tag is not null && EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var tags) &&
        tags.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(new EntityTagHeaderValue(tag), useStrongComparison: false));

    public static bool IsRead(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    private static Problem? NotSupported(HttpRequest request, string name) => request.Headers.ContainsKey(name)
        ? Problem.BadRequest($"{name}: this condition is not supported here, so nothing was done.")
        : null;
}
