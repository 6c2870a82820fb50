using System.Text.Json;
using Azure.Core;

namespace Azure.Messaging.ServiceBus.Emulator;

/// <summary>One queue or topic as a sender sees it: what attaching a link tells, and sending.</summary>
internal sealed class EmulatorEntity(EmulatorEndpoint endpoint, string path, Uri uri, SharedAccessToken token)
{
    private readonly Uri _messages = new($"{uri.AbsoluteUri}/messages");
    private volatile Limits? _limits;

    /// <summary>What the AMQP client learns when its link is attached; asked once per sender.</summary>
    public async Task<Limits> AttachAsync(TimeSpan tryTimeout, CancellationToken cancellationToken) =>
        _limits ??= await TryAsync(
            RequestMethod.Get,
            uri,
            content: null,
            static response =>
            {
                using var document = JsonDocument.Parse(response.Content);
                return new Limits(
                    document.RootElement.GetProperty("maxMessageSizeInBytes").GetInt64(),
                    document.RootElement.GetProperty("maxBatchSizeInBytes").GetInt64());
            },
            tryTimeout,
            cancellationToken).ConfigureAwait(false);

    /// <summary>One transfer, accepted or refused as a whole.</summary>
    public async Task SendAsync(BatchBody body, long size, TimeSpan tryTimeout, CancellationToken cancellationToken)
    {
        var limits = await AttachAsync(tryTimeout, cancellationToken).ConfigureAwait(false);

        // The service cannot take a binary application property and says the message was too large (a known fault).
        if (size > limits.MaxMessageSize || body.HasBinaryProperty)
        {
            throw new ServiceBusException(
                $"The message (size {size} bytes) is larger than is currently allowed ({limits.MaxMessageSize} bytes).",
                ServiceBusFailureReason.MessageSizeExceeded,
                path);
        }

        await TryAsync(
            RequestMethod.Post,
            _messages,
            new BatchContent(body.Written),
            static _ => true,
            tryTimeout,
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> TryAsync<T>(
        RequestMethod method,
        Uri address,
        RequestContent? content,
        Func<Response, T> read,
        TimeSpan tryTimeout,
        CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(tryTimeout);
        try
        {
            var response = await endpoint.SendAsync(method, address, token.HeaderValue, content, timeout.Token)
                .ConfigureAwait(false);
            return response.Status is 200 or 201 ? read(response) : throw EmulatorErrors.FromResponse(response, path);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw EmulatorErrors.Timeout(tryTimeout, path, exception);
        }
        catch (RequestFailedException exception)
        {
            throw EmulatorErrors.Communication(exception, path);
        }
    }

    internal sealed record Limits(long MaxMessageSize, long MaxBatchSize);
}
