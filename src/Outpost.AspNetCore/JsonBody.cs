using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Outpost.AspNetCore;

/// <summary>A request's JSON body: one object within a bound, with no member twice.</summary>
/// <param name="Bytes">The bytes as received.</param>
/// <param name="Root">The object; undefined where there was no body.</param>
internal sealed record JsonBody(byte[] Bytes, JsonElement Root)
{
    private const int DepthMax = 16;

    // Depth and repeated members are checked here, so that problems name them in this API's words.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = int.MaxValue };

    /// <summary>Reads a body of at most <paramref name="bytesMax"/> bytes; null and a problem where it is not allowed.</summary>
    /// <param name="request">The request.</param>
    /// <param name="bytesMax">A longer body is answered 413.</param>
    /// <param name="optional">Whether the request may come without a body.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<(JsonBody? Body, Problem? Problem)> ReadAsync(
        HttpRequest request, int bytesMax, bool optional, CancellationToken cancellationToken)
    {
        if (request.Headers.ContentEncoding is { Count: > 0 } encoding && !encoding.ToString().Trim().Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            // RFC 9110, 12.5.3: this header says which encoding is supported.
            request.HttpContext.Response.Headers.AcceptEncoding = "identity";
            return (null, Problem.UnsupportedMediaType($"Content-Encoding: '{Shown(encoding.ToString())}' is not supported; a body as it is (identity) is."));
        }

        if (request.ContentLength > bytesMax) return (null, TooLarge(bytesMax));
        var (bytes, problem) = await ReadBytesAsync(request, bytesMax, cancellationToken);
        if (bytes is null) return (null, problem);
        if (bytes.Length == 0 && optional) return (new JsonBody(bytes, default), null);
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !MediaType.IsJson(type.MediaType.ToString()) ||
            (type.Charset.HasValue && !HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
            return (null, Problem.UnsupportedMediaType($"Content-Type: '{Shown(request.ContentType ?? "")}' is not supported; application/json in UTF-8 is."));
        // The parser accepts any bytes within a string, and throws when somebody reads that string.
        if (!Utf8.IsValid(bytes)) return (null, Problem.BadRequest("The body is not valid UTF-8."));
        try
        {
            using var document = JsonDocument.Parse(bytes, Options);
            if (Check(document.RootElement, depth: 1) is { } fault) return (null, Problem.BadRequest(fault));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? (new JsonBody(bytes, document.RootElement.Clone()), null)
                : (null, Problem.BadRequest("The body must be a JSON object."));
        }
        catch (JsonException e)
        {
            return (null, Problem.BadRequest($"The body is not valid JSON: see line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}."));
        }
        catch (InvalidOperationException)
        {
            return (null, Problem.BadRequest("The body has a member whose name is not text: it holds an unpaired surrogate."));
        }
    }

    // A name with an unpaired surrogate escape is valid JSON, and reading it throws. The recursion goes no deeper than
    // the depth that is allowed.
    private static string? Check(JsonElement element, int depth)
    {
        if (element.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object)) return null;
        if (depth > DepthMax) return $"The body is nested more than {DepthMax} deep.";
        if (element.ValueKind == JsonValueKind.Array)
            return element.EnumerateArray().Select(item => Check(item, depth + 1)).FirstOrDefault(fault => fault is not null);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject())
        {
            if (!names.Add(member.Name)) return $"The body has the member '{Shown(member.Name)}' twice in one object.";
            if (Check(member.Value, depth + 1) is { } fault) return fault;
        }

        return null;
    }

    private static async Task<(byte[]? Bytes, Problem? Problem)> ReadBytesAsync(
        HttpRequest request, int bytesMax, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(bytesMax + 1);
        try
        {
            // One byte more than allowed shows that the body is too long, without reading all of it.
            var length = await request.Body.ReadAtLeastAsync(buffer.AsMemory(0, bytesMax + 1), bytesMax + 1, throwOnEndOfStream: false, cancellationToken);
            return length > bytesMax ? (null, TooLarge(bytesMax)) : (buffer.AsSpan(0, length).ToArray(), null);
        }
        catch (BadHttpRequestException e)
        {
            return (null, e.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? TooLarge(bytesMax)
                : Problem.BadRequest("The body could not be read: it is not framed as HTTP requires, or came too slowly."));
        }
        catch (IOException)
        {
            // The client left while it sent the body. It reads no answer, and nothing here failed.
            return (null, Problem.BadRequest("The body ended early."));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";

    private static Problem TooLarge(int bytesMax) =>
        Problem.TooLarge($"The body has more than {bytesMax} bytes; at most {bytesMax} are allowed.").With("maxBytes", bytesMax);
}
