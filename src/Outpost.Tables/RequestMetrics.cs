using Azure.Core;
using Azure.Core.Pipeline;

namespace Outpost.Tables;

/// <summary>Counts requests to the store by operation and status. It includes retries, since Azure bills and throttles them too.</summary>
internal sealed class RequestMetrics(OutpostMetrics metrics) : HttpPipelinePolicy
{
    private const int NoAnswer = 0;

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        try
        {
            await ProcessNextAsync(message, pipeline);
        }
        finally
        {
            Count(message);
        }
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        try
        {
            ProcessNext(message, pipeline);
        }
        finally
        {
            Count(message);
        }
    }

    private void Count(HttpMessage message) =>
        metrics.StorageRequest(OperationOf(message.Request), message.HasResponse ? message.Response.Status : NoAnswer);

    private static string OperationOf(Request request)
    {
        var path = request.Uri.Path;
        if (path.EndsWith("$batch", StringComparison.Ordinal)) return "transaction";
        if (request.Method == RequestMethod.Get) return path.Contains("RowKey=", StringComparison.Ordinal) ? "read" : "query";
        return request.Method == RequestMethod.Delete ? "delete" : "write";
    }
}
