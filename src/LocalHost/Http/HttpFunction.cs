using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Outpost.LocalHost;

/// <summary>Answers requests with one function; its faults are logged once and answered as the host does.</summary>
internal sealed partial class HttpFunction(FunctionInvoker invoker, ILogger logger, CancellationToken stopping)
{
    public async Task AnswerAsync(HttpContext http)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        try
        {
            var inputs = new FunctionInputs(cancellation.Token, http.Request);
            await WriteAsync(http, await invoker.InvokeAsync(http.RequestServices, inputs));
        }
        catch (Exception gone) when (IsClientGone(http, gone))
        {
            ClientLeft(invoker.Function.Name);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Fail(http, StatusCodes.Status503ServiceUnavailable);
        }
        catch (BadHttpRequestException refused)
        {
            RequestRefused(invoker.Function.Name, refused.StatusCode, refused.Message);
            Fail(http, refused.StatusCode);
        }
        catch (Exception failure)
        {
            FunctionFailed(failure, invoker.Function.Name);
            Fail(http, StatusCodes.Status500InternalServerError);
        }
    }

    private static Task WriteAsync(HttpContext http, object? result) => result switch
    {
        IResult answer => answer.ExecuteAsync(http),
        IActionResult answer => answer.ExecuteResultAsync(
            new ActionContext(http, http.GetRouteData(), new ActionDescriptor())),
        _ => Task.CompletedTask,
    };

    // A broken connection shows in the read before it shows in the token.
    private static bool IsClientGone(HttpContext http, Exception failure) =>
        failure is ConnectionResetException
        || (http.RequestAborted.IsCancellationRequested && failure is OperationCanceledException or IOException);

    private static void Fail(HttpContext http, int status)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }
        http.Response.Clear();
        http.Response.StatusCode = status;
    }

    [LoggerMessage(1, LogLevel.Debug, "{Function}: the client left before the answer")]
    private partial void ClientLeft(string function);

    [LoggerMessage(2, LogLevel.Debug, "{Function}: the request was refused with {Status}: {Reason}")]
    private partial void RequestRefused(string function, int status, string reason);

    [LoggerMessage(3, LogLevel.Error, "{Function} failed")]
    private partial void FunctionFailed(Exception failure, string function);
}
