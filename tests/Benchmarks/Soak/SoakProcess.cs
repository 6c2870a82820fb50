using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Retention;
using Outpost.ServiceBus;
using Outpost.Tables;

namespace Outpost.Tests.Benchmarks.Soak;

/// <summary>
/// One process of the soak: callers commit as fast as the machine forwards and deletes, and it forwards, deletes what is old, and
/// prints a sample every few seconds. Entries and receipts are kept for a minute, so the table should soon stop growing.
/// </summary>
internal sealed class SoakProcess : IAsyncDisposable
{
    public const string Argument = "soak-process";
    public const int Partitions = 4;
    private const int Entities = 2_000;
    // More would leave retention no time at the store: it takes a quarter of what there is.
    private const int CallersAtOnce = 4;
    // Callers wait above these: a machine that commits faster than it forwards and deletes would measure its backlog. Retention looks
    // once in a minute, so the table has what came in two minutes at least.
    private const long BacklogMax = 4_000;
    private const long EntriesMax = 15_000;
    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(0.5);
    // What an answer of 503 asks callers to wait.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    private readonly ForwardingProcess _process;
    private readonly OrderCommands _orders = new();
    private readonly ConcurrentQueue<double> _waits = new();
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _commands;
    private long _busy;
    private volatile bool _isBehind;

    private SoakProcess(string tables, string table) => _process = new ForwardingProcess(tables, table, Partitions);

    /// <param name="arguments">Connection strings of tables and bus, names of table and topic, commands, and seconds at most.</param>
    public static async Task RunAsync(IReadOnlyList<string> arguments)
    {
        await using var soak = new SoakProcess(arguments[0], arguments[2]);
        await using var bus = new ServiceBusTarget(new ServiceBusOptions { ConnectionString = arguments[1], Topic = arguments[3] }, TimeProvider.System);
        await soak.WorkAsync(bus, int.Parse(arguments[4], null), TimeSpan.FromSeconds(int.Parse(arguments[5], null)));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task WorkAsync(ServiceBusTarget bus, int commands, TimeSpan within)
    {
        await using var engine = _process.Engine([new Forwarder("soak", bus)], linger: TimeSpan.FromSeconds(5));
        using var stop = new CancellationTokenSource();
        Task[] background = [engine.ForwardCommitsAsync(stop.Token), TickAsync(engine, stop.Token), LookAsync(stop.Token), SampleAsync(stop.Token)];
        var prefix = Guid.NewGuid().ToString("N")[..8];
        await Callers.RunAsync(CallersAtOnce, commands, number => Stopwatch.GetElapsedTime(_start) < within ? OneAsync($"o-{prefix}-{number % Entities}") : Task.CompletedTask);
        // What was committed last goes out before the end.
        while ((await StateAsync()).Backlog > 0) await Task.Delay(LookEvery);
        await stop.CancelAsync();
        await Task.WhenAll(background);
        await PrintAsync();
    }

    private async Task OneAsync(string id)
    {
        while (_isBehind) await Task.Delay(LookEvery);
        var start = Stopwatch.GetTimestamp();
        while (!await _orders.TryChangeAsync(_process.Log, id))
        {
            Interlocked.Increment(ref _busy);
            await Task.Delay(RetryAfter);
        }

        _waits.Enqueue(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        Interlocked.Increment(ref _commands);
    }

    // As the timer does.
    private async Task TickAsync(ForwardingEngine engine, CancellationToken stop)
    {
        var retention = new RetentionRunner(
            _process.Store, new TableRetentionStore(_process.Table, TestLog.Sources), _process.Checkpoints, new PartitionWatch(_process.Store, TestLog.Sources),
            engine, new RetentionOptions(Kept, Kept), TestLog.Sources, _process.Metrics, NullLogger<RetentionRunner>.Instance);
        await AgainAsync(TickEvery, async () =>
        {
            await engine.RunAsync(stop);
            await retention.RunAsync(stop);
        }, stop);
    }

    private Task LookAsync(CancellationToken stop) => AgainAsync(LookEvery, async () =>
    {
        var (entries, backlog) = await StateAsync();
        _isBehind = entries > EntriesMax || backlog > BacklogMax;
    }, stop);

    private Task SampleAsync(CancellationToken stop) => AgainAsync(SampleEvery, PrintAsync, stop);

    private async Task PrintAsync()
    {
        var waits = new List<double>();
        while (_waits.TryDequeue(out var wait)) waits.Add(wait);
        waits.Sort();
        var (entries, backlog) = await StateAsync();
        using var self = Process.GetCurrentProcess();
        var sample = new SoakSample(
            Math.Round(Stopwatch.GetElapsedTime(_start).TotalSeconds),
            Interlocked.Read(ref _commands),
            Interlocked.Read(ref _busy),
            waits.Count == 0 ? 0 : Math.Round(Callers.Percentile([.. waits], 0.99), 1),
            Math.Round(self.WorkingSet64 / 1e6, 1),
            Math.Round(GC.GetGCMemoryInfo(GCKind.Any).HeapSizeBytes / 1e6, 1),
            self.HandleCount,
            entries,
            backlog);
        Console.WriteLine(JsonSerializer.Serialize(sample));
    }

    private async Task<(long Entries, long Backlog)> StateAsync()
    {
        var (entries, backlog) = (0L, 0L);
        for (var partition = 0; partition < Partitions; partition++)
        {
            var state = await _process.Store.ReadPartitionAsync(partition, CancellationToken.None);
            entries += state.Head - state.Oldest;
            backlog += state.Head - (state.Checkpoints.TryGetValue("soak", out var checkpoint) ? checkpoint.NextOffset : 0);
        }

        return (entries, backlog);
    }

    private static async Task AgainAsync(TimeSpan every, Func<Task> work, CancellationToken stop)
    {
        try
        {
            using var timer = new PeriodicTimer(every);
            while (await timer.WaitForNextTickAsync(stop)) await work();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The soak is over.
        }
    }
}
