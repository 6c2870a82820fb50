using System.Collections.Concurrent;
using Outpost.Forwarding;
using RabbitMQ.Client;

namespace Outpost.RabbitMQ;

/// <summary>
/// Keeps a channel for each partition, all on one connection. The connection opens when needed, and is replaced when it
/// does not answer. Thread-safe.
/// </summary>
internal sealed class Channels(RabbitMQOptions options, TimeProvider time) : IAsyncDisposable
{
    /// <summary>The longest time for each step of opening a connection. Shorter than a delivery.</summary>
    public static readonly TimeSpan OpenMax = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan CloseMax = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<Connection>? _current;
    private bool _isDisposed;

    /// <summary>Returns the open connection, or opens one. All partitions wait for the same one.</summary>
    public Task<Connection> ConnectAsync(CancellationToken end)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_current is null or { IsFaulted: true } or { IsCanceled: true } or { IsCompletedSuccessfully: true, Result.IsOpen: false })
            {
                if (_current is { IsCompletedSuccessfully: true, Result: var broken }) _ = CloseAsync(broken, TimeSpan.Zero);
                _current = Connection.OpenAsync(options);
            }

            return _current.WaitAsync(end);
        }
    }

    /// <summary>
    /// Takes a connection that does not answer out of use. The next caller opens another; what is under way on the old
    /// one may end.
    /// </summary>
    public void Replace(Connection connection)
    {
        lock (_lock)
        {
            if (_current is not { IsCompletedSuccessfully: true } || _current.Result != connection) return;
            _current = null;
        }

        _ = CloseAsync(connection, RabbitMQTarget.DeliveryMax);
    }

    public async ValueTask DisposeAsync()
    {
        Task<Connection>? last;
        lock (_lock) (last, _isDisposed) = (_current, true);
        if (last is null) return;
        await last.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (last.IsCompletedSuccessfully) await CloseAsync(last.Result, TimeSpan.Zero);
    }

    private async Task CloseAsync(Connection connection, TimeSpan after)
    {
        try
        {
            if (after > TimeSpan.Zero) await Task.Delay(after, time);
            await connection.CloseAsync(CloseMax);
        }
#pragma warning disable CA1031 // The connection is no longer used, so no failure matters.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    /// <summary>A connection and its channels.</summary>
    internal sealed class Connection
    {
        private readonly IConnection _inner;
        private readonly RabbitMQOptions _options;
        private readonly ConcurrentDictionary<int, ConfirmedChannel> _channels = new();
        private volatile Delivery? _blocked;
        private long _bytesMax = long.MaxValue;

        private Connection(IConnection inner, RabbitMQOptions options)
        {
            (_inner, _options) = (inner, options);
            inner.ConnectionBlockedAsync += (_, answer) =>
            {
                _blocked = Answers.Blocked(answer.Reason);
                return Task.CompletedTask;
            };
            inner.ConnectionUnblockedAsync += (_, _) =>
            {
                _blocked = null;
                return Task.CompletedTask;
            };
        }

        public bool IsOpen => _inner.IsOpen;

        /// <summary>The answer for every message while the broker reads nothing from the connection; null: it reads.</summary>
        public Delivery? Blocked => _blocked;

        /// <summary>The size in bytes of the largest message that the broker takes, once it has said so.</summary>
        public long BytesMax => Interlocked.Read(ref _bytesMax);

        public static async Task<Connection> OpenAsync(RabbitMQOptions options) => new(await options.CreateFactory().CreateConnectionAsync(), options);

        public async Task<ConfirmedChannel> ChannelAsync(int partition, CancellationToken end)
        {
            if (_channels.TryGetValue(partition, out var open))
            {
                if (open.IsOpen) return open;
                Retire(partition, open);
            }

            return _channels[partition] = await ConfirmedChannel.OpenAsync(_inner, _options, end);
        }

        /// <summary>Takes a channel out of use that is closed, or whose messages have unknown outcomes.</summary>
        public void Retire(int partition, ConfirmedChannel channel)
        {
            if (channel.SizeMax is { } max) Interlocked.Exchange(ref _bytesMax, max);
            if (_channels.TryRemove(KeyValuePair.Create(partition, channel))) _ = Task.Run(channel.Dispose);
        }

        public Task CloseAsync(TimeSpan within) => _inner.AbortAsync(within);
    }
}
