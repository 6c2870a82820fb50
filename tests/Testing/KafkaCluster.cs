using System.Diagnostics;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Outpost.Tests.Testing;

/// <summary>
/// The mock cluster that librdkafka has for its own tests, in this process: brokers that speak the protocol on real
/// connections, keep what is produced, and fail as they are told to. One for each test that wants one.
/// </summary>
internal sealed partial class KafkaCluster : IDisposable
{
    private const short ProduceRequest = 0;
    private const int Producer = 0;

    private readonly IntPtr _client;
    private readonly IntPtr _cluster;

    // The package has several builds of the native library and takes the first one that loads here: that one is called.
    static KafkaCluster()
    {
        using var any = new ProducerBuilder<Null, Null>(new ProducerConfig()).SetLogHandler((_, _) => { }).Build();
        using var process = Process.GetCurrentProcess();
        var loaded = process.Modules.Cast<ProcessModule>().First(module => module.ModuleName.Contains("librdkafka", StringComparison.Ordinal)).FileName;
        NativeLibrary.SetDllImportResolver(typeof(KafkaCluster).Assembly, (name, _, _) => name == "librdkafka" ? NativeLibrary.Load(loaded) : IntPtr.Zero);
    }

    public KafkaCluster(int brokers = 1)
    {
        var configuration = NewConfiguration();
        // It warns that it has no servers.
        _ = Set(configuration, "log_level", "0", new byte[512], 512);
        _client = New(Producer, configuration, new byte[512], 512);
        _cluster = NewCluster(_client, brokers);
    }

    /// <summary>A consumer group that is new does not wait for more members.</summary>
    public void GroupsBeginAtOnce() => SetGroupDelay(_cluster, 100);

    public string BootstrapServers => Marshal.PtrToStringUTF8(Bootstraps(_cluster))!;

    /// <summary>A topic nobody else uses.</summary>
    public string NewTopic(int partitions = 4)
    {
        var topic = $"events-{Guid.NewGuid():n}";
        Check(CreateTopic(_cluster, topic, partitions, 1));
        return topic;
    }

    /// <summary>The next produce requests are answered with these errors, one each.</summary>
    public void FailProduce(params ErrorCode[] errors) => PushErrors(_cluster, ProduceRequest, (nuint)errors.Length, [.. errors.Select(error => (int)error)]);

    /// <summary>What is left of them is taken back.</summary>
    public void FailNoMore() => ClearErrors(_cluster, ProduceRequest);

    /// <summary>Whoever asks for this topic gets this error.</summary>
    public void FailTopic(string topic, ErrorCode error) => SetTopicError(_cluster, topic, (int)error);

    /// <summary>Every answer takes this long.</summary>
    public void Slow(TimeSpan answers) => Check(SetRoundTrip(_cluster, -1, (int)answers.TotalMilliseconds));

    /// <summary>Broker 1 tells clients that it is at this port: a proxy's.</summary>
    public void Advertise(int port) => SetHostPort(_cluster, 1, "127.0.0.1", port);

    public void Down(int broker = 1) => Check(SetDown(_cluster, broker));

    public void Up(int broker = 1) => Check(SetUp(_cluster, broker));

    /// <summary>What a topic holds, each partition in its order, as soon as there are so many.</summary>
    public IReadOnlyList<ConsumeResult<string, byte[]>> Read(string topic, int count, int partitions = 4)
    {
        using var consumer = new ConsumerBuilder<string, byte[]>(new ConsumerConfig { BootstrapServers = BootstrapServers, GroupId = "test", EnableAutoCommit = false })
            .SetLogHandler((_, _) => { }).Build();
        consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        var read = new List<ConsumeResult<string, byte[]>>();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (read.Count < count) read.Add(consumer.Consume(deadline.Token));
        return read;
    }

    public void Dispose()
    {
        DestroyCluster(_cluster);
        Destroy(_client);
    }

    private static void Check(int error)
    {
        if (error != 0) throw new KafkaException((ErrorCode)error);
    }

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_conf_new")]
    private static partial IntPtr NewConfiguration();

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Set(IntPtr configuration, string name, string value, byte[] error, nuint size);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_new")]
    private static partial IntPtr New(int type, IntPtr configuration, byte[] error, nuint size);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_destroy")]
    private static partial void Destroy(IntPtr client);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_cluster_new")]
    private static partial IntPtr NewCluster(IntPtr client, int brokers);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_cluster_destroy")]
    private static partial void DestroyCluster(IntPtr cluster);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    private static partial IntPtr Bootstraps(IntPtr cluster);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_topic_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateTopic(IntPtr cluster, string topic, int partitions, int replicas);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_topic_set_error", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void SetTopicError(IntPtr cluster, string topic, int error);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_push_request_errors_array")]
    private static partial void PushErrors(IntPtr cluster, short request, nuint count, int[] errors);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_clear_request_errors")]
    private static partial void ClearErrors(IntPtr cluster, short request);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_group_initial_rebalance_delay_ms")]
    private static partial void SetGroupDelay(IntPtr cluster, int milliseconds);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_broker_set_rtt")]
    private static partial int SetRoundTrip(IntPtr cluster, int broker, int milliseconds);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_broker_set_host_port", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void SetHostPort(IntPtr cluster, int broker, string host, int port);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_broker_set_down")]
    private static partial int SetDown(IntPtr cluster, int broker);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_broker_set_up")]
    private static partial int SetUp(IntPtr cluster, int broker);
}
