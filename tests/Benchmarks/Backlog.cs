using Azure.Data.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Orders;
using Outpost.Tables;

namespace Outpost.Tests.Benchmarks;

/// <summary>A log with many events that nobody has forwarded yet. Each phase forwards it under a name of its own.</summary>
internal sealed class Backlog : IAsyncDisposable
{
    private const int EventBytes = 1024;
    private readonly string _connectionString;
    private readonly string _tableName = Azurite.NewTableName();

    private Backlog(string connectionString, int events, int partitions)
    {
        _connectionString = connectionString;
        Events = events;
        Partitions = partitions;
    }

    public int Events { get; }

    public int Partitions { get; }

    public static async Task<Backlog> CreateAsync(int events, int partitions = 1, int eventBytes = EventBytes)
    {
        var backlog = new Backlog(await Azurite.ConnectionStringAsync(), events, partitions);
        await using var process = backlog.NewProcess();
        var payload = NewPayload(eventBytes);
        var commands = (events + Limits.EventsPerCommandMax - 1) / Limits.EventsPerCommandMax;
        await Callers.RunAsync(8, commands, async number =>
        {
            var count = Math.Min(Limits.EventsPerCommandMax, events - (number * Limits.EventsPerCommandMax));
            var done = await process.Log.ExecuteAsync(
                new Command<Order>
                {
                    Entity = OrderDecisions.Entity,
                    EntityId = $"o-{number}",
                    LikelyNew = true,
                    Decide = _ => new Decision<Order>.Accepted(
                        new Order($"o-{number}", "c", OrderState.Placed, [], 0),
                        [.. Enumerable.Range(0, count).Select(_ => new NewEvent("Measured", "application/json", payload))]),
                },
                CancellationToken.None);
            if (done is not CommandResult<Order>.Done) throw new InvalidOperationException($"Not done: {done}");
        });
        return backlog;
    }

    public static byte[] NewPayload(int bytes = EventBytes) => System.Text.Encoding.UTF8.GetBytes($"\"{new string('x', bytes - 2)}\"");

    /// <summary>Another process on the log, that has nothing of it in memory.</summary>
    public ForwardingProcess NewProcess() => new(_connectionString, _tableName, Partitions);

    public async ValueTask DisposeAsync() => await new TableClient(_connectionString, _tableName).DeleteAsync();
}

/// <summary>One process that commits and forwards, each of its requests to the table counted.</summary>
internal sealed class ForwardingProcess : IAsyncDisposable
{
    public OutpostMetrics Metrics { get; } = new();

    public ForwardingProcess(string connectionString, string tableName, int partitions)
    {
        var clock = new StoreClock(TestLog.Sources.Time, NullLogger<StoreClock>.Instance);
        Table = new TableStorageOptions { ConnectionString = connectionString, TableName = tableName, Partitions = partitions }
            .CreateClient(clock, options => options.AddPolicy(Requests, Azure.Core.HttpPipelinePosition.PerRetry));
        Store = new TableEventStore(Table, partitions, clock, TestLog.Sources, NullLogger.Instance);
        Checkpoints = new TableForwardingStore(Table, TestLog.Sources);
        Log = new EventLog(Store, TestLog.Sources.Time);
    }

    public RequestCounter Requests { get; } = new();

    public TableClient Table { get; }

    public TableEventStore Store { get; }

    public TableForwardingStore Checkpoints { get; }

    public EventLog Log { get; }

    public ForwardingEngine Engine(IReadOnlyList<Forwarder> forwarders, TimeSpan? linger = null, TimeSpan? runMax = null) => new(
        Store,
        Checkpoints,
        new PartitionWatch(Store, TestLog.Sources),
        forwarders,
        new ForwardingOptions
        {
            Owner = Guid.NewGuid().ToString("N"),
            Linger = linger ?? TimeSpan.Zero,
            RunMax = runMax ?? TimeSpan.FromMinutes(10),
        },
        TestLog.Sources,
        Metrics,
        NullLogger<ForwardingEngine>.Instance);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Metrics.Dispose();
    }
}
