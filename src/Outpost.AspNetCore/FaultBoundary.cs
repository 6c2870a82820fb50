using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Outpost.AspNetCore;

/// <summary>
/// Runs the work of every HTTP function of this app. It answers each fault as a problem, and logs the fault once.
/// </summary>
internal sealed partial class FaultBoundary(ILogger<FaultBoundary> logger, TimeProvider time, StoreProblems? problems = null)
{
    // Longer than every bound inside, the longest of which is a waiting reader's. Clients and gateways give up soon after.
    private static readonly TimeSpan RequestMax = TimeSpan.FromSeconds(33);

    /// <summary>Runs <paramref name="work"/>, and answers a problem where it throws.</summary>
    /// <param name="request">The request. The log gets its method and path, but never its query, which may hold a key.</param>
    /// <param name="work">The function's own work.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the client left, so nobody reads the answer, or when the host stops, so the client has to ask
    /// again. Neither is a fault.
    /// </param>
    /// <param name="isVersioned">
    /// False for a request that changes something without a version, so that If-Match is refused. Commands check it
    /// themselves.
    /// </param>
    public async Task<IResult> RunAsync(HttpRequest request, Func<Task<IResult>> work, CancellationToken cancellationToken, bool isVersioned = true)
    {
        if (!Preconditions.IsRead(request) && Preconditions.OfCommand(request, isVersioned) is { } condition) return condition;
        // No browser may take an answer for another type than it says.
        request.HttpContext.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            var answer = work();
            await ((Task)answer).WaitAsync(RequestMax, time, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            // After a process was suspended, the time may be over although the answer is there.
            if (answer.IsCompleted) return await answer;
            // Nobody waits for the late answer, so its failure is only observed.
            _ = answer.ContinueWith(static late => late.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            LogNoAnswer(request.Method, request.Path, RequestMax.TotalSeconds);
            return Problem.Unavailable(
                "store-unavailable", "There was no answer in time. A command may have been done all the same: repeat it with the same Idempotency-Key.", TimeSpan.FromSeconds(2));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || request.HttpContext.RequestAborted.IsCancellationRequested)
        {
            // The client has left and reads no answer. Or the host stops, and the client must not take the request for done.
            return request.HttpContext.RequestAborted.IsCancellationRequested
                ? Results.Empty
                : Problem.Unavailable("stopping", "This instance stopped before the request was done. A command may have been done all the same: repeat it with the same Idempotency-Key.");
        }
        catch (StoreUnavailableException e)
        {
            LogStoreUnavailable(request.Method, request.Path, e);
            return Problem.Unavailable("store-unavailable", Troubles.Of(e).Detail, TimeSpan.FromSeconds(2));
        }
        catch (DamagedRowException e)
        {
            // The app's log, status and health name the row. Its keys are not for every caller.
            problems?.Damaged(e);
            return Problem.Unavailable("log-damaged", "A stored row that the request needs is damaged; status and the app's own log say which.", TimeSpan.FromSeconds(60));
        }
        catch (LayoutMismatchException e)
        {
            LogFault(request.Method, request.Path, e);
            return Problem.Unavailable(
                "layout-mismatch",
                problems?.Now.FirstOrDefault(problem => problem.Code == "log-went-back")?.Detail
                ?? "This app's settings do not fit the stored log, or the log went back in time; the app's own log says more.",
                TimeSpan.FromSeconds(60));
        }
#pragma warning disable CA1031 // Any fault becomes a problem, and is logged here, where the request is known.
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
