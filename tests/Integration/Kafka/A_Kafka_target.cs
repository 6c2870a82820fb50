using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Outpost.Forwarding;
using Outpost.Kafka;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Kafkas;

/// <summary>Against the mock cluster of librdkafka, which fails as it is told to.</summary>
public sealed class A_Kafka_target : IAsyncDisposable
{
    private readonly KafkaCluster _cluster = new();
    private readonly string _topic;
    private readonly KafkaTarget _target;

    public A_Kafka_target()
    {
        _topic = _cluster.NewTopic();
        _target = Target(_topic);
    }

    [Fact]
    public async Task Produces_messages_keyed_by_subject_with_the_entry_s_attributes()
    {
        var entry = Entry(41, partition: 3) with { TraceParent = "00-11111111111111111111111111111111-2222222222222222-01", CorrelationId = "c-1" };

        Assert.Equal(new Delivery.Accepted(1), await DeliverAsync(entry));

        var message = Assert.Single(_cluster.Read(_topic, 1)).Message;
        Assert.Equal(("order/o-1", 10), (message.Key, message.Value.Length));
        Assert.Equal(
            [
                ("ce_correlationid", "c-1"), ("ce_id", "k3v9x2ab-0003-0000000000000000041"), ("ce_partitionkey", "0003"), ("ce_sequence", "0000000000000000041"),
                ("ce_source", "/outpost"), ("ce_specversion", "1.0"), ("ce_subject", "order/o-1"), ("ce_time", "2024-10-04T00:00:00.0000000Z"),
                ("ce_traceparent", entry.TraceParent), ("ce_type", "OrderPlaced"), ("content-type", "application/json"), ("traceparent", entry.TraceParent),
            ],
            message.Headers.Select(header => (header.Key, Encoding.UTF8.GetString(header.GetValueBytes()))).OrderBy(header => header.Key, StringComparer.Ordinal));
        // Not the entry's, which may be older than the topic keeps messages.
        Assert.InRange(DateTime.UtcNow - message.Timestamp.UtcDateTime, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Keeps_each_subject_in_one_partition_and_in_order()
    {
        EventEntry[] entries = [.. Enumerable.Range(0, 200).Select(i => Entry(i, $"order/{i % 20}"))];

        for (var done = 0; done < entries.Length;) done += Assert.IsType<Delivery.Accepted>(await DeliverAsync(entries[done..])).Count;

        var read = _cluster.Read(_topic, 200);
        Assert.All(read.GroupBy(each => each.Message.Key), subject =>
        {
            Assert.Single(subject.Select(each => each.Partition).Distinct());
            Assert.Equal(entries.Where(entry => entry.Subject == subject.Key).Select(entry => entry.Offset), subject.Select(each => Sequence(each.Message)));
        });
        Assert.True(read.Select(each => each.Partition).Distinct().Count() > 1);
    }

    // The broker fails requests in the middle, whatever they hold; what is retried must not come after what follows it.
    [Theory]
    [InlineData(ErrorCode.NotLeaderForPartition, true)]
    [InlineData(ErrorCode.NotEnoughReplicas, true)]
    [InlineData(ErrorCode.RequestTimedOut, true)]
    [InlineData(ErrorCode.InvalidRecord, false)]
    [InlineData(ErrorCode.MsgSizeTooLarge, false)]
    public async Task Never_reorders_a_subject_where_a_batch_fails_in_the_middle(ErrorCode error, bool isRetriable)
    {
        await DeliverAsync(Entry(0, "order/0"));
        EventEntry[] entries = [.. Enumerable.Range(1, 60).Select(i => Entry(i, $"order/{i % 6}"))];
        _cluster.FailProduce(ErrorCode.NoError, error, ErrorCode.NoError, error, error);

        var failures = 0;
        for (var (done, max) = (0, entries.Length); done < entries.Length;)
        {
            // As the forwarder does it.
            switch (await DeliverAsync(entries[done..Math.Min(entries.Length, done + max)]))
            {
                case Delivery.Accepted accepted: (done, max) = (done + accepted.Count, entries.Length); break;
                case Delivery.Refused refused: (max, failures) = (Math.Max(1, refused.Attempted / 2), failures + 1); break;
                default: failures++; break;
            }

            Assert.InRange(failures, 0, 10);
        }

        if (isRetriable) Assert.Equal(0, failures);
        var first = _cluster.Read(_topic, 61).Select(each => (each.Message.Key, Sequence: Sequence(each.Message)));
        Assert.All(first.GroupBy(each => each.Key), subject => Assert.Equal(
            subject.Select(each => each.Sequence).Distinct().Order(), subject.Select(each => each.Sequence).Distinct()));
    }

    [Theory]
    [InlineData(ErrorCode.TopicAuthorizationFailed, false)]
    [InlineData(ErrorCode.ClusterAuthorizationFailed, false)]
    public async Task Says_that_trying_again_does_not_help_where_it_does_not(ErrorCode error, bool isTransient)
    {
        await DeliverAsync(Entry(0));
        _cluster.FailProduce(error);

        var failed = Assert.IsType<Delivery.Failed>(await DeliverAsync(Entry(1)));

        Assert.Equal((error.ToString(), isTransient), (failed.Kind, failed.IsTransient));
        Assert.Equal(new Delivery.Accepted(1), await DeliverAsync(Entry(1)));
    }

    [Fact]
    public async Task Refuses_a_message_alone_and_several_as_several()
    {
        await DeliverAsync(Entry(0));
        _cluster.FailProduce(ErrorCode.InvalidRecord, ErrorCode.InvalidRecord, ErrorCode.InvalidRecord, ErrorCode.InvalidRecord);
        var several = await DeliverAsync([.. Enumerable.Range(1, 20).Select(i => Entry(i, $"order/{i}"))]);
        _cluster.FailNoMore();
        _cluster.FailProduce(ErrorCode.InvalidRecord);

        Assert.InRange(Assert.IsType<Delivery.Refused>(several).Attempted, 2, 20);
        var one = Assert.IsType<Delivery.Refused>(await DeliverAsync(Entry(1, "order/1")));

        Assert.Equal(1, one.Attempted);
        Assert.StartsWith("InvalidRecord: ", one.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sends_what_the_broker_finds_too_large_as_a_reference()
    {
        await DeliverAsync(Entry(0));
        _cluster.FailProduce(ErrorCode.MsgSizeTooLarge);

        Assert.Equal(new Delivery.Accepted(1), await DeliverAsync(Entry(1)));

        Assert.Equal("http://localhost:7071/api/events/k3v9x2ab-0000-0000000000000000001/data", Reference(_cluster.Read(_topic, 2)[^1].Message));
    }

    [Fact]
    public async Task Sends_what_the_client_finds_too_large_as_a_reference_too()
    {
        Assert.Equal(new Delivery.Accepted(1), await DeliverAsync(Entry(0, bytes: 1_100_000)));

        var message = Assert.Single(_cluster.Read(_topic, 1)).Message;
        Assert.Empty(message.Value ?? []);
        Assert.Equal("http://localhost:7071/api/events/k3v9x2ab-0000-0000000000000000000/data", Reference(message));
    }

    [Fact]
    public async Task Goes_on_with_another_producer_after_a_fatal_error()
    {
        await DeliverAsync(Entry(0));
        _cluster.FailProduce(ErrorCode.InvalidProducerEpoch, ErrorCode.OutOfOrderSequenceNumber);

        var tries = 0;
        while (await DeliverAsync(Entry(1)) is not Delivery.Accepted) Assert.InRange(++tries, 1, 5);

        Assert.Equal(1L, Sequence(_cluster.Read(_topic, 2)[^1].Message));
    }

    [Fact]
    public async Task Says_within_seconds_why_it_reaches_nobody_and_goes_on_as_soon_as_it_does()
    {
        await DeliverAsync(Entry(0));
        _cluster.Down();

        var failed = Assert.IsType<Delivery.Failed>(await DeliverAsync(Entry(1)));
        _cluster.Up();
        var clock = Stopwatch.StartNew();
        Assert.Equal(new Delivery.Accepted(1), await DeliverAsync(Entry(1)));

        Assert.True(failed.IsTransient);
        Assert.NotEqual("Local_MsgTimedOut", failed.Kind);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 7);
    }

    [Fact]
    public async Task Finds_nobody_at_the_address_and_says_so()
    {
        await using var target = new KafkaTarget(new KafkaOptions { BootstrapServers = "127.0.0.1:1" }, TimeProvider.System);

        var failed = Assert.IsType<Delivery.Failed>(await target.DeliverAsync([Entry(0)], null, CancellationToken.None));

        Assert.True(failed.IsTransient);
        Assert.Contains("refused", failed.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_that_a_topic_is_missing_within_the_delivery()
    {
        _cluster.FailTopic(_topic, ErrorCode.UnknownTopicOrPart);

        var failed = Assert.IsType<Delivery.Failed>(await DeliverAsync(Entry(0)));

        Assert.Contains("topic", failed.Reason, StringComparison.OrdinalIgnoreCase);
        Assert.False(failed.IsTransient);
    }

    [Fact]
    public async Task Delivers_within_the_same_delivery_over_another_connection_where_one_is_half_open()
    {
        using var proxy = new SilentProxy(int.Parse(_cluster.BootstrapServers.Split(':')[1]));
        _cluster.Advertise(proxy.Port);
        await DeliverAsync(Entry(0));
        Assert.NotEqual(0, proxy.Connections);
        proxy.Silence();
        var clock = Stopwatch.StartNew();

        Assert.Equal(new Delivery.Accepted(1), await DeliverAsync(Entry(1)));

        Assert.InRange(clock.Elapsed.TotalSeconds, 2, 20);
    }

    [Fact]
    public async Task Ends_when_it_is_cancelled()
    {
        await DeliverAsync(Entry(0));
        _cluster.Slow(TimeSpan.FromSeconds(5));
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        var clock = Stopwatch.StartNew();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _target.DeliverAsync([Entry(1)], null, stop.Token));

        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 4.5);
    }

    [Fact]
    public async Task Says_what_is_wrong_with_its_configuration()
    {
        await using var target = new KafkaTarget(new KafkaOptions { BootstrapServers = _cluster.BootstrapServers, CertificateAuthorities = "/no/such/file", SecurityProtocol = SecurityProtocol.Ssl }, TimeProvider.System);

        var failed = Assert.IsType<Delivery.Failed>(await target.DeliverAsync([Entry(0)], null, CancellationToken.None));

        Assert.False(failed.IsTransient);
        Assert.Contains("ssl.ca.location", failed.Cause.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Marks_what_is_replayed()
    {
        await _target.DeliverAsync([Entry(0)], "r1", CancellationToken.None);

        Assert.True(Assert.Single(_cluster.Read(_topic, 1)).Message.Headers.TryGetLastBytes("replay", out var replay));
        Assert.Equal("r1", Encoding.UTF8.GetString(replay));
    }

    public async ValueTask DisposeAsync()
    {
        await _target.DisposeAsync();
        _cluster.Dispose();
    }

    private static EventEntry Entry(int offset, string subject = "order/o-1", int bytes = 10, int partition = 0) => new(
        new EventId("k3v9x2ab", partition, offset), "OrderPlaced", "application/json", new byte[bytes], DateTimeOffset.UnixEpoch.AddDays(20_000), subject, offset + 1, null, null);

    private static long Sequence(Message<string, byte[]> message) => long.Parse(Encoding.UTF8.GetString(message.Headers.GetLastBytes("ce_sequence")));

    private static string? Reference(Message<string, byte[]> message) =>
        message.Headers.TryGetLastBytes("ce_dataref", out var reference) ? Encoding.UTF8.GetString(reference) : null;

    private KafkaTarget Target(string topic) => new(new KafkaOptions { BootstrapServers = _cluster.BootstrapServers, Topic = topic }, TimeProvider.System);

    private Task<Delivery> DeliverAsync(params EventEntry[] entries) => _target.DeliverAsync(entries, null, CancellationToken.None);
}
