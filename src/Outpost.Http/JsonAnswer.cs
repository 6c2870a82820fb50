using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Outpost.Http;

/// <summary>An answer whose body is one JSON value, sent with its length.</summary>
/// <param name="value">The value.</param>
/// <param name="type">How it is written.</param>
/// <param name="status">HTTP status.</param>
public sealed class JsonAnswer<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) : IResult
{
    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = status;
        return WholeBody.WriteAsync(httpContext, "application/json; charset=utf-8", JsonSerializer.SerializeToUtf8Bytes(value, type));
    }
}

/// <summary>A body that is there as a whole before it is sent.</summary>
internal static class WholeBody
{
    /// <summary>Writes it; for HEAD its headers only. That the client has left is no fault: nobody reads the answer.</summary>
    public static async Task WriteAsync(HttpContext http, string contentType, ReadOnlyMemory<byte> body)
    {
        http.Response.ContentType = contentType;
        http.Response.ContentLength = body.Length;
        if (HttpMethods.IsHead(http.Request.Method)) return;
        try
        {
            await http.Response.Body.WriteAsync(body, http.RequestAborted);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && http.RequestAborted.IsCancellationRequested)
        {
            // It left.
        }
    }
}
