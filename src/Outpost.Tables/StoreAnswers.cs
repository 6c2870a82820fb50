using System.Text.Json;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Outpost.Tables;

/// <summary>
/// Looks at every answer before anybody believes it. One that lacks the service's own marks (a request id, with an error
/// its code, with a write its ETag) comes from something in between: it is a fault, and says nothing about the table.
/// A table that is not there is a fault too, and not a row that is not there.
/// </summary>
internal sealed class StoreAnswers : HttpPipelinePolicy
{
    private const string RequestId = "x-ms-request-id";
    private const string ClientRequestId = "x-ms-client-request-id";
    private const string ErrorCode = "x-ms-error-code";

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        Check(message);
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        ProcessNext(message, pipeline);
        Check(message);
    }

    private static void Check(HttpMessage message)
    {
        var (request, answer) = (message.Request, message.Response);
        if (Missing(request, answer) is { } missing)
            throw Foreign($"An answer of status {answer.Status} without {missing} is not Table Storage's.");
        if (answer.Status < 400) return;
        var code = CodeOf(answer);
        if (code is null && answer.Status < 500) throw Foreign($"An answer of status {answer.Status} without an error code is not Table Storage's.");
        if (code == TableErrors.TableNotFound || code == TableErrors.TableBeingDeleted)
            throw new StoreUnavailableException("The log's table is not there.", new RequestFailedException(answer.Status, code, code, null)) { Code = "table-missing" };
        // Permission that ended between two tries says nothing about the first one, which may have been done.
        if (answer.Status is 401 or 403 && request.Method != RequestMethod.Get && message.ProcessingContext.RetryNumber > 0)
            throw new StoreUnavailableException(
                "The store allows no more what may have been done at the first try.", new RequestFailedException(answer.Status, code ?? "", code, null));
    }

    // What tells that somebody else answered; null: nothing.
    private static string? Missing(Request request, Response answer)
    {
        if (!answer.Headers.TryGetValue(RequestId, out var id) || string.IsNullOrEmpty(id)) return RequestId;
        // The service repeats it: another one belongs to another request.
        if (answer.Headers.TryGetValue(ClientRequestId, out var echo) && echo != request.ClientRequestId) return "this request's " + ClientRequestId;
        if (answer.Status is 204 && WritesRow(request) && answer.Headers.ETag is null) return "ETag";
        return answer.Status is (>= 200 and < 300) or >= 400 ? null : "a status that it gives";
    }

    private static bool WritesRow(Request request) =>
        request.Method != RequestMethod.Delete && !request.Uri.Path.EndsWith("/Tables", StringComparison.Ordinal);

    // Azure has it in the body only.
    private static string? CodeOf(Response answer)
    {
        if (answer.Headers.TryGetValue(ErrorCode, out var code) && code is { Length: > 0 }) return code;
        if (answer.ContentStream is not MemoryStream { Length: > 0 }) return null;
        try
        {
            using var body = JsonDocument.Parse(answer.Content.ToMemory());
            return body.RootElement.TryGetProperty("odata.error", out var error) && error.TryGetProperty("code", out var text) && text.GetString() is { Length: > 0 } found
                ? found
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A page, a list, half an object.
            return null;
        }
    }

    // Status 0: the pipeline tries again, as after a lost connection, and nobody takes it for the service's word.
    private static RequestFailedException Foreign(string what) => new(0, what, new InvalidDataException(what));
}
