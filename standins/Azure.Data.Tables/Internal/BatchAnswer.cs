using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Azure.Data.Tables.Internal;

/// <summary>
/// Reads a transaction's multipart answer. Anything that is not a whole answer throws, so that it can never pass for
/// a success: <see cref="InvalidOperationException"/> for what is malformed, <see cref="IOException"/> for what ends
/// early. Trap: neither is a <see cref="RequestFailedException"/>, and the transaction may well have been applied.
/// </summary>
internal static class BatchAnswer
{
    private const string MultipartPrefix = "multipart/mixed; boundary=";

    public static List<Response> Parse(ReadOnlyMemory<byte> body, string? contentType, int expected)
    {
        var responses = new List<Response>(expected);
        var ids = new List<int>();
        ParseSections(body, Boundary(contentType), responses, ids, depth: 0);
        return ids.Count == 0 ? responses : ById(responses, ids);
    }

    private static List<Response> ById(List<Response> responses, List<int> ids)
    {
        var ordered = new Response?[responses.Count];
        for (var i = 0; i < responses.Count; i++)
        {
            var id = ids.Count == responses.Count ? ids[i] : -1;
            if (id < 0 || id >= ordered.Length || ordered[id] is not null)
                throw new InvalidOperationException("Expected Content-ID 0, 1, … for all responses, or for none.");
            ordered[id] = responses[i];
        }
        return [.. ordered.OfType<Response>()];
    }

    private static byte[] Boundary(string? contentType)
    {
        if (contentType is null || !contentType.StartsWith(MultipartPrefix, StringComparison.Ordinal))
        {
            throw new InvalidOperationException(
                $"Expected Content-Type to start with {MultipartPrefix} but received {contentType}");
        }
        return Encoding.ASCII.GetBytes("--" + contentType[MultipartPrefix.Length..].Trim());
    }

    private static void ParseSections(
        ReadOnlyMemory<byte> body, byte[] delimiter, List<Response> responses, List<int> ids, int depth)
    {
        var (_, position, isLast) = NextDelimiter(body.Span, delimiter, 0);
        while (!isLast)
        {
            var (end, next, last) = NextDelimiter(body.Span, delimiter, position);
            ParseSection(body[position..end], responses, ids, depth);
            (position, isLast) = (next, last);
        }
    }

    /// <summary>Where the part up to the next delimiter ends, where the one after begins, and if it closes.</summary>
    private static (int End, int Next, bool IsLast) NextDelimiter(ReadOnlySpan<byte> body, byte[] delimiter, int from)
    {
        for (var at = from; at < body.Length;)
        {
            var found = body[at..].IndexOf(delimiter);
            if (found < 0)
                break;
            found += at;
            at = found + delimiter.Length;
            if (found > 0 && body[found - 1] != '\n')
                continue;
            var rest = body[at..];
            var isLast = rest.StartsWith("--"u8);
            var lineEnd = rest.IndexOf((byte)'\n');
            if (!isLast && lineEnd < 0)
                break;
            if (!isLast && !IsBlank(rest[..lineEnd]))
                continue;
            var end = found > from ? found - 1 : found;
            if (end > from && body[end - 1] == '\r')
                end--;
            return (end, isLast ? body.Length : at + lineEnd + 1, isLast);
        }
        throw new IOException("Unexpected end of Stream: the answer to the batch has no closing boundary.");
    }

    private static InvalidOperationException Unexpected(string expected, ReadOnlySpan<byte> line) =>
        new($"Expected {expected}, not {Encoding.ASCII.GetString(line)}");

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(" \t\r"u8) < 0;

    private static void ParseSection(ReadOnlyMemory<byte> section, List<Response> responses, List<int> ids, int depth)
    {
        var (headers, content) = SplitHeaders(section);
        var partType = SubResponse.FindBytes(headers.Span, "Content-Type");
        if (partType.StartsWith("multipart/"u8))
        {
            if (depth > 0)
                throw new InvalidOperationException("A change set cannot contain another one.");
            ParseSections(content, Boundary(Encoding.ASCII.GetString(partType)), responses, ids, depth + 1);
            return;
        }
        if (SubResponse.Find(headers.Span, "Content-ID") is { } id)
            ids.Add(int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1);
        responses.Add(ParseResponse(content));
    }

    private static SubResponse ParseResponse(ReadOnlyMemory<byte> http)
    {
        var lineEnd = http.Span.IndexOf((byte)'\n');
        if (lineEnd < 0)
            throw new IOException("Unexpected end of Stream: a response of the batch ends in its status line.");
        var line = http.Span[..lineEnd].TrimEnd((byte)'\r');
        var code = line.StartsWith("HTTP/"u8) ? line[(line.IndexOf((byte)' ') + 1)..] : default;
        if (code.Length < 4 || code[3] != ' ' || !Utf8Parser.TryParse(code, out int status, out var read) || read != 3)
            throw Unexpected("an HTTP status line", line);
        var reason = code[4..].SequenceEqual("No Content"u8) ? "No Content" : Encoding.ASCII.GetString(code[4..]);
        var (headers, content) = SplitHeaders(http[(lineEnd + 1)..]);
        return new SubResponse(status, reason, headers, content);
    }

    /// <summary>Header lines up to the empty one; each must have a colon.</summary>
    private static (ReadOnlyMemory<byte> Headers, ReadOnlyMemory<byte> Content) SplitHeaders(ReadOnlyMemory<byte> part)
    {
        var span = part.Span;
        for (var at = 0; at < span.Length;)
        {
            var lineEnd = span[at..].IndexOf((byte)'\n');
            var line = lineEnd < 0 ? span[at..] : span.Slice(at, lineEnd);
            var next = lineEnd < 0 ? span.Length : at + lineEnd + 1;
            if (IsBlank(line))
                return (part[..at], part[next..]);
            if (!line.Contains((byte)':'))
                throw Unexpected("an HTTP header line", line);
            at = next;
        }
        return (part, default);
    }
}
