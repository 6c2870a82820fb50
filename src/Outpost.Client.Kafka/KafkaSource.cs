using System.Text;
using Confluent.Kafka;

namespace Outpost.Client;

/// <summary>
/// Reads a topic of Kafka or Event Hubs as a member of a consumer group. Subjects are handled side by side, each in
/// order. An offset is committed when all messages up to it are done. What the consumer gives up goes to a topic of
/// dead letters; all replicas have it there before its offset counts as done.
/// </summary>
/// <param name="configuration">Servers, TLS and SASL. It is copied.</param>
/// <param name="group">
/// Name of the consumer group. A new group begins at the oldest message. Dead letters are read by a group of this name
/// with <c>.dead</c> appended.
/// </param>
/// <param name="topic">Name of the topic.</param>
/// <param name="deadLetters">
/// Name of the topic of dead letters. It must exist where the broker does not create topics. Default null: the topic's
/// name with <c>.dead</c> appended.
/// </param>
/// <param name="atOnce">The most messages under way in this process: 1 to 1,000. Default 100.</param>
public sealed class KafkaSource(ClientConfig configuration, string group, string topic, string? deadLetters = null, int atOnce = 100) : IMessageSource
{
    private const string ReasonHeader = "dead-letter-reason";
    private const int ReasonMax = 4_000;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);

    private readonly int _atOnce = atOnce is >= 1 and <= 1_000 ? atOnce : throw new ArgumentOutOfRangeException(nameof(atOnce), atOnce, "1 to 1,000 is allowed.");
    private readonly string _deadLetters = deadLetters ?? $"{topic}.dead";

    /// <inheritdoc/>
    // The client's calls block, so the loop has a thread of its own.
    public Task RunAsync(MessageConsumer consumer, CancellationToken stopping) =>
        Task.Factory.StartNew(() => Run(consumer, stopping), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <inheritdoc/>
    public async Task<(int Done, int Left)> RetryDeadLettersAsync(MessageConsumer consumer, CancellationToken cancellationToken)
    {
        // Kafka lets only a group's members commit its offsets, so this reader has a group of its own.
        using var reader = Build(_ => { }, $"{group}.dead");
        using var dead = DeadLetters();
        try
        {
            return await Task.Run(() => RetryAsync(reader, dead, consumer, cancellationToken), cancellationToken);
        }
        finally
        {
            reader.Close();
        }
    }

    private void Run(MessageConsumer consumer, CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var lanes = new Lanes(_atOnce);
        using var dead = DeadLetters();
        var progress = new KafkaProgress();
        using var reader = Build(builder => builder
            .SetErrorHandler((_, error) => consumer.Failed(new KafkaException(error)))
            // The next member begins at what was committed. It may repeat what is under way here, which takes effect once.
            .SetPartitionsRevokedHandler((client, gone) => progress.Forget(gone.Select(each => each.TopicPartition), client))
            .SetPartitionsLostHandler((_, gone) => progress.Forget(gone.Select(each => each.TopicPartition), (IConsumer<string?, byte[]?>?)null)), group);
        reader.Subscribe(topic);
        try
        {
            for (var isPaused = false; !stopping.IsCancellationRequested;)
            {
                progress.Store(reader);
                // The loop has to consume all the time, or the group takes its partitions away. So a full process
                // pauses them instead.
                if (progress.Count >= _atOnce != isPaused) isPaused = Pause(reader, isFull: !isPaused);
                if (reader.Consume(Poll) is not { Message: not null } message) continue;
                progress.Add(message.TopicPartition, message.Offset, lanes.RunAsync(
                    message.Message.Key ?? "", () => SettleAsync(consumer, dead, message.Message, end.Token)));
            }
        }
        finally
        {
            end.Cancel();
            lanes.EndedAsync().GetAwaiter().GetResult();
            progress.StoreWhatIsDone(reader);
            // Commits the stored offsets and leaves the group.
            reader.Close();
        }
    }

    private static bool Pause(IConsumer<string?, byte[]?> reader, bool isFull)
    {
        if (isFull) reader.Pause(reader.Assignment);
        else reader.Resume(reader.Assignment);
        return isFull;
    }

    private async Task SettleAsync(MessageConsumer consumer, IProducer<string?, byte[]?> dead, Message<string?, byte[]?> message, CancellationToken end)
    {
        if (await consumer.HandleAsync(() => Read(message), end) is { } reason) await BuryAsync(dead, message, reason, end);
    }

    // Assigns the partitions to itself, so that nobody waits until the group has divided them.
    private async Task<(int Done, int Left)> RetryAsync(
        IConsumer<string?, byte[]?> reader, IProducer<string?, byte[]?> dead, MessageConsumer consumer, CancellationToken cancellationToken)
    {
        var (done, left, waiting) = (0, 0, new Dictionary<string, string>());
        foreach (var (partition, first, end) in Unread(reader))
        {
            reader.Assign(new TopicPartitionOffset(partition, first));
            for (var quiet = TimeSpan.Zero; reader.Position(partition).Value < end && quiet < Answer;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (reader.Consume(Poll) is not { Message: { } message } result)
                {
                    quiet += Poll;
                    continue;
                }

                if (result.Offset >= end) break;
                var subject = message.Key ?? "";
                var reason = waiting.TryGetValue(subject, out var before) ? before : await consumer.HandleAsync(() => Read(message), cancellationToken);
                // A message that fails again goes to the end of the topic, and later ones of its subject go behind it.
                if (reason is not null) await BuryAsync(dead, message, waiting[subject] = reason, cancellationToken);
                (done, left, quiet) = reason is null ? (done + 1, left, TimeSpan.Zero) : (done, left + 1, TimeSpan.Zero);
                reader.Commit([new TopicPartitionOffset(partition, result.Offset + 1)]);
            }
        }

        return (done, left);
    }

    // Ends where each partition ends now. What fails again comes later.
    private List<(TopicPartition Partition, Offset First, Offset End)> Unread(IConsumer<string?, byte[]?> reader)
    {
        using var admin = new DependentAdminClientBuilder(reader.Handle).Build();
        var partitions = admin.GetMetadata(_deadLetters, Answer).Topics.Where(each => !each.Error.IsError).SelectMany(each => each.Partitions)
            .Select(each => new TopicPartition(_deadLetters, each.PartitionId)).ToList();
        if (partitions.Count == 0) return [];
        return
        [
            .. reader.Committed(partitions, Answer).Select(each =>
            {
                var ends = reader.QueryWatermarkOffsets(each.TopicPartition, Answer);
                return (each.TopicPartition, new Offset(Math.Max(each.Offset.Value, ends.Low.Value)), ends.High);
            }).Where(each => each.Item2.Value < each.High.Value),
        ];
    }

    private async Task BuryAsync(IProducer<string?, byte[]?> dead, Message<string?, byte[]?> message, string reason, CancellationToken end)
    {
        var headers = new Headers();
        foreach (var header in message.Headers.Where(each => each.Key != ReasonHeader)) headers.Add(header.Key, header.GetValueBytes());
        headers.Add(ReasonHeader, Encoding.UTF8.GetBytes(reason.Length > ReasonMax ? reason[..ReasonMax] : reason));
        await dead.ProduceAsync(_deadLetters, new Message<string?, byte[]?> { Key = message.Key, Value = message.Value, Headers = headers }, end);
    }

    private static EventMessage Read(Message<string?, byte[]?> message)
    {
        return EventMessage.Read(name => Header($"ce_{name}"), Header("replay"), Header("content-type"), message.Value ?? []);

        string? Header(string name) => message.Headers.TryGetLastBytes(name, out var bytes) ? Encoding.UTF8.GetString(bytes) : null;
    }

    private IConsumer<string?, byte[]?> Build(Action<ConsumerBuilder<string?, byte[]?>> configure, string name)
    {
        var builder = new ConsumerBuilder<string?, byte[]?>(new ConsumerConfig(configuration.ToDictionary())
        {
            GroupId = name,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            // The source stores an offset when its message is done. The client commits it each second, and at the end.
            EnableAutoOffsetStore = false,
            EnableAutoCommit = true,
            AutoCommitIntervalMs = 1000,
            // When a member comes or goes, only the partitions that move stop.
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
        });
        // Without a handler, the library writes to standard error.
        builder.SetLogHandler((_, _) => { });
        configure(builder);
        return builder.Build();
    }

    private IProducer<string?, byte[]?> DeadLetters() =>
        new ProducerBuilder<string?, byte[]?>(new ProducerConfig(configuration.ToDictionary()) { EnableIdempotence = true, Acks = Acks.All })
            .SetLogHandler((_, _) => { }).Build();
}
