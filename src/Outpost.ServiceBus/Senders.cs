using Azure.Messaging.ServiceBus;

namespace Outpost.ServiceBus;

/// <summary>
/// Keeps a sender for each partition, all on one client. Both remember faults. A sender believes for 10 s that the
/// broker is busy, and keeps a link on which nothing is answered. A client keeps a connection whose other end is gone
/// until AMQP's idle timeout of 60 s. So a sender is not used again after a fault, and a client is not used again after
/// its sends got no answer. Thread-safe.
/// </summary>
internal sealed class Senders(Func<ServiceBusClient> createClient, string topic, TimeProvider time) : IAsyncDisposable
{
    // After two senders in a row without an answer the client is at fault, even if other partitions get answers.
    private const int UnansweredMax = 2;

    // Most answers come within milliseconds, so a shorter try without an answer says nothing.
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Slot> _slots = [];
    private Connection? _current;
    private bool _isDisposed;

    /// <summary>Begins a delivery of a partition, with the sender that it uses.</summary>
    public Sending Begin(int partition)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_slots.TryGetValue(partition, out var slot)) _slots[partition] = slot = new Slot();
            if (slot.Sender is null)
            {
                _current ??= new Connection(createClient());
                (slot.Sender, slot.Connection) = (_current.Client.CreateSender(topic), _current);
                _current.Users++;
            }

            return new Sending(partition, slot.Sender, time.GetTimestamp());
        }
    }

    /// <summary>Records that the broker answered, so the sender may be used again.</summary>
    public void Answered(Sending sending)
    {
        lock (_lock)
        {
            if (SlotOf(sending) is not { } slot) return;
            slot.Unanswered = 0;
            slot.Connection!.AnsweredAt = time.GetTimestamp();
        }
    }

    /// <summary>Records a failure. The sender may remember it, so the next delivery gets another one.</summary>
    public void Failed(Sending sending)
    {
        lock (_lock)
        {
            if (SlotOf(sending) is not { } slot) return;
            slot.Unanswered = 0;
            Retire(slot);
        }
    }

    /// <summary>
    /// Records that no answer came in time. The next delivery gets another sender, of another client where this client
    /// may be at fault.
    /// </summary>
    public void Unanswered(Sending sending)
    {
        lock (_lock)
        {
            if (SlotOf(sending) is not { } slot) return;
            // A delivery that was cut short says nothing about the client. But nobody knows whether its link still
            // works, so the sender goes too.
            if (time.GetElapsedTime(sending.BeganAt) >= AnswersWithin)
            {
                slot.Unanswered++;
                var isAlive = slot.Connection!.AnsweredAt > sending.BeganAt;
                if (_current == slot.Connection && (!isAlive || slot.Unanswered >= UnansweredMax)) _current = null;
            }

            Retire(slot);
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<Connection> connections;
        lock (_lock)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            connections = [.. _slots.Values.Select(slot => slot.Connection).Append(_current).OfType<Connection>().Distinct()];
        }

        // Disposing a client ends its senders.
        foreach (var connection in connections) await connection.Client.DisposeAsync();
    }

    // Null: another delivery has replaced the sender meanwhile.
    private Slot? SlotOf(Sending sending) =>
        _slots.TryGetValue(sending.Partition, out var slot) && slot.Sender == sending.Sender ? slot : null;

    private void Retire(Slot slot)
    {
        var (sender, connection) = (slot.Sender!, slot.Connection!);
        (slot.Sender, slot.Connection) = (null, null);
        connection.Users--;
        _ = EndAsync(connection != _current && connection.Users == 0 ? connection.Client : sender);
    }

    // Nobody waits for this, because it says goodbye to a broker that may not answer.
    private static async Task EndAsync(IAsyncDisposable used)
    {
        try
        {
            await Task.Run(async () => await used.DisposeAsync());
        }
#pragma warning disable CA1031 // The object is no longer used, so no failure matters.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    /// <summary>A sender while one delivery uses it.</summary>
    internal readonly record struct Sending(int Partition, ServiceBusSender Sender, long BeganAt);

    private sealed class Slot
    {
        public ServiceBusSender? Sender { get; set; }

        public Connection? Connection { get; set; }

        /// <summary>Deliveries in a row without an answer, whatever the sender.</summary>
        public int Unanswered { get; set; }
    }

    private sealed class Connection(ServiceBusClient client)
    {
        public ServiceBusClient Client => client;

        /// <summary>How many partitions have a sender of this client.</summary>
        public int Users { get; set; }

        public long AnsweredAt { get; set; } = long.MinValue;
    }
}
