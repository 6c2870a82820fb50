using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Outpost.Client;

/// <summary>
/// Reads a queue of RabbitMQ. Subjects are handled side by side, each in order; with several processes only where the
/// queue has a single active consumer. What the consumer gives up goes to a queue of dead letters, which is created
/// where it is missing. The broker confirms the dead letter before the message leaves its own queue.
/// </summary>
/// <param name="factory">Opens a connection, and another one after a connection was lost.</param>
/// <param name="queue">Name of the queue; it must exist.</param>
/// <param name="deadLetters">
/// Name of the queue of dead letters. Default null: the queue's name with <c>.dead</c> appended.
/// </param>
/// <param name="atOnce">The most messages under way in this process: 1 to 1,000. Default 100.</param>
public sealed class RabbitMQSource(ConnectionFactory factory, string queue, string? deadLetters = null, ushort atOnce = 100) : IMessageSource
{
    private const string ReasonHeader = "dead-letter-reason";
    private const int ReasonMax = 4_000;

    // A broker that does not answer the close within this time is gone.
    private static readonly TimeSpan CloseWithin = TimeSpan.FromSeconds(2);

    private readonly ushort _atOnce = atOnce is >= 1 and <= 1_000 ? atOnce : throw new ArgumentOutOfRangeException(nameof(atOnce), atOnce, "1 to 1,000 is allowed.");
    private readonly string _deadLetters = deadLetters ?? $"{queue}.dead";

    /// <inheritdoc/>
    public async Task RunAsync(MessageConsumer consumer, CancellationToken stopping)
    {
        await using var connection = await factory.CreateConnectionAsync(stopping);
        await using var channel = await OpenAsync(connection, stopping);
        await channel.BasicQosAsync(0, _atOnce, global: false, stopping);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var lanes = new Lanes(_atOnce);
        using var messages = new Messages(channel, lanes, delivery => SettleAsync(consumer, channel, delivery, end.Token));
        await channel.BasicConsumeAsync(queue, autoAck: false, messages, stopping);
        try
        {
            await messages.Ended.WaitAsync(stopping);
        }
        finally
        {
            // What is under way stays unsettled, and the broker delivers it again, in order.
            await end.CancelAsync();
            await lanes.EndedAsync();
            await connection.AbortAsync(CloseWithin);
        }
    }

    /// <inheritdoc/>
    public async Task<(int Done, int Left)> RetryDeadLettersAsync(MessageConsumer consumer, CancellationToken cancellationToken)
    {
        await using var connection = await factory.CreateConnectionAsync(cancellationToken);
        await using var channel = await OpenAsync(connection, cancellationToken);
        var (done, left, waiting) = (0, 0, new HashSet<string>());
        // Reads as many as there are now. More may come meanwhile.
        var all = await channel.MessageCountAsync(_deadLetters, cancellationToken);
        while (done + left < all && await channel.BasicGetAsync(_deadLetters, autoAck: false, cancellationToken) is { } message)
        {
            var delivery = new Delivery(message.DeliveryTag, message.BasicProperties, message.Body);
            if (!waiting.Contains(delivery.Subject) && await consumer.HandleAsync(delivery.Read, cancellationToken) is null)
            {
                await channel.BasicAckAsync(message.DeliveryTag, multiple: false, cancellationToken);
                done++;
                continue;
            }

            waiting.Add(delivery.Subject);
            left++;
        }

        // The nack puts each message back in its place. The count that follows is answered after the queue took them
        // back, so whoever retries next finds them.
        if (left > 0) await channel.BasicNackAsync(deliveryTag: 0, multiple: true, requeue: true, cancellationToken);
        await channel.MessageCountAsync(_deadLetters, cancellationToken);
        await connection.AbortAsync(CloseWithin);
        return (done, left);
    }

    private async Task<IChannel> OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        // Confirms make sure that a dead letter is stored before its message is gone.
        var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
        try
        {
            // A passive declaration accepts the queue whatever its arguments are.
            await channel.QueueDeclarePassiveAsync(_deadLetters, cancellationToken);
            return channel;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            // The refusal ended the channel.
            await channel.DisposeAsync();
        }

        await using (var making = await connection.CreateChannelAsync(cancellationToken: cancellationToken))
        {
            await making.QueueDeclareAsync(_deadLetters, durable: true, exclusive: false, autoDelete: false, cancellationToken: cancellationToken);
        }

        return await OpenAsync(connection, cancellationToken);
    }

    private async Task SettleAsync(MessageConsumer consumer, IChannel channel, Delivery delivery, CancellationToken end)
    {
        if (await consumer.HandleAsync(delivery.Read, end) is { } reason)
        {
            var properties = new BasicProperties(delivery.Properties) { DeliveryMode = DeliveryModes.Persistent };
            // A dead letter waits for somebody for as long as that takes.
            properties.ClearExpiration();
            properties.Headers = new Dictionary<string, object?>(properties.Headers ?? new Dictionary<string, object?>())
            {
                [ReasonHeader] = reason.Length > ReasonMax ? reason[..ReasonMax] : reason,
            };
            await channel.BasicPublishAsync("", _deadLetters, mandatory: true, properties, delivery.Body, end);
        }

        await channel.BasicAckAsync(delivery.Tag, multiple: false, end);
    }

    /// <summary>
    /// Gives each message to its lane. <see cref="Ended"/> fails when no more come: the channel ended, or the broker
    /// cancelled the consumer.
    /// </summary>
    private sealed class Messages(IChannel channel, Lanes lanes, Func<Delivery, Task> settle) : AsyncDefaultBasicConsumer(channel), IDisposable
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ended => _ended.Task;

        public override Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
        {
            // The client reuses the body's memory.
            var delivery = new Delivery(deliveryTag, new BasicProperties(properties), body.ToArray());
            _ = lanes.RunAsync(delivery.Subject, async () =>
            {
                try
                {
                    await settle(delivery);
                }
                catch (Exception e)
                {
                    // The message was not settled. The whole source starts again from what the broker has.
                    if (e is not OperationCanceledException) _ended.TrySetException(e);
                    throw;
                }
            });
            return Task.CompletedTask;
        }

        public override Task HandleChannelShutdownAsync(object channel, global::RabbitMQ.Client.Events.ShutdownEventArgs reason) => EndAsync($"The channel ended: {reason.ReplyText}");

        public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default) => EndAsync("The broker ended the consumer: the queue is gone, or moves.");

        public void Dispose() => _ended.TrySetCanceled();

        private Task EndAsync(string reason)
        {
            _ended.TrySetException(new IOException(reason));
            return Task.CompletedTask;
        }
    }

    private sealed record Delivery(ulong Tag, IReadOnlyBasicProperties Properties, ReadOnlyMemory<byte> Body)
    {
        public string Subject => Header("cloudEvents:subject") ?? "";

        public EventMessage Read() => EventMessage.Read(
            name => Header($"cloudEvents:{name}") ?? (name == "correlationid" ? Properties.CorrelationId : null), Header("replay"),
            Properties.ContentType ?? Header("cloudEvents:datacontenttype"), Body);

        private string? Header(string name) =>
            Properties.Headers is { } headers && headers.TryGetValue(name, out var value) ? value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : value?.ToString() : null;
    }
}
