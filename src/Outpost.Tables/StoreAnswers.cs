using System.Text.Json;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Outpost.Tables;

/// <summary>
/// Checks every answer before anybody trusts it. An answer without the service's own marks (a request id, the code of an error,
/// the ETag of a write) comes from something in between. Such an answer is a fault, and says nothing about the table. A missing
/// table is a fault too, and must not be taken for a missing row.
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
        // A permission that ended between two tries says nothing about the first try, which may have succeeded.
        if (answer.Status is 401 or 403 && request.Method != RequestMethod.Get && message.ProcessingContext.RetryNumber > 0)
            throw new StoreUnavailableException(
                "The store forbids the retry of a request whose first try may have succeeded.", new RequestFailedException(answer.Status, code ?? "", code, null));
    }

    // The mark that the answer lacks, so that it is not the service's; null if it lacks none.
    private static string? Missing(Request request, Response answer)
    {
        if (!answer.Headers.TryGetValue(RequestId, out var id) || string.IsNullOrEmpty(id)) return RequestId;
        // The service repeats the id of the request, so another id belongs to another request.
        if (answer.Headers.TryGetValue(ClientRequestId, out var echo) && echo != request.ClientRequestId) return "this request's " + ClientRequestId;
        if (answer.Status is 204 && WritesRow(request) && answer.Headers.ETag is null) return "ETag";
        return answer.Status is (>= 200 and < 300) or >= 400 ? null : "a status that it gives";
    }

    private static bool WritesRow(Request request) =>
        request.Method != RequestMethod.Delete && !request.Uri.Path.EndsWith("/Tables", StringComparison.Ordinal);

    // Azure gives the code of an error in the body only.
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
            // The body is a web page, a list or half an object.
            return null;
        }
    }

    // With status 0, the pipeline retries as after a lost connection, and nobody takes the answer for the service's.
    private static RequestFailedException Foreign(string what) => new(0, what, new InvalidDataException(what));
}
