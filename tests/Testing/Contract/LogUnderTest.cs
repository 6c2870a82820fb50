using Outpost.Forwarding;
using Outpost.Retention;

namespace Outpost.Tests.Testing.Contract;

/// <summary>A log as one process has it: its store, whatever that is, and the real code above it.</summary>
internal sealed class LogUnderTest(
    IEventStore events, IForwardingStore forwarding, IRetentionStore retention, IHeartbeatStore heartbeats, IHistoryStore history, TimeProvider time,
    IAsyncDisposable? owned = null)
    : IAsyncDisposable
{
    public IEventStore Events { get; } = events;

    public IForwardingStore Forwarding { get; } = forwarding;

    public IRetentionStore Retention { get; } = retention;

    public IHeartbeatStore Heartbeats { get; } = heartbeats;

    public IHistoryStore History { get; } = history;

    public EventLog Log { get; } = new(events, time);

    public Task<CommandResult<Tally>> RunAsync(Command<Tally> command, CancellationToken cancellationToken = default) =>
        Log.ExecuteAsync(command, cancellationToken);

    /// <summary>Runs a command that has to succeed.</summary>
    public async Task<CommandResult<Tally>.Done> DoAsync(Command<Tally> command) =>
        Assert.IsType<CommandResult<Tally>.Done>(await RunAsync(command));

    /// <summary>All entries of a partition, in pages.</summary>
    public async Task<IReadOnlyList<EventEntry>> EntriesAsync(int partition = 0)
    {
        var entries = new List<EventEntry>();
        while (await Events.ReadEventsAsync(partition, entries.Count, Limits.PageEntriesMax, CancellationToken.None) is { Count: > 0 } page)
            entries.AddRange(page);
        return entries;
    }

    public async Task<IReadOnlyList<string>> StepsAsync(int partition = 0) => [.. (await EntriesAsync(partition)).Select(Tallies.StepOf)];

    public Task<PartitionState> StateAsync(int partition = 0) => Events.ReadPartitionAsync(partition, CancellationToken.None);

    public async Task<Checkpoint?> CheckpointAsync(string forwarder, int partition = 0) => (await StateAsync(partition)).CheckpointOf(forwarder);

    public Task<Checkpoint?> SaveAsync(Checkpoint checkpoint, IReadOnlyList<ParkedEntry>? park = null, IReadOnlyList<long>? unpark = null, int partition = 0) =>
        Forwarding.SaveAsync(partition, checkpoint, park ?? [], unpark ?? [], CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        if (owned is not null) await owned.DisposeAsync();
    }
}

/// <summary>Several processes on one log, and how somebody else has it grow.</summary>
internal sealed class ProcessesUnderTest(IReadOnlyList<LogUnderTest> logs, Func<int, Task> grow) : IAsyncDisposable
{
    public Task GrowAsync(int partitions) => grow(partitions);

    public LogUnderTest this[int index] => logs[index % logs.Count];

    public async ValueTask DisposeAsync()
    {
        foreach (var log in logs) await log.DisposeAsync();
    }
}
