using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Outpost.AspNetCore;

/// <summary>
/// Conditions of a request (RFC 9110, 13): held, or refused where they are not supported. Nobody who guards a request
/// gets it carried out unguarded.
/// </summary>
internal static class Preconditions
{
    /// <summary>A command can be held to versions by If-Match, where it says so; it supports no other condition.</summary>
    public static Problem? OfCommand(HttpRequest request, bool isVersioned) =>
        NotSupported(request, HeaderNames.IfNoneMatch)
        ?? NotSupported(request, HeaderNames.IfUnmodifiedSince)
        ?? (isVersioned ? null : NotSupported(request, HeaderNames.IfMatch));

    /// <summary>What a read says to its conditions; null where they hold. If-Modified-Since only saves bytes: it may be passed over.</summary>
    /// <param name="request">A GET or HEAD request; of any other the conditions were looked at before it was carried out.</param>
    /// <param name="tag">The entity tag of the answer, or null where it has none: then only <c>*</c> matches.</param>
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

    /// <summary>Whether a reader has the answer already: 304. Weak comparison; what is no list of tags matches nothing, and the reader gets the answer.</summary>
    public static bool IsKnown(HttpRequest request, string? tag) =>
        IsRead(request) && tag is not null && EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var tags) &&
        tags.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(new EntityTagHeaderValue(tag), useStrongComparison: false));

    public static bool IsRead(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    private static Problem? NotSupported(HttpRequest request, string name) => request.Headers.ContainsKey(name)
        ? Problem.BadRequest($"{name}: this condition is not supported here, so nothing was done.")
        : null;
}
