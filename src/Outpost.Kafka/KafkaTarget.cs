using Confluent.Kafka;
using Outpost.Forwarding;

namespace Outpost.Kafka;

/// <summary>
/// Produces entries to a topic, keyed by subject. Its producer is idempotent, and all in-sync replicas have to answer.
/// No later message of its subject overtakes a message that the broker does not take. A message that is too large
/// travels as a reference.
/// </summary>
internal sealed class KafkaTarget(KafkaOptions options, TimeProvider time) : IForwardTarget, IAsyncDisposable
{
    // Shorter than what a lease has left. A message has an answer before that, at the latest its own timeout.
    private static readonly TimeSpan DeliveryMax = TimeSpan.FromSeconds(6);

    private static readonly TimeSpan DisposeMax = TimeSpan.FromSeconds(2);

    // These bounds fill a few requests for each of several partitions of the topic.
    private const int EntriesMax = 1000;
    private const int BytesMax = 2 * 1024 * 1024;

    private readonly SingleSends _sends = new(EntriesMax, BytesMax, time);
    private readonly Lock _lock = new();
    private Producer? _producer;
    private bool _isDisposed;

    /// <inheritdoc/>
    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        var delivery = await ProduceAsync(entries, replay, asReference: false, cancellationToken);
        return delivery is Delivery.Failed { Kind: Answers.TooLarge } ? await ProduceAsync([entries[0]], replay, asReference: true, cancellationToken) : delivery;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Producer? producer;
        lock (_lock) (producer, _producer, _isDisposed) = (_producer, null, true);
        if (producer is null) return;
        try
        {
            await EndAsync(producer, TimeSpan.Zero).WaitAsync(DisposeMax, time);
        }
        catch (TimeoutException)
        {
            // The producer ends by itself when its messages have timed out.
        }
    }

    private async Task<Delivery> ProduceAsync(IReadOnlyList<EventEntry> entries, string? replay, bool asReference, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(DeliveryMax, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        Producer? producer = null;
        var sent = 0;
        try
        {
            producer = Current();
            var delivery = await _sends.DeliverAsync(entries, entry => new ValueTask<Task<Delivery>>(Send(entry)), end.Token);
            // The producer remembers what it was told about a topic, and asks again only now and then.
            if (producer.IsFatal || delivery is Delivery.Failed { IsTransient: false, Kind: not Answers.TooLarge }) Replace(producer);
            return delivery switch
            {
                // An answer about a batch means one of its messages. The forwarder finds it by sending smaller parts.
                Delivery.Refused refused => refused with { Attempted = sent },
                Delivery.Failed { Kind: Answers.TooLarge } failed when sent > 1 || asReference => new Delivery.Refused(sent, $"{failed.Kind}: {failed.Reason}"),
                _ => delivery,
            };
        }
        catch (OperationCanceledException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (producer is not null) Replace(producer);
            return Answers.Unanswered(DeliveryMax, e, producer?.Lately);
        }
        catch (Exception e) when (e is KafkaException or InvalidOperationException or ArgumentException or DllNotFoundException)
        {
            // The configuration is invalid, or the native library does not load.
            return new Delivery.Failed(e, IsTransient: false);
        }

        Task<Delivery> Send(EventEntry entry)
        {
            sent++;
            var message = asReference
                ? MessageMapping.ToReference(entry, options.Source, options.PublicUrl, replay)
                : MessageMapping.ToMessage(entry, options.Source, replay);
            return producer.Send(options.Topic, message);
        }
    }

    private Producer Current()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _producer ??= new Producer(options);
        }
    }

    private void Replace(Producer producer)
    {
        lock (_lock)
        {
            if (_producer != producer) return;
            _producer = null;
        }

        // Other partitions may still have messages on this producer.
        _ = EndAsync(producer, DeliveryMax);
    }

    private async Task EndAsync(Producer producer, TimeSpan after)
    {
        if (after > TimeSpan.Zero) await Task.Delay(after, time);
        // Disposing blocks until the producer's threads end.
        await Task.Run(producer.Dispose);
    }
}
