using Outpost.Forwarding;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Outpost.RabbitMQ;

/// <summary>
/// A channel whose messages are each answered: taken, not taken, returned, or lost with the channel. The client can follow
/// confirms by itself, but then writes its own number into each message's headers. Thread-safe.
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

    /// <summary>The largest message that the broker takes, where it closed the channel for one that was larger.</summary>
    public long? SizeMax => _channel.CloseReason is { } reason ? Answers.SizeMax(reason) : null;

    /// <summary>Opens one, and makes the exchange or stream where there is none.</summary>
    public static async Task<ConfirmedChannel> OpenAsync(IConnection connection, RabbitMQOptions options, CancellationToken end)
    {
        for (var isMade = false; ; isMade = true)
        {
            var channel = await connection.CreateChannelAsync(Options, end).WaitAsync(end);
            try
            {
                // Asks only: needs no right to make it, and takes it whatever its arguments are.
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

    /// <summary>Hands a message over; the task in the task is the broker's answer to it.</summary>
    public async Task<Task<Delivery>> PublishAsync(
        string exchange, string routingKey, BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken end)
    {
        // Numbers have to be given in the order in which messages are handed over.
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
            // Whether it has a number now nobody knows.
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

    // Its confirm, a positive one, follows.
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

        // Who waits goes on elsewhere: what settles it reads the connection.
        public TaskCompletionSource<Delivery> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Delivery? Returned { get; set; }
    }
}
