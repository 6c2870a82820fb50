using Azure.Core;
using Azure.Core.Pipeline;

namespace Azure.Messaging.ServiceBus.Emulator;

/// <summary>
/// The emulator over HTTP: one client's pipeline, shared by its senders. The pipeline never retries by itself,
/// ServiceBusRetryOptions decides.
/// </summary>
internal sealed class EmulatorEndpoint : IDisposable
{
    private readonly EmulatorConnectionString _connection;
    private readonly HttpClient _http;
    private readonly HttpPipeline _pipeline;

    public EmulatorEndpoint(EmulatorConnectionString connection)
    {
        _connection = connection;
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _pipeline = HttpPipelineBuilder.Build(new PipelineOptions(_http));
    }

    public EmulatorEntity Entity(string path)
    {
        var uri = new Uri(_connection.Endpoint, string.Join('/', path.Split('/').Select(Uri.EscapeDataString)));
        return new EmulatorEntity(this, path, uri, new SharedAccessToken(uri, _connection.KeyName, _connection.Key));
    }

    public async ValueTask<Response> SendAsync(
        RequestMethod method, Uri uri, string authorization, RequestContent? content, CancellationToken cancellationToken)
    {
        using var message = _pipeline.CreateMessage();
        message.BufferResponse = true;
        message.Request.Method = method;
        message.Request.Uri.Reset(uri);
        message.Request.Headers.Add("Authorization", authorization);
        if (content is not null)
        {
            message.Request.Content = content;
            message.Request.Headers.Add("Content-Type", "application/vnd.microsoft.servicebus.json");
        }

        await _pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
        return message.Response;
    }

    public void Dispose() => _http.Dispose();

    private sealed class PipelineOptions : ClientOptions
    {
        public PipelineOptions(HttpClient http)
        {
            Transport = new HttpClientTransport(http);
            Retry.MaxRetries = 0;
            Retry.NetworkTimeout = TimeSpan.FromHours(2); // above the longest TryTimeout, which is what counts
            Diagnostics.IsDistributedTracingEnabled = false;
            Diagnostics.IsLoggingEnabled = false;
        }
    }
}
