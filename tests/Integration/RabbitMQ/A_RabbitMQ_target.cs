using System.Diagnostics;
using Outpost.Forwarding;
using Outpost.RabbitMQ;
using Outpost.Tests.Testing;
using RabbitMQ.Client;

namespace Outpost.Tests.Integration.Rabbits;

/// <summary>Against a real RabbitMQ server.</summary>
public sealed class A_RabbitMQ_target
{
    [RabbitMQFact]
    public async Task Makes_a_durable_topic_exchange_where_there_is_none_and_says_that_no_queue_takes_its_messages()
    {
        await using var rabbit = await Rabbit.StartAsync(binding: null);

        var refused = Assert.IsType<Delivery.Refused>(await rabbit.DeliverAsync(Rabbit.Entry(0)));

        Assert.Equal($"NO_ROUTE: no queue takes routing key 'OrderPlaced' from exchange '{rabbit.Options.Exchange}'.", refused.Reason);
        await rabbit.Channel.ExchangeDeclareAsync(rabbit.Options.Exchange, ExchangeType.Topic, durable: true);
    }

    [RabbitMQFact]
    public async Task Publishes_persistent_messages_with_the_entry_s_attributes()
    {
        await using var rabbit = await Rabbit.StartAsync(options => options.Source = "/shop");
        var entry = Rabbit.Entry(41, partition: 3) with { TraceParent = "00-11111111111111111111111111111111-2222222222222222-01", CorrelationId = "c-1" };

        Assert.Equal(new Delivery.Accepted(1), await rabbit.DeliverAsync(entry));

        var message = Assert.Single(await rabbit.TakeAsync());
        var properties = message.BasicProperties;
        Assert.Equal((true, "OrderPlaced", "application/json", "c-1"), (properties.Persistent, properties.Type, properties.ContentType, properties.CorrelationId));
        Assert.Equal(("k3v9x2ab-0003-0000000000000000041", "OrderPlaced"), (properties.MessageId, message.RoutingKey));
        Assert.Equal(entry.Payload.ToArray(), message.Body.ToArray());
        Assert.Equal(
            [
                ("cloudEvents:id", "k3v9x2ab-0003-0000000000000000041"), ("cloudEvents:partitionkey", "0003"), ("cloudEvents:sequence", "0000000000000000041"),
                ("cloudEvents:source", "/shop"), ("cloudEvents:specversion", "1.0"), ("cloudEvents:subject", "order/o-1"), ("cloudEvents:time", "2024-10-04T00:00:00.0000000Z"),
                ("cloudEvents:traceparent", entry.TraceParent), ("cloudEvents:type", "OrderPlaced"), ("traceparent", entry.TraceParent),
            ],
            properties.Headers!.Keys.Order(StringComparer.Ordinal).Select(name => (name, Rabbit.Header(message, name)!)));
    }

    [RabbitMQTheory]
    [InlineData(RoutingKey.Type, "OrderPlaced")]
    [InlineData(RoutingKey.Subject, "order/o-1")]
    [InlineData(RoutingKey.Partition, "3")]
    public async Task Routes_by_what_it_is_told_to(RoutingKey by, string key)
    {
        await using var rabbit = await Rabbit.StartAsync(options => options.RoutingKey = by);

        await rabbit.DeliverAsync(Rabbit.Entry(0, partition: 3));

        Assert.Equal(key, Assert.Single(await rabbit.TakeAsync()).RoutingKey);
    }

    [RabbitMQFact]
    public async Task Refuses_only_what_no_queue_takes_and_nothing_of_the_same_subject_overtakes_it()
    {
        await using var rabbit = await Rabbit.StartAsync(binding: "OrderPlaced");
        EventEntry[] entries =
        [
            Rabbit.Entry(0, "order/a"), Rabbit.Entry(1, "order/b"), Rabbit.Entry(2, "order/a", type: "OrderPaid"),
            Rabbit.Entry(3, "order/a"), Rabbit.Entry(4, "order/b"), Rabbit.Entry(5, "order/c"),
        ];

        Assert.Equal(new Delivery.Accepted(2), await rabbit.DeliverAsync(entries));
        var refused = await rabbit.DeliverAsync(entries[2..]);

        Assert.Equal(1, Assert.IsType<Delivery.Refused>(refused).Attempted);
        Assert.DoesNotContain(3, await rabbit.OffsetsAsync());
    }

    [RabbitMQFact]
    public async Task Is_busy_while_a_queue_is_full_and_goes_on_as_soon_as_it_is_not()
    {
        await using var rabbit = await Rabbit.StartAsync(arguments: Full(2));
        EventEntry[] entries = [.. Enumerable.Range(0, 10).Select(i => Rabbit.Entry(i))];

        var some = Assert.IsType<Delivery.Accepted>(await rabbit.DeliverAsync(entries)).Count;
        var busy = Assert.IsType<Delivery.Failed>(await rabbit.DeliverAsync(entries[some..]));

        Assert.Equal(("Nacked", true, true), (busy.Kind, busy.IsTransient, busy.IsBusy));
        Assert.Equal(Enumerable.Range(0, some).Select(i => (long)i), await rabbit.OffsetsAsync());
        Assert.IsType<Delivery.Accepted>(await rabbit.DeliverAsync(entries[some..]));
        Assert.Equal(some, (await rabbit.OffsetsAsync())[0]);
    }

    // The queue is full, then not, then full again: what follows must not be taken before what was not.
    [RabbitMQFact]
    public async Task Keeps_the_order_of_each_subject_while_some_messages_are_taken_and_some_are_not()
    {
        await using var rabbit = await Rabbit.StartAsync(arguments: Full(3));
        EventEntry[] entries = [.. Enumerable.Range(0, 300).Select(i => Rabbit.Entry(i, $"order/{i % 3}"))];
        var (done, deliveries) = (0, 0);
        var deliver = Task.Run(async () =>
        {
            while (done < entries.Length)
            {
                deliveries++;
                if (await rabbit.DeliverAsync(entries[done..]) is Delivery.Accepted accepted) done += accepted.Count;
            }
        });

        var taken = new List<BasicGetResult>();
        while (!deliver.IsCompleted)
        {
            if (await rabbit.Channel.BasicGetAsync(rabbit.Queue, autoAck: true) is { } message) taken.Add(message);
        }

        await deliver;
        taken.AddRange(await rabbit.TakeAsync());
        // Each but the last one ended with a nack.
        Assert.NotEqual(1, deliveries);
        Assert.All(taken.GroupBy(message => Rabbit.Header(message, "cloudEvents:subject")), subject =>
        {
            var offsets = subject.Select(message => long.Parse(Rabbit.Header(message, "cloudEvents:sequence")!)).Distinct().ToList();
            Assert.Equal(100, offsets.Count);
            Assert.Equal(offsets.Order(), offsets);
        });
    }

    [RabbitMQFact]
    public async Task Sends_what_is_larger_than_the_broker_takes_as_a_reference_that_lives_as_long_as_the_payload()
    {
        await using var rabbit = await Rabbit.StartAsync(options => { options.PublicUrl = "https://app.example"; options.PayloadsKeptFor = TimeSpan.FromDays(1); });
        EventEntry[] entries =
        [
            Rabbit.Entry(0, "order/a"), Rabbit.Entry(1, "order/b", bytes: RabbitMQServer.MessageBytesMax + 1), Rabbit.Entry(2, "order/b"),
            Rabbit.Entry(3, "order/c", bytes: RabbitMQServer.MessageBytesMax),
        ];

        for (var done = 0; done < entries.Length;) done += Assert.IsType<Delivery.Accepted>(await rabbit.DeliverAsync(entries[done..])).Count;

        // The broker ends the channel with what was on it; what it had confirmed came once.
        var messages = (await rabbit.TakeAsync()).GroupBy(message => message.BasicProperties.MessageId).Select(same => same.Last()).ToList();
        Assert.Equal(
            [("0000000000000000000", 10, null), ("0000000000000000001", 0, "https://app.example/api/events/k3v9x2ab-0000-0000000000000000001/data"), ("0000000000000000002", 10, null), ("0000000000000000003", RabbitMQServer.MessageBytesMax, null)],
            messages.Select(message => (Rabbit.Header(message, "cloudEvents:sequence")!, message.Body.Length, Rabbit.Header(message, "cloudEvents:dataref"))).Order());
        Assert.Equal("60000", messages.Single(message => message.Body.Length == 0).BasicProperties.Expiration);
    }

    [RabbitMQFact]
    public async Task Appends_to_a_stream_and_makes_it_where_there_is_none()
    {
        var stream = $"stream-{Guid.NewGuid():n}";
        await using var rabbit = await Rabbit.StartAsync(options => options.Stream = stream);

        Assert.Equal(new Delivery.Accepted(3), await rabbit.DeliverAsync(Rabbit.Entry(0), Rabbit.Entry(1), Rabbit.Entry(2)));

        Assert.Equal([0L, 1, 2], await StreamAsync(rabbit, stream, 3));
    }

    // As `rabbitmq-streams add_super_stream` makes it: a direct exchange, a stream bound for each number.
    [RabbitMQFact]
    public async Task Keeps_each_partition_in_a_stream_of_its_own_where_a_super_stream_is_routed_by_partition()
    {
        await using var rabbit = await Rabbit.StartAsync(options => options.RoutingKey = RoutingKey.Partition, binding: null);
        var name = rabbit.Options.Exchange;
        await rabbit.Channel.ExchangeDeclareAsync(name, ExchangeType.Direct, durable: true);
        for (var partition = 0; partition < 2; partition++)
        {
            await rabbit.Channel.QueueDeclareAsync($"{name}-{partition}", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "stream" });
            await rabbit.Channel.QueueBindAsync($"{name}-{partition}", name, $"{partition}");
        }

        await rabbit.DeliverAsync(Rabbit.Entry(7, partition: 0), Rabbit.Entry(8, partition: 0));
        await rabbit.DeliverAsync(Rabbit.Entry(9, partition: 1));

        Assert.Equal([7L, 8], await StreamAsync(rabbit, $"{name}-0", 2));
        Assert.Equal([9L], await StreamAsync(rabbit, $"{name}-1", 1));
    }

    [RabbitMQFact]
    public async Task Takes_an_exchange_of_another_kind_that_an_operator_made_and_a_quorum_queue()
    {
        await using var rabbit = await Rabbit.StartAsync(binding: null);
        var name = rabbit.Options.Exchange;
        await rabbit.Channel.ExchangeDeclareAsync(name, ExchangeType.Fanout, durable: true);
        await rabbit.Channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
        await rabbit.Channel.QueueBindAsync(name, name, "");

        Assert.Equal(new Delivery.Accepted(2), await rabbit.DeliverAsync(Rabbit.Entry(0), Rabbit.Entry(1)));

        Assert.Equal([0L, 1], await rabbit.OffsetsAsync());
    }

    [RabbitMQFact]
    public async Task Marks_what_is_replayed()
    {
        await using var rabbit = await Rabbit.StartAsync();

        await rabbit.Target.DeliverAsync([Rabbit.Entry(0)], "r1", CancellationToken.None);

        var message = Assert.Single(await rabbit.TakeAsync());
        Assert.Equal(("k3v9x2ab-0000-0000000000000000000~r1", "r1"), (message.BasicProperties.MessageId, Rabbit.Header(message, "replay")));
        Assert.Equal("k3v9x2ab-0000-0000000000000000000", Rabbit.Header(message, "cloudEvents:id"));
    }

    [RabbitMQTheory]
    [InlineData("guest:wrong", "", false)]
    [InlineData("guest:guest", "nowhere", false)]
    public async Task Says_in_one_line_that_the_broker_does_not_let_it_in_and_that_trying_again_does_not_help(string user, string host, bool isTransient)
    {
        var server = await RabbitMQServer.SharedAsync();
        await using var target = new RabbitMQTarget(new RabbitMQOptions { Uri = new Uri($"amqp://{user}@127.0.0.1:{server.Port}/{host}") }, TimeProvider.System);

        var failed = Assert.IsType<Delivery.Failed>(await target.DeliverAsync([Rabbit.Entry(0)], null, CancellationToken.None));

        Assert.Equal(isTransient, failed.IsTransient);
        Assert.DoesNotContain("wrong", failed.Reason, StringComparison.Ordinal);
        Assert.Matches("ACCESS_REFUSED|NOT_ALLOWED", failed.Reason!);
    }

    [RabbitMQFact]
    public async Task Finds_nobody_at_the_address_and_will_try_again()
    {
        await using var target = new RabbitMQTarget(new RabbitMQOptions { Uri = new Uri("amqp://127.0.0.1:1/") }, TimeProvider.System);

        var failed = Assert.IsType<Delivery.Failed>(await target.DeliverAsync([Rabbit.Entry(0)], null, CancellationToken.None));

        Assert.True(failed.IsTransient);
        Assert.Contains("refused", failed.Reason, StringComparison.Ordinal);
    }

    [RabbitMQFact]
    public async Task Goes_on_with_another_connection_after_one_that_is_half_open()
    {
        using var proxy = new SilentProxy((await RabbitMQServer.SharedAsync()).Port);
        await using var rabbit = await Rabbit.StartAsync(options => options.Uri = new Uri($"amqp://127.0.0.1:{proxy.Port}/"));
        await rabbit.DeliverAsync(Rabbit.Entry(0));
        proxy.Silence();
        var clock = Stopwatch.StartNew();

        var failed = Assert.IsType<Delivery.Failed>(await rabbit.DeliverAsync(Rabbit.Entry(1)));
        Assert.Equal(new Delivery.Accepted(1), await rabbit.DeliverAsync(Rabbit.Entry(1)));

        Assert.Equal(("Timeout", true), (failed.Kind, failed.IsTransient));
        Assert.InRange(clock.Elapsed.TotalSeconds, 5, 30);
        Assert.Equal(2, proxy.Connections);
    }

    [RabbitMQFact]
    public async Task Goes_on_with_another_connection_after_one_that_broke()
    {
        using var proxy = new SilentProxy((await RabbitMQServer.SharedAsync()).Port);
        await using var rabbit = await Rabbit.StartAsync(options => options.Uri = new Uri($"amqp://127.0.0.1:{proxy.Port}/"));
        await rabbit.DeliverAsync(Rabbit.Entry(0));
        proxy.Break();

        Delivery next;
        var tries = 0;
        while ((next = await rabbit.DeliverAsync(Rabbit.Entry(1))) is Delivery.Failed { IsTransient: true }) Assert.InRange(++tries, 1, 3);

        Assert.Equal(new Delivery.Accepted(1), next);
    }

    [RabbitMQFact]
    public async Task Has_one_connection_for_all_partitions()
    {
        using var proxy = new SilentProxy((await RabbitMQServer.SharedAsync()).Port);
        await using var rabbit = await Rabbit.StartAsync(options => options.Uri = new Uri($"amqp://127.0.0.1:{proxy.Port}/"));

        var deliveries = await Task.WhenAll(Enumerable.Range(0, 20).Select(partition => rabbit.DeliverAsync(Rabbit.Entry(0, partition: partition))));

        Assert.All(deliveries, delivery => Assert.Equal(new Delivery.Accepted(1), delivery));
        Assert.Equal(1, proxy.Connections);
    }

    private static Dictionary<string, object?> Full(int messages) => new() { ["x-max-length"] = messages, ["x-overflow"] = "reject-publish" };

    // A stream keeps what is read.
    private static async Task<IReadOnlyList<long>> StreamAsync(Rabbit rabbit, string stream, int count)
    {
        var (read, all) = (new List<long>(), new TaskCompletionSource());
        await rabbit.Channel.BasicQosAsync(0, 100, global: false);
        var consumer = new global::RabbitMQ.Client.Events.AsyncEventingBasicConsumer(rabbit.Channel);
        consumer.ReceivedAsync += (_, message) =>
        {
            read.Add(long.Parse(System.Text.Encoding.UTF8.GetString((byte[])message.BasicProperties.Headers!["cloudEvents:sequence"]!)));
            if (read.Count == count) all.TrySetResult();
            return Task.CompletedTask;
        };
        await rabbit.Channel.BasicConsumeAsync(stream, autoAck: false, "", noLocal: false, exclusive: false, new Dictionary<string, object?> { ["x-stream-offset"] = "first" }, consumer);
        await all.Task.WaitAsync(TimeSpan.FromSeconds(20));
        return read;
    }
}
