using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Outpost.LocalHost.Protocol;
using Yarp.ReverseProxy.Forwarder;

namespace Outpost.LocalHost;

/// <summary>
/// Answers the requests of one function. It tells the worker to run the function, and passes the request on to the
/// worker's own HTTP endpoint, which finds the run by the header <c>x-ms-invocation-id</c>.
/// </summary>
internal sealed partial class HttpFunction(
    FunctionDefinition function, bool recordsSpans, WorkerSupervisor worker, IHttpForwarder forwarder, HttpMessageInvoker client, ILogger logger,
    CancellationToken stopping)
{
    private const string InvocationId = "x-ms-invocation-id";

    // A new worker takes the place of a dead one within seconds.
    private static readonly TimeSpan WorkerWithin = TimeSpan.FromSeconds(30);

    // The proxy's limit counts silence. A function may take as long as on the real host in Azure, which is 230 s.
    private static readonly ForwarderRequestConfig Config = new()
    {
        ActivityTimeout = TimeSpan.FromSeconds(230),
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    public async Task AnswerAsync(HttpContext http)
    {
        if (LoopbackGuard.IsForeign(http.Request))
        {
            http.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        if (await SessionAsync(http.RequestAborted) is not { HttpAddress: { } address } session)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        // Like the real host, this begins the trace of a caller that has none.
        if (http.Request.Headers.TraceParent.Count == 0)
            http.Request.Headers.TraceParent = $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-{(recordsSpans ? "01" : "00")}";
        var request = Request(http);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        var invocation = worker.InvokeAsync(session, function.Name, request, leaving.Token);
        // A run that fails before it meets its request would otherwise leave the request waiting.
        using var refused = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        _ = GiveUpAsync(invocation, refused);
        var error = await forwarder.SendAsync(http, address, client, Config, new Passing(request.InvocationId, invocation), refused.Token);
        if (error != ForwarderError.None) Fail(http, error);
        await Task.WhenAny(invocation, Task.Delay(WorkerWithin, CancellationToken.None));
    }

    private async Task<WorkerSession?> SessionAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await worker.SessionAsync(cancellationToken).WaitAsync(WorkerWithin, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return null;
        }
    }

    private InvocationRequest Request(HttpContext http)
    {
        var request = new InvocationRequest
        {
            InvocationId = Guid.NewGuid().ToString(),
            FunctionId = function.Id,
            // The real host has a span of its own between the caller's and the worker's. This host exports none.
            TraceContext = new RpcTraceContext { TraceParent = http.Request.Headers.TraceParent.ToString(), TraceState = http.Request.Headers.TraceState.ToString() },
        };
        var data = new RpcHttp();
        foreach (var (name, value) in http.GetRouteData().Values)
        {
            if (value?.ToString() is not { } text) continue;
            data.Params[name] = text;
            // The worker takes the function's other parameters from this metadata.
            request.TriggerMetadata[name] = new TypedData { String = text };
        }

        request.InputData.Add(new ParameterBinding { Name = function.Trigger.Parameter, Data = new TypedData { Http = data } });
        return request;
    }

    private static async Task GiveUpAsync(Task<StatusResult> invocation, CancellationTokenSource forward)
    {
        try
        {
            var result = await invocation;
            if (result.Status == StatusResult.Types.Status.Success) return;
        }
        catch (WorkerEndedException)
        {
        }

        // The answer of a failed function may still be on its way.
        await Task.Delay(TimeSpan.FromSeconds(2));
        try
        {
            await forward.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The request was answered meanwhile.
        }
    }

    private void Fail(HttpContext http, ForwarderError error)
    {
        if (http.RequestAborted.IsCancellationRequested)
        {
            ClientLeft(function.Name);
            return;
        }

        var failure = http.Features.Get<IForwarderErrorFeature>()?.Exception;
        if (Refusal(failure) is null) RequestFailed(function.Name, $"{error}{(failure is null ? "" : $": {failure.Message}")}");
        if (http.Response.HasStarted) http.Abort();
        else http.Response.StatusCode = Refusal(failure) ?? StatusCodes.Status500InternalServerError;
    }

    // Finds a refusal by the server itself, such as a body over the limit. The proxy wraps it.
    private static int? Refusal(Exception? failure)
    {
        for (var each = failure; each is not null; each = each.InnerException)
        {
            if (each is BadHttpRequestException bad) return bad.StatusCode;
        }

        return null;
    }

    [LoggerMessage(1, LogLevel.Debug, "{Function}: the client left before it got an answer")]
    private partial void ClientLeft(string function);

    [LoggerMessage(2, LogLevel.Error, "{Function}: the worker did not answer ({Reason})")]
    private partial void RequestFailed(string function, string reason);

    /// <summary>Passes the request on unchanged but for the id of the run, and passes the answer back.</summary>
    private sealed class Passing(string invocationId, Task<StatusResult> invocation) : HttpTransformer
    {
        // For a function that threw, the worker's HTTP endpoint answers an empty 200, and its report of the run is an
        // error. The real host turns that into a 500 too.
        public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
        {
            var hasBody = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
            if (proxyResponse is { StatusCode: HttpStatusCode.OK, Content.Headers.ContentLength: 0 }
                && await invocation.WaitAsync(WorkerWithin, cancellationToken) is { Status: StatusResult.Types.Status.Failure })
                httpContext.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return hasBody;
        }

        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Host = httpContext.Request.Host.Value;
            proxyRequest.Headers.Remove(InvocationId);
            proxyRequest.Headers.TryAddWithoutValidation(InvocationId, invocationId);
        }
    }
}
