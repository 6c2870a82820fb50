using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;

namespace Outpost.ServiceBus;

/// <summary>
/// Sends entries to a topic, as many in one batch as its size allows. A batch is accepted or refused as a whole. An
/// entry that fits into no batch travels as a reference to its payload.
/// </summary>
public sealed class ServiceBusTarget(ServiceBusOptions options) : IForwardTarget, IAsyncDisposable
{
    private readonly ServiceBusClient _client = options.CreateClient();
    private readonly Lock _lock = new();
    private ServiceBusSender? _sender;

    /// <inheritdoc/>
    public async Task<int> DeliverAsync(IReadOnlyList<EventEntry> entries, CancellationToken cancellationToken)
    {
        if (entries.Count == 0) return 0;
        var sender = Sender();
        using var batch = await sender.CreateMessageBatchAsync(cancellationToken);
        while (batch.Count < entries.Count && batch.TryAddMessage(MessageMapping.ToMessage(entries[batch.Count], options.Source)))
        {
        }

        if (batch.Count == 0 &&
            !batch.TryAddMessage(MessageMapping.ToReference(entries[0], options.Source, options.PublicUrl)))
            throw new InvalidOperationException(
                $"{entries[0].Id}: even a reference to it is larger than the {batch.MaxSizeInBytes} bytes that {options.Topic} takes.");

        await sender.SendMessagesAsync(batch, cancellationToken);
        return batch.Count;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_sender is not null) await _sender.DisposeAsync();
        await _client.DisposeAsync();
    }

    private ServiceBusSender Sender()
    {
        lock (_lock) return _sender ??= _client.CreateSender(options.Topic);
    }
}
