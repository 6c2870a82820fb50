using System.Runtime.ExceptionServices;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Outpost.Tables;

/// <summary>
/// The tries of one request, in place of the client's own: those wait for as long as an answer asks for, be it an hour.
/// Here the wait is this side's, and short; who is told to come later hears of it, and comes later.
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

    // Throws what stands.
    private bool IsLast(HttpMessage message, ExceptionDispatchInfo? failure, int number)
    {
        var canHelp = failure is null
            ? message.ResponseClassifier.IsRetriableResponse(message)
            : message.ResponseClassifier.IsRetriable(message, failure.SourceException);
        if (canHelp && number < options.MaxRetries && !message.CancellationToken.IsCancellationRequested) return false;
        failure?.Throw();
        return true;
    }

    // Between half and all of what doubles with each try; a request's id is random, and so is its share.
    private TimeSpan WaitAfter(HttpMessage message, int number)
    {
        var share = (uint)message.Request.ClientRequestId.GetHashCode(StringComparison.Ordinal) / (double)uint.MaxValue;
        var wait = options.Delay * Math.Pow(2, number) * (0.5 + (share / 2));
        return wait < options.MaxDelay ? wait : options.MaxDelay;
    }
}
