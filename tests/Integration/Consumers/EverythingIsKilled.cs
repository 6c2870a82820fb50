using System.Globalization;
using Azure.Data.Tables;
using Azure.Messaging.ServiceBus;
using Confluent.Kafka;
using Outpost.Client;
using Outpost.Forwarding;
using Outpost.Kafka;
using Outpost.Orders;
using Outpost.RabbitMQ;
using Outpost.ServiceBus;
using Outpost.Tests.Testing;
using RabbitMQ.Client;

namespace Outpost.Tests.Integration.Consumers;

/// <summary>
/// Orders go through a log, a forwarder, a broker and a consumer into the consumer's own store. Forwarders and consumers end
/// anywhere, again and again, and so does the broker. OUTPOST_BROKER_ORDERS (10000) makes the run long.
/// </summary>
public sealed class EverythingIsKilled
{
    private const int EventsPerOrder = 2;
    private const int Kills = 3;
    private static readonly int Orders = int.Parse(Environment.GetEnvironmentVariable("OUTPOST_BROKER_ORDERS") ?? "150", CultureInfo.InvariantCulture);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120 + (Orders / 5));

    [RabbitMQFact]
    public async Task RabbitMQ_loses_nothing_and_each_effect_is_there_once_in_order()
    {
        await using var server = await RabbitMQServer.StartAsync();
        var name = $"killed-{Guid.NewGuid():n}";
        await using (var connection = await new ConnectionFactory { Uri = server.Uri }.CreateConnectionAsync())
        await using (var channel = await connection.CreateChannelAsync())
        {
            await channel.ExchangeDeclareAsync(name, ExchangeType.Topic, durable: true);
            await channel.QueueDeclareAsync(
                name, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-single-active-consumer"] = true });
            await channel.QueueBindAsync(name, name, "#");
        }

        await RunAsync(
            () => new RabbitMQTarget(new RabbitMQOptions { Uri = server.Uri, Exchange = name }, TimeProvider.System),
            () => new RabbitMQSource(new ConnectionFactory { Uri = server.Uri }, name),
            async () =>
            {
                await server.KillAsync();
                await server.RunAsync();
            });
    }

    [Fact]
    public async Task Kafka_loses_nothing_and_each_effect_is_there_once_in_order()
    {
        using var cluster = new KafkaCluster();
        cluster.GroupsBeginAtOnce();
        var topic = cluster.NewTopic();
        var client = new ClientConfig(new Dictionary<string, string>
        {
            ["bootstrap.servers"] = cluster.BootstrapServers,
            ["session.timeout.ms"] = "3000",
            ["heartbeat.interval.ms"] = "500",
        });
        await RunAsync(
            () => new KafkaTarget(new KafkaOptions { BootstrapServers = cluster.BootstrapServers, Topic = topic }, TimeProvider.System),
            () => new KafkaSource(client, "killed", topic),
            async () =>
            {
                cluster.Down();
                await Task.Delay(1000);
                cluster.Up();
            });
    }

    [Fact]
    public async Task Service_Bus_loses_nothing_and_each_effect_is_there_once_in_order()
    {
        await using var emulator = await OwnServiceBusEmulator.StartAsync();
        await using var client = new ServiceBusClient(emulator.ConnectionString);
        await RunAsync(
            () => new ServiceBusTarget(new ServiceBusOptions { ConnectionString = emulator.ConnectionString, Topic = "events" }, TimeProvider.System),
            () => new ServiceBusSource(client, "events", "orders"),
            async () =>
            {
                await emulator.KillAsync();
                await emulator.RunAsync();
            });
    }

    private static async Task RunAsync<TTarget>(Func<TTarget> target, Func<IMessageSource> source, Func<Task> killBroker)
        where TTarget : IForwardTarget, IAsyncDisposable
    {
        await using var log = await TestLog.CreateAsync();
        var table = new TableClient(await Azurite.ConnectionStringAsync(), Azurite.NewTableName());
        await table.CreateAsync();
        using var done = new CancellationTokenSource();
        var forwarding = AgainAndAgainAsync(new Random(1), async end =>
        {
            await using var process = await log.AnotherProcessAsync();
            await using var one = target();
            await using var engine = process.Forwarder(one, linger: TimeSpan.FromSeconds(2));
            while (!end.IsCancellationRequested) await engine.RunAsync(end);
        }, done.Token);
        var history = new OrderHistory(table);
        var handled = 0;
        var consuming = AgainAndAgainAsync(new Random(2), end => new MessageConsumer(
            source(), HandleAsync, new MessageConsumerOptions { IsTransient = _ => true }, TimeProvider.System, Random.Shared).RunAsync(end), done.Token);

        using var late = new CancellationTokenSource(Patience);
        var placing = Task.Run(() => Parallel.ForAsync(0, Orders, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, _) => await PlaceAsync(log, $"o-{number}")));
        for (var kill = 1; kill <= Kills; kill++)
        {
            while (Volatile.Read(ref handled) < kill * Orders * EventsPerOrder / (Kills + 1) && !placing.IsFaulted) await Task.Delay(100, late.Token);
            await killBroker();
        }

        await placing;
        // Each effect that is missing is still to be handled. The table of a long run is large, so it is asked only after that.
        for (int missing; (missing = (Orders * EventsPerOrder) - await EffectsAsync(table)) > 0;)
        {
            for (var enough = Volatile.Read(ref handled) + missing; Volatile.Read(ref handled) < enough;) await Task.Delay(100, late.Token);
        }

        await done.CancelAsync();
        await Task.WhenAll(forwarding, consuming);

        Assert.Equal(Orders * EventsPerOrder, (await log.ReadAllAsync()).Count);
        var histories = new List<string>();
        await foreach (var row in table.QueryAsync<TableEntity>(row => row.RowKey == "history")) histories.Add(row.GetString("Events"));
        Assert.Equal(Orders, histories.Count);
        Assert.All(histories, events => Assert.Equal("OrderPlaced OrderPaid", events));

        async Task HandleAsync(EventMessage message, CancellationToken end)
        {
            await history.HandleAsync(message, end);
            Interlocked.Increment(ref handled);
        }
    }

    // Processes one after the other, each of which ends wherever it is.
    private static Task AgainAndAgainAsync(Random random, Func<CancellationToken, Task> process, CancellationToken done) => Task.Run(async () =>
    {
        while (!done.IsCancellationRequested)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(done);
            end.CancelAfter(random.Next(1_000, 6_000));
            try
            {
                await process(end.Token);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                // The next one goes on.
            }
        }
    }, CancellationToken.None);

    private static async Task<int> EffectsAsync(TableClient table)
    {
        var effects = 0;
        await foreach (var row in table.QueryAsync<TableEntity>(row => row.RowKey == "history")) effects += row.GetString("Events").Split(' ').Length;
        return effects;
    }

    // As callers do: under the same key, until there is an answer.
    private static async Task PlaceAsync(TestLog log, string id)
    {
        foreach (var command in new[] { () => log.PlaceAsync(id, key: $"place-{id}"), () => log.PayAsync(id, key: $"pay-{id}") })
        {
            for (var tries = 1; ; tries++)
            {
                try
                {
                    Assert.IsType<CommandResult<Order>.Done>(await command());
                    break;
                }
                catch (StoreUnavailableException) when (tries < 20)
                {
                    await Task.Delay(200);
                }
            }
        }
    }
}
