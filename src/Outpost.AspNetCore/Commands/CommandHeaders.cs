using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Outpost.AspNetCore;

/// <summary>A command's headers, checked. Use it for an endpoint whose body <see cref="EntityApi"/> does not read.</summary>
public sealed partial class CommandHeaders
{
    private const int CorrelationIdMax = 128;

    private CommandHeaders(string? key, VersionCondition? ifMatch, string? traceParent, string? correlationId) =>
        (Key, IfMatch, TraceParent, CorrelationId) = (key, ifMatch, traceParent, correlationId);

    /// <summary>The idempotency key; null: there is none.</summary>
    public string? Key { get; }

    /// <summary>The versions that <c>If-Match</c> accepts; null: any.</summary>
    public VersionCondition? IfMatch { get; }

    /// <summary>The W3C <c>traceparent</c>; null: there is none, or it is not valid.</summary>
    public string? TraceParent { get; }

    /// <summary><c>X-Correlation-Id</c>; null: there is none.</summary>
    public string? CorrelationId { get; }

    /// <summary>Reads the headers. Where one is not allowed, the headers are null and the problem is the answer (400).</summary>
    public static (CommandHeaders? Headers, IResult? Problem) Read(HttpRequest request)
    {
        if (Preconditions.OfCommand(request, isVersioned: true) is { } condition) return (null, condition);
        var (key, keyProblem) = ReadKey(request);
        if (keyProblem is not null) return (null, keyProblem);
        var (ifMatch, ifMatchProblem) = ReadIfMatch(request);
        if (ifMatchProblem is not null) return (null, ifMatchProblem);
        var correlationId = request.Headers["X-Correlation-Id"];
        if (correlationId.Count > 1 || (correlationId.Count == 1 && !IsPrintable(correlationId.ToString(), CorrelationIdMax)))
            return (null, Problem.BadRequest(
                $"X-Correlation-Id: one value of 1 to {CorrelationIdMax} printable ASCII characters is allowed."));
        return (new CommandHeaders(key, ifMatch, TraceParentOf(request), correlationId.Count == 0 ? null : correlationId.ToString()), null);
    }

    /// <summary>What a repeat of the command is recognised by; null where it has no key.</summary>
    /// <param name="scope">Where the key is valid: the method and the path, which names the entity.</param>
    /// <param name="body">The request's body as received. The same key with another body is refused.</param>
    public Idempotency? Idempotency(string scope, ReadOnlySpan<byte> body) =>
        Key is null ? null : new Idempotency(scope, Key, Convert.ToHexStringLower(SHA256.HashData(body)));

    // draft-ietf-httpapi-idempotency-key-header asks for a structured-field string. A bare token is accepted too.
    private static (string? Key, Problem? Problem) ReadKey(HttpRequest request)
    {
        var values = request.Headers["Idempotency-Key"];
        if (values.Count == 0) return (null, null);
        var text = values.ToString().Trim();
        var key = values.Count > 1 ? null : Unquote(text);
        return key is not null && IsPrintable(key, Limits.IdempotencyKeyMax)
            ? (key, null)
            : (null, Problem.BadRequest(
                $"Idempotency-Key: '{Shown(text)}' is not allowed; one quoted string or bare token of 1 to {Limits.IdempotencyKeyMax} printable ASCII characters is."));
    }

    private static string? Unquote(string text)
    {
        if (!text.StartsWith('"')) return text.AsSpan().IndexOfAny(" ,;\"\\") < 0 ? text : null;
        if (text.Length < 2 || !text.EndsWith('"')) return null;
        var key = new System.Text.StringBuilder(text.Length);
        for (var i = 1; i < text.Length - 1; i++)
        {
            if (text[i] == '"') return null;
            // RFC 8941, 3.3.3: only a quote and a backslash may be escaped.
            if (text[i] == '\\' && (++i == text.Length - 1 || text[i] is not ('"' or '\\'))) return null;
            key.Append(text[i]);
        }

        return key.ToString();
    }

    // RFC 9110, 13.1.1 asks for strong comparison, so a weak tag matches nothing.
    private static (VersionCondition? IfMatch, Problem? Problem) ReadIfMatch(HttpRequest request)
    {
        var values = request.Headers.IfMatch;
        if (values.Count == 0) return (null, null);
        if (!EntityTagHeaderValue.TryParseStrictList(values, out var tags) || tags.Count == 0)
            return (null, Problem.BadRequest($"If-Match: '{Shown(values.ToString())}' is not allowed; a list of entity tags such as \"3\", or * is."));
        if (tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any))) return (new VersionCondition(Versions: null), null);
        var versions = new List<long>();
        foreach (var tag in tags)
        {
            // Tags are compared character by character (RFC 9110, 8.8.3.2), so "03" is not "3".
            if (!tag.IsWeak && long.TryParse(tag.Tag.AsSpan().Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var version) &&
                tag.Tag.Equals(string.Create(CultureInfo.InvariantCulture, $"\"{version}\""), StringComparison.Ordinal))
                versions.Add(version);
        }

        return (new VersionCondition(versions), null);
    }

    private static string? TraceParentOf(HttpRequest request)
    {
        var values = request.Headers.TraceParent;
        return values.Count == 1 && TraceParentParts().Match(values.ToString()) is { Success: true } parts
            ? parts.Groups["later"].Success ? $"00-{parts.Groups["ids"].Value}-{Sampled(parts.Groups["flags"].Value)}" : values.ToString()
            : null;
    }

    // From a later version, only what version 00 knows is taken (W3C Trace Context, 4.3): the ids, and whether the
    // trace is sampled.
    private static string Sampled(string flags) =>
        (byte.Parse(flags, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) & 1) == 1 ? "01" : "00";

    [GeneratedRegex(
        @"^((?<later>(?!00|ff)[0-9a-f]{2})|00)-(?<ids>(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?(later)(-.*)?)\z",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex TraceParentParts();

    private static bool IsPrintable(string text, int max) => text.Length >= 1 && text.Length <= max && text.All(c => c is >= ' ' and <= '~');

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
