using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Outpost.Tests.Testing;

/// <summary>What happens to a request.</summary>
public enum Fault
{
    /// <summary>The connection is cut before anything is sent: no effect.</summary>
    CutBefore,

    /// <summary>The effect happens and the answer is lost.</summary>
    LostAnswer,

    /// <summary>The caller is told of a failure at once; the request arrives later, after the caller's next request.</summary>
    LandsLate,

    /// <summary>500, without an effect.</summary>
    Answers500,

    /// <summary>503, without an effect.</summary>
    Answers503,

    /// <summary>429, without an effect.</summary>
    Answers429,

    /// <summary>503, and the effect happens all the same.</summary>
    Answers503AfterTheEffect,

    /// <summary>The effect happens; a write's answer then is a page of some proxy instead of the service's.</summary>
    AnswersAWriteWithNonsense,

    /// <summary>No effect; what answers a transaction is the answer to another one, of one row.</summary>
    AnswersForOneRow,
}

/// <summary>
/// A transport that fails chosen requests, below the SDK's own repeats, and counts them all.
/// </summary>
internal sealed class FaultyTransport(Func<HttpMessage, int, Fault?> plan) : HttpPipelineTransport, IDisposable
{
    private static readonly string OneRow = """
        --b
        Content-Type: multipart/mixed; boundary=c

        --c
        Content-Type: application/http
        Content-Transfer-Encoding: binary

        HTTP/1.1 204 No Content
        ETag: W/"1"


        --c--
        --b--

        """.ReplaceLineEndings("\r\n");

    private readonly HttpClientTransport _inner = new(new HttpClient(new SocketsHttpHandler()));
    private readonly List<Task> _late = [];
    private int _requests;
    private TaskCompletionSource? _nextRequest;

    /// <summary>Requests so far, repeats included.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Waits for requests that were to land late.</summary>
    public Task LateRequestsAsync()
    {
        _nextRequest?.TrySetResult();
        lock (_late) return Task.WhenAll(_late);
    }

    public void Dispose() => _inner.Dispose();

    public override Request CreateRequest() => _inner.CreateRequest();

    public override void Process(HttpMessage message) => throw new NotSupportedException("Everything here is asynchronous.");

    public override async ValueTask ProcessAsync(HttpMessage message)
    {
        var number = Interlocked.Increment(ref _requests);
        Interlocked.Exchange(ref _nextRequest, null)?.TrySetResult();
        switch (plan(message, number))
        {
            case null:
                await _inner.ProcessAsync(message);
                return;
            case Fault.CutBefore:
                throw new RequestFailedException(0, "The connection was cut before the request was sent.", new IOException());
            case Fault.LostAnswer:
                await _inner.ProcessAsync(message);
                throw new RequestFailedException(0, "The connection was cut before the answer came.", new IOException());
            case Fault.Answers503AfterTheEffect:
                await _inner.ProcessAsync(message);
                message.Response = new ScriptedResponse(HttpStatusCode.ServiceUnavailable);
                return;
            case Fault.AnswersAWriteWithNonsense:
                await _inner.ProcessAsync(message);
                if (message.Request.Method != RequestMethod.Get && message.Response.Status < 300)
                    message.Response = new ScriptedResponse((HttpStatusCode)message.Response.Status, "<html>Welcome</html>");
                return;
            case Fault.AnswersForOneRow when message.Request.Uri.Path.EndsWith("$batch", StringComparison.Ordinal):
                message.Response = new ScriptedResponse(HttpStatusCode.Accepted, OneRow, "multipart/mixed; boundary=b");
                return;
            case Fault.AnswersForOneRow:
                await _inner.ProcessAsync(message);
                return;
            case Fault.LandsLate:
                Delay(await CopyAsync(message));
                throw new RequestFailedException(0, "The request timed out.", new TimeoutException());
            case Fault.Answers500:
                message.Response = new ScriptedResponse(HttpStatusCode.InternalServerError);
                return;
            case Fault.Answers503:
                message.Response = new ScriptedResponse(HttpStatusCode.ServiceUnavailable);
                return;
            case Fault.Answers429:
                message.Response = new ScriptedResponse(HttpStatusCode.TooManyRequests);
                return;
        }
    }

    // On its way until the caller's next request has arrived: then it lands, behind that one's back.
    private void Delay(HttpMessage late)
    {
        var signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _nextRequest = signal;
        lock (_late) _late.Add(LandAsync());

        async Task LandAsync()
        {
            await signal.Task;
            await _inner.ProcessAsync(late);
            late.Response.Dispose();
        }
    }

    private async Task<HttpMessage> CopyAsync(HttpMessage message)
    {
        var copy = new HttpMessage(_inner.CreateRequest(), new ResponseClassifier());
        copy.Request.Method = message.Request.Method;
        copy.Request.Uri.Reset(message.Request.Uri.ToUri());
        foreach (var header in message.Request.Headers) copy.Request.Headers.Add(header);
        if (message.Request.Content is { } content)
        {
            using var buffer = new MemoryStream();
            await content.WriteToAsync(buffer, CancellationToken.None);
            copy.Request.Content = RequestContent.Create(buffer.ToArray());
        }

        return copy;
    }

    private sealed class ScriptedResponse(HttpStatusCode status, string body = "", string? type = null) : Response
    {
        public override int Status => (int)status;

        public override string ReasonPhrase => status.ToString();

        public override Stream? ContentStream { get; set; } = new MemoryStream(Encoding.UTF8.GetBytes(body));

        public override string ClientRequestId { get; set; } = "";

        public override void Dispose() => ContentStream?.Dispose();

        protected override bool ContainsHeader(string name) => TryGetHeader(name, out _);

        protected override IEnumerable<HttpHeader> EnumerateHeaders() => type is null ? [] : [new HttpHeader("Content-Type", type)];

        protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value)
        {
            value = string.Equals(name, "Content-Type", StringComparison.OrdinalIgnoreCase) ? type : null;
            return value is not null;
        }

        protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values)
        {
            values = null;
            return false;
        }
    }
}
