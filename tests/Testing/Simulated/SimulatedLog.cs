using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Tables;

namespace Outpost.Tests.Testing;

/// <summary>The log over a <see cref="SimulatedTable"/>, as one process has it. Several may share a table.</summary>
internal sealed class SimulatedLog : IAsyncDisposable
{
    public SimulatedLog(SimulatedTable? table = null, HastyTime? time = null, int partitions = 1)
    {
        Time = time ?? new HastyTime();
        Table = table ?? new SimulatedTable(Time, exists: false);
        Partitions = partitions;
        Sources = new Sources(Time, Guid.NewGuid, () => 0.5);
        Clock = new StoreClock(Time, NullLogger<StoreClock>.Instance);
        Problems = new StoreProblems(Time, NullLogger<StoreProblems>.Instance);
        Store = new TableEventStore(Table, partitions, Clock, Sources, NullLogger.Instance, problems: Problems);
        Log = new EventLog(Store, Time);
        Checkpoints = new TableForwardingStore(Table, Sources, Problems);
        Watch = new PartitionWatch(Store, Sources);
    }

    public HastyTime Time { get; }

    public SimulatedTable Table { get; }

    public Sources Sources { get; }

    public StoreClock Clock { get; }

    public TableEventStore Store { get; }

    public EventLog Log { get; }

    public TableForwardingStore Checkpoints { get; }

    public PartitionWatch Watch { get; }

    public StoreProblems Problems { get; }

    public OutpostMetrics Metrics { get; } = new();

    private int Partitions { get; }

    /// <summary>An engine of a process of its own.</summary>
    public ForwardingEngine Engine(
        IReadOnlyList<Forwarder> forwarders, string owner = "me", TimeSpan? linger = null, ILogger<ForwardingEngine>? logger = null) => new(
        Store,
        Checkpoints,
        Watch,
        forwarders,
        new ForwardingOptions { Owner = owner, Linger = linger ?? TimeSpan.Zero },
        Sources,
        Metrics,
        logger ?? NullLogger<ForwardingEngine>.Instance);

    public SimulatedLog AnotherProcess() => new(Table, Time, Partitions);

    public Task<CommandResult<Tally>> RunAsync(Command<Tally> command, CancellationToken cancellationToken = default) =>
        Log.ExecuteAsync(command, cancellationToken);

    /// <summary>Runs a command that has to succeed.</summary>
    public async Task<CommandResult<Tally>.Done> DoAsync(Command<Tally> command) =>
        await RunAsync(command) switch
        {
            CommandResult<Tally>.Done done => done,
            var other => throw new InvalidOperationException($"Not done: {other}"),
        };

    /// <summary>All entries of a partition, through the store.</summary>
    public async Task<IReadOnlyList<EventEntry>> EntriesAsync(int partition = 0)
    {
        var entries = new List<EventEntry>();
        while (await Store.ReadEventsAsync(partition, entries.Count, Limits.PageEntriesMax, CancellationToken.None) is { Count: > 0 } page)
            entries.AddRange(page);
        return entries;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Metrics.Dispose();
    }
}
