#nullable disable // the real package's public surface carries no nullable annotations

using Azure.Messaging.ServiceBus.Emulator;

namespace Azure.Messaging.ServiceBus;

public class ServiceBusSender : IAsyncDisposable
{
    internal const int MinimumBatchSizeLimit = 24;
    private readonly ServiceBusClient _client;
    private readonly EmulatorEntity _entity;
    private readonly RetryRunner _retries;
    private volatile bool _closed;

    protected ServiceBusSender()
    {
    }

    internal ServiceBusSender(
        ServiceBusClient client, string entityPath, EmulatorEntity entity, ServiceBusRetryOptions retryOptions)
    {
        _client = client;
        _entity = entity;
        _retries = new RetryRunner(retryOptions);
        EntityPath = entityPath;
        FullyQualifiedNamespace = client.FullyQualifiedNamespace;
        Identifier = $"{entityPath}-{Guid.NewGuid()}";
    }

    public virtual string EntityPath { get; }

    public virtual string FullyQualifiedNamespace { get; }

    public virtual string Identifier { get; }

    public virtual bool IsClosed => _closed;

    public virtual ValueTask<ServiceBusMessageBatch> CreateMessageBatchAsync(CancellationToken cancellationToken = default) =>
        CreateMessageBatchAsync(null, cancellationToken);

    public virtual async ValueTask<ServiceBusMessageBatch> CreateMessageBatchAsync(
        CreateMessageBatchOptions options, CancellationToken cancellationToken = default)
    {
        ThrowIfClosed();
        var limits = await _retries.RunAsync(_entity.AttachAsync, cancellationToken).ConfigureAwait(false);
        var size = options?.MaxSizeInBytes ?? limits.MaxBatchSize;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, limits.MaxBatchSize, nameof(options.MaxSizeInBytes));
        return new ServiceBusMessageBatch(size);
    }

    public virtual Task SendMessageAsync(ServiceBusMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        return SendMessagesAsync([message], cancellationToken);
    }

    public virtual async Task SendMessagesAsync(
        IEnumerable<ServiceBusMessage> messages, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ThrowIfClosed();
        var list = messages as IReadOnlyList<ServiceBusMessage> ?? [.. messages];
        if (list.Count == 0) return;
        using var body = new BatchBody();
        var size = AmqpSize.OfTransfer(list);
        foreach (var message in list) body.Add(message);
        await SendAsync(body, size, cancellationToken).ConfigureAwait(false);
    }

    public virtual async Task SendMessagesAsync(
        ServiceBusMessageBatch messageBatch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messageBatch);
        ThrowIfClosed();
        if (messageBatch.Count == 0) return;
        messageBatch.Lock();
        try
        {
            await SendAsync(messageBatch.Body, messageBatch.SizeInBytes, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            messageBatch.Unlock();
        }
    }

    public virtual Task CloseAsync(CancellationToken cancellationToken = default)
    {
        _closed = true;
        return Task.CompletedTask;
    }

    public virtual async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    private Task<bool> SendAsync(BatchBody body, long size, CancellationToken cancellationToken) => _retries.RunAsync(
        async (tryTimeout, token) =>
        {
            await _entity.SendAsync(body, size, tryTimeout, token).ConfigureAwait(false);
            return true;
        },
        cancellationToken);

    private void ThrowIfClosed()
    {
        if (_closed) throw new ObjectDisposedException(nameof(ServiceBusSender), "The sender has been closed.");
        if (_client.IsClosed) throw new ObjectDisposedException(nameof(ServiceBusClient), "The client has been closed.");
    }
}
