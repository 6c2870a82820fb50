using System.Text;
using Outpost.Forwarding;
using Outpost.RabbitMQ;
using Outpost.Tests.Testing;
using RabbitMQ.Client;

namespace Outpost.Tests.Integration.Contract;

[NeedsRabbitMQ]
public sealed class The_RabbitMQ_target : TargetContract
{
    protected override async Task<TargetUnderTest> StartAsync()
    {
        var server = await RabbitMQServer.SharedAsync();
        var connection = await new ConnectionFactory { Uri = server.Uri }.CreateConnectionAsync();
        var under = new RabbitMQUnderTest(connection, await connection.CreateChannelAsync(), new SilentProxy(server.Port));
        await under.MakeQueuesAsync();
        return under;
    }

    private sealed class RabbitMQUnderTest : TargetUnderTest
    {
        private readonly string _exchange = $"contract-{Guid.NewGuid():n}";
        private readonly IConnection _connection;
        private readonly IChannel _channel;
        private readonly SilentProxy _proxy;
        private readonly RabbitMQTarget _target;
        private readonly List<Arrived> _arrived = [];

        public RabbitMQUnderTest(IConnection connection, IChannel channel, SilentProxy proxy)
        {
            (_connection, _channel, _proxy) = (connection, channel, proxy);
            _target = new RabbitMQTarget(new RabbitMQOptions { Uri = new Uri($"amqp://127.0.0.1:{proxy.Port}/"), Exchange = _exchange }, TimeProvider.System);
        }

        public override IForwardTarget Target => _target;

        public override int TooLarge => RabbitMQServer.MessageBytesMax + 1;

        private string Full => $"{_exchange}-full";

        public async Task MakeQueuesAsync()
        {
            await _channel.ExchangeDeclareAsync(_exchange, ExchangeType.Topic, durable: true);
            await _channel.QueueDeclareAsync(_exchange, durable: true, exclusive: false, autoDelete: false);
            // What has another type is routed nowhere.
            await _channel.QueueBindAsync(_exchange, _exchange, "OrderPlaced");
            await _channel.QueueDeclareAsync(
                Full, durable: false, exclusive: true, autoDelete: false, new Dictionary<string, object?> { ["x-max-length"] = 1, ["x-overflow"] = "reject-publish" });
            await _channel.BasicPublishAsync("", Full, default);
        }

        public override async Task<IReadOnlyList<Arrived>> ArrivedAsync(int count)
        {
            // What was confirmed is there; what was not may be on its way.
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            while (true)
            {
                if (await _channel.BasicGetAsync(_exchange, autoAck: true) is { } message) _arrived.Add(Of(message));
                else if (_arrived.Count >= count || deadline.IsCancellationRequested) return _arrived;
            }
        }

        public override Task RefuseAsync(EventEntry entry) => Task.CompletedTask;

        public override async Task BeginAsync(Weather weather)
        {
            if (weather == Weather.Silent) _proxy.Silence();
            else if (weather == Weather.Away) _proxy.Away();
            // One queue that is full is enough for a nack.
            else await _channel.QueueBindAsync(Full, _exchange, "#");
        }

        public override async Task FineAsync()
        {
            _proxy.Back();
            await _channel.QueueUnbindAsync(Full, _exchange, "#");
        }

        public override async ValueTask DisposeAsync()
        {
            await _target.DisposeAsync();
            await _connection.DisposeAsync();
            _proxy.Dispose();
        }

        private static Arrived Of(BasicGetResult message)
        {
            var headers = message.BasicProperties.Headers!.ToDictionary(each => each.Key, each => Encoding.UTF8.GetString((byte[])each.Value!));
            return Arrived.From(
                headers.Where(each => each.Key.StartsWith("cloudEvents:", StringComparison.Ordinal)).ToDictionary(each => each.Key[12..], each => each.Value),
                message.Body.ToArray(), headers.GetValueOrDefault("replay"));
        }
    }
}
