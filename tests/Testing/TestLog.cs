using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Orders;
using Outpost.ServiceBus;
using Outpost.Tables;

namespace Outpost.Tests.Testing;

/// <summary>One process's view of a log in Azurite: store, command runner and what a test asks of them.</summary>
internal sealed class TestLog : IAsyncDisposable
{
    private TestLog(
        string connectionString, string tableName, int partitions, Sources sources, Action<TableClientOptions>? configure)
    {
        TableName = tableName;
        Partitions = partitions;
        Clock = new StoreClock(sources.Time, NullLogger<StoreClock>.Instance);
        Table = new TableStorageOptions { ConnectionString = connectionString, TableName = tableName, Partitions = partitions }
            .CreateClient(Clock, options =>
            {
                options.Retry.Delay = TimeSpan.FromMilliseconds(5);
                configure?.Invoke(options);
            });
        Store = new TableEventStore(Table, partitions, Clock, sources, NullLogger.Instance);
        Log = new EventLog(Store, sources.Time);
        Checkpoints = new TableForwardingStore(Table, sources);
    }

    public static Sources Sources { get; } = new(TimeProvider.System, Guid.NewGuid, Random.Shared.NextDouble);

    public OutpostMetrics Metrics { get; } = new();

    public string TableName { get; }

    public int Partitions { get; }

    public StoreClock Clock { get; }

    public TableClient Table { get; }

    public TableEventStore Store { get; }

    public EventLog Log { get; }

    /// <summary>A new log in a table of its own.</summary>
    public static async Task<TestLog> CreateAsync(int partitions = 1, HttpPipelineTransport? transport = null) =>
        Open(await Azurite.ConnectionStringAsync(), Azurite.NewTableName(), partitions, configure: With(transport));

    /// <summary>A process on the log in that table, by its own clock and with its own client.</summary>
    public static TestLog Open(
        string connectionString,
        string tableName,
        int partitions = 1,
        TimeProvider? time = null,
        Action<TableClientOptions>? configure = null) =>
        new(connectionString, tableName, partitions, Sources with { Time = time ?? Sources.Time }, configure);

    /// <summary>Another process on the same log.</summary>
    public async Task<TestLog> AnotherProcessAsync(HttpPipelineTransport? transport = null, int? partitions = null) =>
        Open(await Azurite.ConnectionStringAsync(), TableName, partitions ?? Partitions, configure: With(transport));

    public Task<CommandResult<Order>> PlaceAsync(string id, string? key = null, CancellationToken cancellationToken = default) =>
        RunAsync(id, key, "place", order => OrderDecisions.Place(order, id, "c1", [new OrderLine("a", 2, 9.5m)]), likelyNew: true, cancellationToken: cancellationToken);

    public Task<CommandResult<Order>> PayAsync(
        string id, string? key = null, VersionCondition? ifMatch = null, CancellationToken cancellationToken = default) =>
        RunAsync(id, key, "pay", order => OrderDecisions.Pay(order, id), ifMatch: ifMatch, cancellationToken: cancellationToken);

    public Task<CommandResult<Order>> CancelAsync(string id, string? key = null) =>
        RunAsync(id, key, "cancel", order => OrderDecisions.Cancel(order, id, "no longer wanted"));

    public Task<CommandResult<Order>> RunAsync(
        string id,
        string? key,
        string verb,
        Func<Order?, Decision<Order>> decide,
        bool likelyNew = false,
        VersionCondition? ifMatch = null,
        string fingerprint = "same",
        CancellationToken cancellationToken = default) =>
        Log.ExecuteAsync(
            new Command<Order>
            {
                Entity = OrderDecisions.Entity,
                EntityId = id,
                Decide = decide,
                LikelyNew = likelyNew,
                IfMatch = ifMatch,
                Idempotency = key is null ? null : new Idempotency(verb, key, fingerprint),
            },
            cancellationToken);

    /// <summary>Every entry of a partition, read in pages.</summary>
    public async Task<List<EventEntry>> ReadAllAsync(int partition = 0, int limit = 1000)
    {
        var all = new List<EventEntry>();
        while (await Store.ReadEventsAsync(partition, all.Count, limit, CancellationToken.None) is { Count: > 0 } page) all.AddRange(page);
        return all;
    }

    /// <summary>What this process does with checkpoints.</summary>
    public TableForwardingStore Checkpoints { get; }

    /// <summary>An engine of a process of its own, with one forwarder.</summary>
    public ForwardingEngine Forwarder(IForwardTarget target, StartAt startAt = StartAt.Oldest, TimeSpan? linger = null) =>
        Engine([new Forwarder("servicebus", target) { StartAt = startAt }], linger);

    /// <summary>An engine of a process of its own.</summary>
    public ForwardingEngine Engine(IReadOnlyList<Forwarder> forwarders, TimeSpan? linger = null) => new(
        Store,
        Checkpoints,
        new PartitionWatch(Store, Sources),
        forwarders,
        new ForwardingOptions { Owner = Guid.NewGuid().ToString("N"), Linger = linger ?? TimeSpan.Zero, Poll = TimeSpan.FromMilliseconds(10) },
        Sources,
        Metrics,
        NullLogger<ForwardingEngine>.Instance);

    /// <summary>A Service Bus target on the emulator.</summary>
    public static async Task<ServiceBusTarget> ServiceBusTargetAsync(string topic) => new(new ServiceBusOptions
    {
        ConnectionString = await ServiceBusEmulator.ConnectionStringAsync(),
        Topic = topic,
        PublicUrl = "http://localhost:7071",
    }, TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Metrics.Dispose();
    }

    private static Action<TableClientOptions> With(HttpPipelineTransport? transport) => options =>
    {
        if (transport is not null) options.Transport = transport;
    };
}
