using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>
/// An answer whose body is one JSON value. It is sent with its length, and no cache keeps it. The preconditions of
/// reads are checked.
/// </summary>
/// <param name="value">The value.</param>
/// <param name="type">How it is written.</param>
/// <param name="status">HTTP status.</param>
/// <param name="tag">The answer's entity tag; null: it has none.</param>
internal sealed class JsonAnswer<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK, string? tag = null) : IResult
{
    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.Headers.CacheControl = "no-store";
        if (status == StatusCodes.Status200OK && Preconditions.OfRead(httpContext.Request, tag) is { } refusal) return refusal.ExecuteAsync(httpContext);
        if (tag is not null) response.Headers.ETag = tag;
        response.StatusCode = status;
        if (status != StatusCodes.Status200OK || !Preconditions.IsKnown(httpContext.Request, tag))
            return WholeBody.WriteAsync(httpContext, "application/json; charset=utf-8", ToJson());
        response.StatusCode = StatusCodes.Status304NotModified;
        return Task.CompletedTask;
    }

    private byte[] ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, WholeBody.Json)) JsonSerializer.Serialize(json, value, type);
        return buffer.ToArray();
    }
}

/// <summary>Writes a body that is complete before it is sent.</summary>
internal static class WholeBody
{
    /// <summary>
    /// People read these answers, so quotation marks stay unescaped. With nosniff, no browser takes an answer for a
    /// page.
    /// </summary>
    public static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Writes the body; for HEAD only its headers. A client that has left is no fault, because nobody reads the answer.
    /// </summary>
    public static async Task WriteAsync(HttpContext http, string contentType, ReadOnlyMemory<byte> body)
    {
        http.Response.ContentType = contentType;
        http.Response.ContentLength = body.Length;
        if (HttpMethods.IsHead(http.Request.Method)) return;
        try
        {
            await http.Response.Body.WriteAsync(body, http.RequestAborted);
        }
        catch (Exception e) when (e is IOException || (e is OperationCanceledException && http.RequestAborted.IsCancellationRequested))
        {
            // The client left.
        }
    }
}
