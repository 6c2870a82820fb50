using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;

namespace Outpost.ServiceBus;

/// <summary>
/// Sends entries to a topic, as many in one batch as its size allows. A batch is accepted or refused as a whole. An
/// entry that fits into no batch travels as a reference to its payload.
/// </summary>
public sealed class ServiceBusTarget(ServiceBusOptions options, TimeProvider time) : IForwardTarget, IAsyncDisposable
{
    private readonly ServiceBusClient _client = options.CreateClient();
    private readonly Lock _lock = new();
    private ServiceBusSender? _sender;

    /// <inheritdoc/>
    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        var sender = Sender();
        var sent = 1;
        try
        {
            using var batch = await sender.CreateMessageBatchAsync(cancellationToken);
            while (batch.Count < entries.Count && TryAdd(batch, entries[batch.Count], replay))
            {
            }

            if (batch.Count == 0 && !batch.TryAddMessage(Reference(entries[0], replay)))
                return new Delivery.Refused(1, $"Even a reference to it is larger than the {batch.MaxSizeInBytes} bytes that {options.Topic} takes.");
            sent = batch.Count;
            await sender.SendMessagesAsync(batch, cancellationToken);
            return new Delivery.Accepted(sent);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return DeliveryOf(e, sent);
        }
    }

    /// <summary>What a failed send means. Only what is said of the messages themselves refuses them.</summary>
    internal static Delivery DeliveryOf(Exception e, int sent) => e switch
    {
        ServiceBusException { Reason: ServiceBusFailureReason.MessageSizeExceeded } => new Delivery.Refused(sent, e.Message),
        // A full entity empties again; a name that cannot be resolved may be a moment's trouble of the network.
        ServiceBusException busy when busy.IsTransient || busy.Reason == ServiceBusFailureReason.QuotaExceeded => Failed(busy, true, busy.Reason),
        ServiceBusException other => Failed(other, false, other.Reason),
        TimeoutException or IOException or System.Net.Sockets.SocketException => new Delivery.Failed(e, IsTransient: true),
        // amqp:argument-error and amqp:not-allowed, and what cannot be encoded: about the message, not the connection.
        ArgumentException or System.Runtime.Serialization.SerializationException or NotSupportedException => new Delivery.Refused(sent, e.Message),
        _ => new Delivery.Failed(e, IsTransient: false),
    };

    private static Delivery.Failed Failed(ServiceBusException e, bool isTransient, ServiceBusFailureReason reason) =>
        new(e, isTransient) { Kind = reason.ToString() };

    // An entry whose message cannot even be measured is refused by itself, not with those before it.
    private bool TryAdd(ServiceBusMessageBatch batch, EventEntry entry, string? replay)
    {
        try
        {
            return batch.TryAddMessage(MessageMapping.ToMessage(entry, options.Source, replay));
        }
        catch (Exception e) when (batch.Count > 0 && e is ArgumentException or System.Runtime.Serialization.SerializationException)
        {
            return false;
        }
    }

    private ServiceBusMessage Reference(EventEntry entry, string? replay)
    {
        var message = MessageMapping.ToReference(entry, options.Source, options.PublicUrl, replay);
        if (options.PayloadsKeptFor is { } kept) message.TimeToLive = MessageMapping.TimeToLive(entry, kept, time.GetUtcNow());
        return message;
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
