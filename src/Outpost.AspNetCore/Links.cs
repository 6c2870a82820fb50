using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>
/// Makes references for <c>Link</c> and <c>Location</c>. They begin with the app's public URL where it is set.
/// Otherwise they are relative to the request's own URL, so they also work behind a gateway that adds a prefix which
/// the app never sees.
/// </summary>
/// <param name="PublicUrl">The public URL without a slash at its end; null: not set.</param>
internal sealed record Links(string? PublicUrl)
{
    /// <summary>The requested resource with another query.</summary>
    public string WithQuery(HttpRequest request, string query) => PublicUrl is null ? $"?{query}" : $"{PublicUrl}{request.Path}?{query}";

    /// <summary>The resource named <paramref name="name"/> below the requested one.</summary>
    public string Below(HttpRequest request, string name)
    {
        var path = request.Path.Value ?? "";
        if (PublicUrl is not null) return $"{PublicUrl}{path.TrimEnd('/')}/{name}";
        // A reference is relative to the last slash of the request's path.
        return path.EndsWith('/') ? name : $"{path[(path.LastIndexOf('/') + 1)..]}/{name}";
    }
}
