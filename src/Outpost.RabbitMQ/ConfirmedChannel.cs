using Outpost.Forwarding;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Outpost.RabbitMQ;

/// <summary>
/// A channel that answers for each message: taken, not taken, returned, or lost with the channel. The client can track
/// confirms by itself, but then it writes its own sequence number into each message's headers. Thread-safe.
/// </summary>
internal sealed class ConfirmedChannel : IDisposable
{
    private static readonly CreateChannelOptions Options = new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false);

    private readonly IChannel _channel;
    private readonly IConnection _connection;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Dictionary<ulong, Pending> _pending = [];
    private ulong _next = 1;
    private ulong _oldest = 1;
    private Delivery? _end;

    private ConfirmedChannel(IChannel channel, IConnection connection)
    {
        (_channel, _connection) = (channel, connection);
        channel.BasicAcksAsync += (_, ack) => SettledAsync(ack.DeliveryTag, ack.Multiple, Answers.Accepted);
        channel.BasicNacksAsync += (_, nack) => SettledAsync(nack.DeliveryTag, nack.Multiple, Answers.Nacked);
        channel.BasicReturnAsync += ReturnedAsync;
        channel.ChannelShutdownAsync += EndedAsync;
        connection.ConnectionBlockedAsync += BlockedAsync;
    }

    public bool IsOpen
    {
        get
        {
            lock (_lock) return _end is null && _channel.IsOpen;
        }
    }

    /// <summary>
    /// The size in bytes of the largest message that the broker takes; null unless it closed the channel for a larger
    /// one.
    /// </summary>
    public long? SizeMax => _channel.CloseReason is { } reason ? Answers.SizeMax(reason) : null;

    /// <summary>Opens a channel, and creates the exchange or stream where it is missing.</summary>
    public static async Task<ConfirmedChannel> OpenAsync(IConnection connection, RabbitMQOptions options, CancellationToken end)
    {
        for (var isMade = false; ; isMade = true)
        {
            var channel = await connection.CreateChannelAsync(Options, end).WaitAsync(end);
            try
            {
                // A passive declaration needs no right to create, and accepts whatever arguments it has.
                if (options.Stream is { } stream) await channel.QueueDeclarePassiveAsync(stream, end).WaitAsync(end);
                else await channel.ExchangeDeclarePassiveAsync(options.Exchange, end).WaitAsync(end);
                return new ConfirmedChannel(channel, connection);
            }
            catch (global::RabbitMQ.Client.Exceptions.OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound && !isMade)
            {
                await MakeAsync(connection, options, end);
            }
        }
    }

    /// <summary>Hands a message over. The inner task is the broker's answer to it.</summary>
    public async Task<Task<Delivery>> PublishAsync(
        string exchange, string routingKey, BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken end)
    {
        // The broker numbers messages in the order in which they are handed over, so only one is handed over at a time.
        await _turn.WaitAsync(end);
        try
        {
            var pending = new Pending(properties.MessageId!);
            lock (_lock)
            {
                if (_end is not null) return Task.FromResult(_end);
                _pending.Add(_next++, pending);
            }

            await _channel.BasicPublishAsync(exchange, routingKey, mandatory: true, properties, body, end);
            return pending.Answer.Task;
        }
        catch (Exception e)
        {
            // Nobody knows whether the message got a number, so the numbers of later ones are not known either.
            if (e is not OperationCanceledException) FailAll(Answers.OfException(e), isEnd: true);
            else FailAll(Answers.Unanswered(RabbitMQTarget.DeliveryMax, e), isEnd: true);
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _connection.ConnectionBlockedAsync -= BlockedAsync;
        _turn.Dispose();
        _channel.Dispose();
    }

    private static async Task MakeAsync(IConnection connection, RabbitMQOptions options, CancellationToken end)
    {
        await using var channel = await connection.CreateChannelAsync(null, end).WaitAsync(end);
        if (options.Stream is { } stream)
        {
            await channel.QueueDeclareAsync(
                stream, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "stream" }, cancellationToken: end).WaitAsync(end);
        }
        else
        {
            await channel.ExchangeDeclareAsync(options.Exchange, ExchangeType.Topic, durable: true, autoDelete: false, cancellationToken: end).WaitAsync(end);
        }
    }

    private Task SettledAsync(ulong tag, bool multiple, Delivery answer)
    {
        lock (_lock)
        {
            if (!multiple)
            {
                Settle(tag, answer);
                return Task.CompletedTask;
            }

            for (; _oldest <= tag && _oldest < _next; _oldest++) Settle(_oldest, answer);
        }

        return Task.CompletedTask;
    }

    private void Settle(ulong tag, Delivery answer)
    {
        if (_pending.Remove(tag, out var pending)) pending.Answer.TrySetResult(pending.Returned ?? answer);
    }

    // The broker sends a return before the message's confirm, which is positive.
    private Task ReturnedAsync(object sender, BasicReturnEventArgs answer)
    {
        lock (_lock)
        {
            foreach (var pending in _pending.Values)
            {
                if (pending.MessageId == answer.BasicProperties.MessageId) pending.Returned = Answers.Returned(answer);
            }
        }

        return Task.CompletedTask;
    }

    private Task BlockedAsync(object sender, ConnectionBlockedEventArgs answer)
    {
        FailAll(Answers.Blocked(answer.Reason), isEnd: false);
        return Task.CompletedTask;
    }

    private Task EndedAsync(object sender, ShutdownEventArgs reason)
    {
        FailAll(Answers.OfShutdown(reason), isEnd: true);
        return Task.CompletedTask;
    }

    private void FailAll(Delivery answer, bool isEnd)
    {
        lock (_lock)
        {
            if (isEnd) _end ??= answer;
            foreach (var pending in _pending.Values) pending.Answer.TrySetResult(answer);
            _pending.Clear();
        }
    }

    private sealed class Pending(string messageId)
    {
        public string MessageId => messageId;

        // The waiting code must not run on the thread that settles, because that thread reads the connection.
        public TaskCompletionSource<Delivery> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Delivery? Returned { get; set; }
    }
}
