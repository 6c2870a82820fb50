using System.Runtime.ExceptionServices;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Outpost.Tables;

/// <summary>
/// Retries a request, in place of the client's own policy. The client waits for as long as an answer asks for, even an hour.
/// This policy waits only briefly. When its tries are used up, the caller gets the last answer and comes back later.
/// </summary>
internal sealed class StoreTries(RetryOptions options, TimeProvider time) : HttpPipelinePolicy
{
    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        for (var number = 0; ; number++)
        {
            Begin(message, number);
            var failure = default(ExceptionDispatchInfo);
            try
            {
                await ProcessNextAsync(message, pipeline);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }

            if (IsLast(message, failure, number)) return;
            await Task.Delay(WaitAfter(message, number), time, message.CancellationToken);
        }
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        for (var number = 0; ; number++)
        {
            Begin(message, number);
            var failure = default(ExceptionDispatchInfo);
            try
            {
                ProcessNext(message, pipeline);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }

            if (IsLast(message, failure, number)) return;
            message.CancellationToken.WaitHandle.WaitOne(WaitAfter(message, number));
        }
    }

    private static void Begin(HttpMessage message, int number)
    {
        if (number > 0 && message.HasResponse) message.Response.ContentStream?.Dispose();
        var context = message.ProcessingContext;
        context.RetryNumber = number;
    }

    // On the last try, throws its failure.
    private bool IsLast(HttpMessage message, ExceptionDispatchInfo? failure, int number)
    {
        var canHelp = failure is null
            ? message.ResponseClassifier.IsRetriableResponse(message)
            : message.ResponseClassifier.IsRetriable(message, failure.SourceException);
        if (canHelp && number < options.MaxRetries && !message.CancellationToken.IsCancellationRequested) return false;
        failure?.Throw();
        return true;
    }

    // Waits between half and all of a time that doubles with each try. The jitter comes from the request's id, which is random.
    private TimeSpan WaitAfter(HttpMessage message, int number)
    {
        var share = (uint)message.Request.ClientRequestId.GetHashCode(StringComparison.Ordinal) / (double)uint.MaxValue;
        var wait = options.Delay * Math.Pow(2, number) * (0.5 + (share / 2));
        return wait < options.MaxDelay ? wait : options.MaxDelay;
    }
}
