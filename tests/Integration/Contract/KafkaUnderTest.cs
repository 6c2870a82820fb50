using System.Text;
using Confluent.Kafka;
using Outpost.Forwarding;
using Outpost.Kafka;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Contract;

public sealed class The_Kafka_target : TargetContract
{
    protected override Task<TargetUnderTest> StartAsync() => Task.FromResult<TargetUnderTest>(new KafkaUnderTest());

    private sealed class KafkaUnderTest : TargetUnderTest, IForwardTarget
    {
        private const int Many = 1000;

        private readonly KafkaCluster _cluster = new();
        private readonly SilentProxy _proxy;
        private readonly string _topic;
        private readonly KafkaTarget _target;
        private EventEntry? _refused;
        private bool _isMet;

        public KafkaUnderTest()
        {
            _topic = _cluster.NewTopic();
            _proxy = new SilentProxy(int.Parse(_cluster.BootstrapServers.Split(':')[1]));
            _cluster.Advertise(_proxy.Port);
            _target = new KafkaTarget(new KafkaOptions { BootstrapServers = $"127.0.0.1:{_proxy.Port}", Topic = _topic }, TimeProvider.System);
        }

        public override IForwardTarget Target => this;

        public override int TooLarge => 1_100_000;

        // The mock cluster fails requests, whatever they hold. As a broker does it: at first all that goes with the refused
        // entry, then what is sent without it is taken.
        public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            var before = _refused is null ? -1 : entries.TakeWhile(entry => entry != _refused).Count();
            if (before == entries.Count || before < 0) return await _target.DeliverAsync(entries, replay, cancellationToken);
            if (before > 0 && _isMet) return await _target.DeliverAsync([.. entries.Take(before)], replay, cancellationToken);
            _isMet = true;
            _cluster.FailProduce([.. Enumerable.Repeat(ErrorCode.InvalidRecord, Many)]);
            var delivery = await _target.DeliverAsync(entries, replay, cancellationToken);
            _cluster.FailNoMore();
            return delivery;
        }

        public override Task<IReadOnlyList<Arrived>> ArrivedAsync(int count) => Task.Run<IReadOnlyList<Arrived>>(() => [.. _cluster.Read(_topic, count).Select(each => Of(each.Message))]);

        public override Task RefuseAsync(EventEntry entry)
        {
            _refused = entry;
            return Task.CompletedTask;
        }

        public override Task BeginAsync(Weather weather)
        {
            if (weather == Weather.Silent) _proxy.Silence();
            else if (weather == Weather.Away) _proxy.Away();
            else _cluster.FailProduce([.. Enumerable.Repeat(ErrorCode.ThrottlingQuotaExceeded, Many)]);
            return Task.CompletedTask;
        }

        public override Task FineAsync()
        {
            _proxy.Back();
            _cluster.FailNoMore();
            return Task.CompletedTask;
        }

        public override async ValueTask DisposeAsync()
        {
            await _target.DisposeAsync();
            _proxy.Dispose();
            _cluster.Dispose();
        }

        private static Arrived Of(Message<string, byte[]> message)
        {
            var headers = message.Headers.ToDictionary(header => header.Key, header => Encoding.UTF8.GetString(header.GetValueBytes()));
            return Arrived.From(
                headers.Where(each => each.Key.StartsWith("ce_", StringComparison.Ordinal)).ToDictionary(each => each.Key[3..], each => each.Value),
                message.Value ?? [], headers.GetValueOrDefault("replay"));
        }
    }
}
