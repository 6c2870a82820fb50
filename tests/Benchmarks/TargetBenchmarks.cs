using System.Diagnostics;
using Confluent.Kafka;
using Outpost.Forwarding;
using Outpost.Kafka;
using Outpost.RabbitMQ;
using RabbitMQ.Client;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// RabbitMQ and Kafka: what a target delivers, against the same messages by the official client alone, confirmed or answered,
/// on the same server. Bare loop and target take turns; entries are 1 KiB and each of a subject of its own, or three of a subject in
/// a row, as commands with several events make them.
/// </summary>
internal static class TargetBenchmarks
{
    private const int OnTheirWay = 500;

    // As a page of the log has them.
    private const int AtOnce = 1000;

    public static async Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        var entries = options.Quick ? 20_000 : 50_000;
        var rounds = options.Quick ? 1 : 5;
        if (RabbitMQServer.Missing is { } missing) Console.WriteLine($"targets: {missing}");
        else await RabbitMQAsync(entries, rounds, figures);
        await KafkaAsync(entries, rounds, figures);
    }

    private static async Task RabbitMQAsync(int count, int rounds, Figures figures)
    {
        Console.WriteLine("targets: RabbitMQ");
        await using var server = await RabbitMQServer.StartAsync();
        await using var connection = await new ConnectionFactory { Uri = server.Uri }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        var exchange = "bench";
        await channel.ExchangeDeclareAsync(exchange, ExchangeType.Topic, durable: true);
        await channel.QueueDeclareAsync(exchange, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync(exchange, exchange, "#");
        await using var target = new RabbitMQTarget(new RabbitMQOptions { Uri = server.Uri, Exchange = exchange }, TimeProvider.System);
        await DeliverAsync(target, Entries(2_000, 1));
        for (var round = 0; round < rounds; round++)
        {
            await channel.QueuePurgeAsync(exchange);
            var raw = await BareAsync(connection, exchange, Entries(count, 1));
            await channel.QueuePurgeAsync(exchange);
            var own = await DeliverAsync(target, Entries(count, 1));
            await channel.QueuePurgeAsync(exchange);
            var three = await DeliverAsync(target, Entries(count, 3));
            await channel.QueuePurgeAsync(exchange);
            var single = await DeliverAsync(target, Entries(count / 50, count));
            figures.Sample("raw.rabbitmq.publishes_per_s", raw, "messages/s", $"the client alone: confirmed, persistent, {OnTheirWay} on their way, one durable queue");
            figures.Sample("forward.rabbitmq.events_per_s", own, "events/s", "a subject each");
            figures.Sample("forward.rabbitmq.vs_limit", own / raw, "of raw", "against bare confirmed publishes");
            figures.Sample("forward.rabbitmq.vs_limit.three", three / raw, "of raw", "three entries of a subject in a row");
            figures.Sample("forward.rabbitmq.events_per_s.one_subject", single, "events/s", "all of one subject: one on its way at a time");
        }
    }

    private static async Task KafkaAsync(int count, int rounds, Figures figures)
    {
        Console.WriteLine("targets: Kafka");
        for (var round = 0; round < rounds + 1; round++)
        {
            // It keeps all in memory: each round has a cluster of its own. The first one warms up.
            using var cluster = new KafkaCluster();
            var number = round == 0 ? 2_000 : count;
            var options = new KafkaOptions { BootstrapServers = cluster.BootstrapServers, Topic = cluster.NewTopic() };
            var raw = await BareAsync(options, Entries(number, 1));
            await using var target = new KafkaTarget(new KafkaOptions { BootstrapServers = cluster.BootstrapServers, Topic = cluster.NewTopic() }, TimeProvider.System);
            await DeliverAsync(target, Entries(100, 1));
            var own = await DeliverAsync(target, Entries(number, 1));
            var three = await DeliverAsync(target, Entries(number, 3));
            var single = await DeliverAsync(target, Entries(number / 50, number));
            if (round == 0) continue;
            figures.Sample("raw.kafka.produces_per_s", raw, "messages/s", "the client alone, configured as the target's, on librdkafka's mock cluster");
            figures.Sample("forward.kafka.events_per_s", own, "events/s", "a subject each");
            figures.Sample("forward.kafka.vs_limit", own / raw, "of raw", "against bare produce, batches of a page each answered before the next");
            figures.Sample("forward.kafka.vs_limit.three", three / raw, "of raw", "three entries of a subject in a row");
            figures.Sample("forward.kafka.events_per_s.one_subject", single, "events/s", "all of one subject: one on its way at a time");
        }
    }

    private static async Task<double> DeliverAsync(IForwardTarget target, EventEntry[] entries)
    {
        var start = Stopwatch.GetTimestamp();
        for (var done = 0; done < entries.Length;)
        {
            var delivery = await target.DeliverAsync(entries[done..Math.Min(entries.Length, done + AtOnce)], null, CancellationToken.None);
            done += delivery is Delivery.Accepted accepted ? accepted.Count : throw new InvalidOperationException($"{delivery}");
        }

        return entries.Length / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    // As fast as the client goes: it only counts confirms, and has so many on their way.
    private static async Task<double> BareAsync(IConnection connection, string exchange, EventEntry[] entries)
    {
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, publisherConfirmationTrackingEnabled: false));
        using var room = new SemaphoreSlim(OnTheirWay);
        var confirmed = 0UL;
        channel.BasicAcksAsync += (_, ack) =>
        {
            // One that stands for several comes behind those that stand for themselves.
            var count = ack.Multiple ? (int)(ack.DeliveryTag - confirmed) : 1;
            confirmed += (ulong)count;
            if (count > 0) room.Release(count);
            return Task.CompletedTask;
        };
        var start = Stopwatch.GetTimestamp();
        foreach (var entry in entries)
        {
            await room.WaitAsync();
            await channel.BasicPublishAsync(exchange, entry.Type, mandatory: true, Outpost.RabbitMQ.MessageMapping.ToProperties(entry, "/outpost"), entry.Payload);
        }

        for (var left = 0; left < OnTheirWay; left++) await room.WaitAsync();
        return entries.Length / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<double> BareAsync(KafkaOptions options, EventEntry[] entries)
    {
        using var producer = new ProducerBuilder<string, byte[]>(options.CreateConfig()).SetLogHandler((_, _) => { }).Build();
        var first = await producer.ProduceAsync(options.Topic, Message(entries[0]));
        var start = Stopwatch.GetTimestamp();
        foreach (var page in entries.Chunk(AtOnce))
        {
            var (left, all) = (page.Length, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            foreach (var entry in page)
            {
                producer.Produce(first.Topic, Message(entry), report =>
                {
                    if (report.Error.IsError) all.TrySetException(new KafkaException(report.Error));
                    if (Interlocked.Decrement(ref left) == 0) all.TrySetResult();
                });
            }

            await all.Task;
        }

        return entries.Length / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static Message<string, byte[]> Message(EventEntry entry)
    {
        var message = Outpost.Kafka.MessageMapping.ToMessage(entry, "/outpost");
        return new Message<string, byte[]> { Key = message.Key, Value = message.Value.ToArray(), Headers = message.Headers };
    }

    private static EventEntry[] Entries(int count, int ofEachSubject)
    {
        var payload = Backlog.NewPayload();
        return [.. Enumerable.Range(0, count).Select(number => new EventEntry(
            new EventId("abcdefgh", 0, number), "Measured", "application/json", payload, DateTimeOffset.UnixEpoch, $"order/o-{number / ofEachSubject}", 1, null, null))];
    }
}
