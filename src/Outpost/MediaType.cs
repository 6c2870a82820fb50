using System.Net.Http.Headers;
using System.Text;
using System.Text.Unicode;

namespace Outpost;

/// <summary>What a content type says about a payload: JSON value, text or bytes.</summary>
internal static class MediaType
{
    /// <summary><c>application/json</c>.</summary>
    public const string Json = "application/json";

    /// <summary>True for <c>*/json</c> and <c>*/*+json</c>, with or without parameters.</summary>
    public static bool IsJson(string contentType)
    {
        var essence = Essence(contentType);
        return essence.EndsWith("/json", StringComparison.OrdinalIgnoreCase) ||
               essence.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>True for <c>text/*</c>.</summary>
    public static bool IsText(string contentType) => Essence(contentType).StartsWith("text/", StringComparison.OrdinalIgnoreCase);

    /// <summary>The text of a JSON or <c>text/*</c> payload; null if the payload is of another kind, or not UTF-8.</summary>
    public static string? TextOrNull(string contentType, ReadOnlySpan<byte> payload) =>
        // Reading bytes that are not UTF-8 as text would change them silently.
        (IsJson(contentType) || IsText(contentType)) && IsUtf8(contentType, payload) ? Encoding.UTF8.GetString(payload) : null;

    /// <summary>Whether a payload is UTF-8, by its content type and by its bytes.</summary>
    public static bool IsUtf8(string contentType, ReadOnlySpan<byte> payload) => IsUtf8(contentType) && Utf8.IsValid(payload);

    // Bytes in another charset may happen to be valid UTF-8, and would become another text.
    private static bool IsUtf8(string contentType) =>
        !contentType.Contains("charset", StringComparison.OrdinalIgnoreCase) ||
        (MediaTypeHeaderValue.TryParse(contentType, out var parsed) &&
         (parsed.CharSet?.Trim('"').ToUpperInvariant() ?? "UTF-8") is "UTF-8" or "US-ASCII");

    private static ReadOnlySpan<char> Essence(string contentType)
    {
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? contentType : contentType.AsSpan(0, end)).Trim();
    }
}
