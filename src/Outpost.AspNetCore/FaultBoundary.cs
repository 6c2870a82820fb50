using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Outpost.AspNetCore;

/// <summary>What every HTTP function of this app does around its own work: faults become problems, once and logged.</summary>
internal sealed partial class FaultBoundary(ILogger<FaultBoundary> logger, TimeProvider time, StoreProblems? problems = null)
{
    // Above every bound within, the longest of which is a waiting reader's; clients and gateways give up soon after.
    private static readonly TimeSpan RequestMax = TimeSpan.FromSeconds(33);

    /// <summary>Runs <paramref name="work"/>; answers a problem where it throws.</summary>
    /// <param name="request">For the log: method and path, never the query, which may hold a key.</param>
    /// <param name="work">The function's own work.</param>
    /// <param name="cancellationToken">The client left, and nobody reads the answer; or the host stops, and the client has to ask again. No error.</param>
    /// <param name="isVersioned">False for what changes something and has no version: If-Match is refused. Commands hold themselves to it.</param>
    public async Task<IResult> RunAsync(HttpRequest request, Func<Task<IResult>> work, CancellationToken cancellationToken, bool isVersioned = true)
    {
        if (!Preconditions.IsRead(request) && Preconditions.OfCommand(request, isVersioned) is { } condition) return condition;
        // Whatever an answer says it is, no browser may take it for something else.
        request.HttpContext.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            var answer = work();
            await ((Task)answer).WaitAsync(RequestMax, time, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            // A process that stood still finds its time over and the answer there.
            if (answer.IsCompleted) return await answer;
            // Whatever comes of it, nobody is there to hear it.
            _ = answer.ContinueWith(static late => late.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            LogNoAnswer(request.Method, request.Path, RequestMax.TotalSeconds);
            return Problem.Unavailable(
                "store-unavailable", "There was no answer in time. A command may have been done all the same: repeat it with the same Idempotency-Key.", TimeSpan.FromSeconds(2));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || request.HttpContext.RequestAborted.IsCancellationRequested)
        {
            // Nobody reads it; or, where the host stops, somebody who must not take it for done.
            return request.HttpContext.RequestAborted.IsCancellationRequested
                ? Results.Empty
                : Problem.Unavailable("stopping", "This instance stops before it was done. A command may have been done all the same: repeat it with the same Idempotency-Key.");
        }
        catch (StoreUnavailableException e)
        {
            LogStoreUnavailable(request.Method, request.Path, e);
            return Problem.Unavailable("store-unavailable", Troubles.Of(e).Detail, TimeSpan.FromSeconds(2));
        }
        catch (DamagedRowException e)
        {
            // Named in the app's own log, in status and in health; keys of rows are not for everybody.
            problems?.Damaged(e);
            return Problem.Unavailable("log-damaged", "A stored row that this needs is damaged; status and the app's own log say which.", TimeSpan.FromSeconds(60));
        }
        catch (LayoutMismatchException e)
        {
            LogFault(request.Method, request.Path, e);
            return Problem.Unavailable(
                "layout-mismatch",
                problems?.Now.FirstOrDefault(problem => problem.Code == "log-went-back")?.Detail
                ?? "This app's settings do not fit the stored log, or that went back in time; the app's own log says more.",
                TimeSpan.FromSeconds(60));
        }
#pragma warning disable CA1031 // Any fault is answered as a problem and logged here, where the request is known.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFault(request.Method, request.Path, e);
            return Problem.Fault();
        }
    }

    [LoggerMessage(20, LogLevel.Error, "{Method} {Path} failed")]
    private partial void LogFault(string method, string path, Exception exception);

    [LoggerMessage(22, LogLevel.Warning, "{Method} {Path}: no answer within {Seconds} s")]
    private partial void LogNoAnswer(string method, string path, double seconds);

    [LoggerMessage(21, LogLevel.Warning, "{Method} {Path}: the store is not available")]
    private partial void LogStoreUnavailable(string method, string path, Exception exception);
}
