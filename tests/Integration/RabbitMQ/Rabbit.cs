using System.Text;
using Outpost.Forwarding;
using Outpost.RabbitMQ;
using Outpost.Tests.Testing;
using RabbitMQ.Client;

namespace Outpost.Tests.Integration.Rabbits;

/// <summary>An exchange of the test's own with one queue behind it, a target, and a client that looks on.</summary>
internal sealed class Rabbit : IAsyncDisposable
{
    private readonly IConnection _connection;

    private Rabbit(RabbitMQServer server, IConnection connection, IChannel channel, RabbitMQOptions options) =>
        (Server, _connection, Channel, Options, Target) = (server, connection, channel, options, new RabbitMQTarget(options, TimeProvider.System));

    public RabbitMQServer Server { get; }

    public IChannel Channel { get; private set; }

    public RabbitMQOptions Options { get; }

    public RabbitMQTarget Target { get; }

    public string Queue => Options.Exchange;

    public static async Task<Rabbit> StartAsync(
        Action<RabbitMQOptions>? configure = null, RabbitMQServer? server = null, string? binding = "#", Dictionary<string, object?>? arguments = null)
    {
        server ??= await RabbitMQServer.SharedAsync();
        var name = $"events-{Guid.NewGuid():n}";
        var options = new RabbitMQOptions { Uri = server.Uri, Exchange = name };
        var connection = await new ConnectionFactory { Uri = server.Uri }.CreateConnectionAsync();
        var channel = await connection.CreateChannelAsync();
        if (binding is not null)
        {
            await channel.ExchangeDeclareAsync(name, ExchangeType.Topic, durable: true);
            await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, arguments);
            await channel.QueueBindAsync(name, name, binding);
        }

        configure?.Invoke(options);
        return new Rabbit(server, connection, channel, options);
    }

    public static EventEntry Entry(int offset, string subject = "order/o-1", string type = "OrderPlaced", int bytes = 10, int partition = 0) => new(
        new EventId("k3v9x2ab", partition, offset), type, "application/json", new byte[bytes], DateTimeOffset.UnixEpoch.AddDays(20_000), subject, offset + 1, null, null);

    public Task<Delivery> DeliverAsync(params EventEntry[] entries) => Target.DeliverAsync(entries, null, CancellationToken.None);

    /// <summary>What the queue has, in order; it is gone from there.</summary>
    public async Task<IReadOnlyList<BasicGetResult>> TakeAsync(string? queue = null)
    {
        var all = new List<BasicGetResult>();
        while (await Channel.BasicGetAsync(queue ?? Queue, autoAck: true) is { } message) all.Add(message);
        return all;
    }

    public async Task<IReadOnlyList<long>> OffsetsAsync(string? queue = null) =>
        [.. (await TakeAsync(queue)).Select(message => long.Parse(Header(message, "cloudEvents:sequence")!))];

    public static string? Header(BasicGetResult message, string name) =>
        message.BasicProperties.Headers!.TryGetValue(name, out var value) ? Encoding.UTF8.GetString((byte[])value!) : null;

    public async ValueTask DisposeAsync()
    {
        await Target.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
