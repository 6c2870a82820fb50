using Outpost.Forwarding;

namespace Outpost.RabbitMQ;

/// <summary>
/// Publishes entries to an exchange or a stream: persistent, mandatory, confirmed. A message that the broker confirms
/// is accepted. A message that no queue takes is refused. A message that is larger than the broker takes travels as a
/// reference.
/// </summary>
internal sealed class RabbitMQTarget(RabbitMQOptions options, TimeProvider time) : IForwardTarget, IAsyncDisposable
{
    /// <summary>The longest time for opening a channel and publishing, together. Shorter than what a lease has left.</summary>
    internal static readonly TimeSpan DeliveryMax = TimeSpan.FromSeconds(6);

    // At a round trip of 20 ms these bounds allow 25,000 messages or 25 MB a second for each partition. Half a megabyte
    // gets through a slow connection within one delivery.
    private const int EntriesMax = 500;
    private const int BytesMax = 512 * 1024;

    private readonly Channels _channels = new(options, time);
    private readonly SingleSends _sends = new(EntriesMax, BytesMax, time);

    /// <inheritdoc/>
    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(DeliveryMax, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var delivery = await OpenAndPublishAsync(entries, replay, end.Token, cancellationToken);
        // The refusal said how large a message may be. In the second try a larger one travels as a reference.
        return delivery is Delivery.Failed { Kind: Answers.TooLarge }
            ? await OpenAndPublishAsync(entries, replay, end.Token, cancellationToken)
            : delivery;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _channels.DisposeAsync();

    private async Task<Delivery> OpenAndPublishAsync(
        IReadOnlyList<EventEntry> entries, string? replay, CancellationToken end, CancellationToken cancellationToken)
    {
        Channels.Connection? connection = null;
        ConfirmedChannel? channel = null;
        var partition = entries[0].Partition;
        try
        {
            connection = await _channels.ConnectAsync(end);
            if (connection.Blocked is { } blocked) return blocked;
            channel = await connection.ChannelAsync(partition, end);
            var delivery = await _sends.DeliverAsync(entries, entry => PublishAsync(connection, channel, entry, replay, end), end);
            if (!channel.IsOpen) connection.Retire(partition, channel);
            return delivery;
        }
        catch (OperationCanceledException e)
        {
            if (channel is not null) connection!.Retire(partition, channel);
            // A delivery that its caller cut short says nothing about the connection.
            cancellationToken.ThrowIfCancellationRequested();
            if (connection is not null) _channels.Replace(connection);
            return Answers.Unanswered(DeliveryMax, e);
        }
#pragma warning disable CA1031 // The client may throw anything; each exception becomes an answer.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (channel is not null) connection!.Retire(partition, channel);
            return Answers.OfException(e);
        }
    }

    private async ValueTask<Task<Delivery>> PublishAsync(
        Channels.Connection connection, ConfirmedChannel channel, EventEntry entry, string? replay, CancellationToken end)
    {
        var isReference = entry.Payload.Length > connection.BytesMax;
        var properties = isReference
            ? MessageMapping.ToReference(entry, options, time.GetUtcNow(), replay)
            : MessageMapping.ToProperties(entry, options.Source, replay);
        var (exchange, key) = options.Stream is { } stream ? ("", stream) : (options.Exchange, MessageMapping.RoutingKeyOf(entry, options.RoutingKey));
        try
        {
            return await channel.PublishAsync(exchange, key, properties, isReference ? default : entry.Payload, end);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Task.FromResult(Answers.IsOfTheMessage(e) ? new Delivery.Refused(1, $"{e.GetType().Name}: {e.Message}") : Answers.OfException(e));
        }
    }
}
