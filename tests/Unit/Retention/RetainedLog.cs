using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Outpost.Forwarding;
using Outpost.Retention;
using Outpost.Tables;
using Outpost.Tests.Unit.Forwarding;

namespace Outpost.Tests.Unit.Retention;

/// <summary>Retention of one process over a simulated log.</summary>
internal sealed class RetainedLog(SimulatedLog log, RetentionOptions options, params IReadOnlyList<Forwarder> forwarders) : ILogger<RetentionRunner>
{
    private readonly ConcurrentQueue<string> _lines = [];
    private RetentionRunner? _runner;

    public IReadOnlyList<string> Lines => [.. _lines];

    public RetentionRunner Runner => _runner ??= new RetentionRunner(
        log.Store, new TableRetentionStore(log.Table, log.Sources), log.Checkpoints, log.Watch, log.Engine(forwarders), options, log.Sources, log.Metrics, this);

    public Task RunAsync() => Runner.RunAsync(CancellationToken.None);

    /// <summary>As at later ticks, until there is nothing due.</summary>
    public async Task RunToTheEndAsync()
    {
        for (var tick = 0; tick < 20; tick++)
        {
            await RunAsync();
            log.Time.Advance(TimeSpan.FromSeconds(61));
        }
    }

    public static IEnumerable<int> Rows(SimulatedLog log, string prefix = "e|", int partition = 0) => log.Table.Rows($"{partition:D4}")
        .Where(row => row.RowKey.StartsWith(prefix, StringComparison.Ordinal))
        .Select((row, i) => prefix == "e|" ? int.Parse(row.RowKey[2..], System.Globalization.CultureInfo.InvariantCulture) : i);

    public static async Task<long> OldestAsync(SimulatedLog log) => (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Oldest;

    public static async Task<SimulatedLog> WithAsync(int count, bool forwarded = true)
    {
        var log = new SimulatedLog();
        await log.AddManyAsync("a", count);
        if (forwarded) await log.ForwardAsync(new RecordingTarget(batchSize: 100));
        return log;
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) => _lines.Enqueue(formatter(state, exception));
}
