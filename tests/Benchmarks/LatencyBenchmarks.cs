using System.Collections.Concurrent;
using System.Diagnostics;
using Outpost.Forwarding;
using Outpost.ServiceBus;

namespace Outpost.Tests.Benchmarks;

/// <summary>From a command's answer to the bus's acceptance of its event: while busy, and after quiet.</summary>
internal static class LatencyBenchmarks
{
    private const int CommandsPerSecond = 50;

    public static async Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        Console.WriteLine("latency: warming up");
        await using var process = new ForwardingProcess(await Azurite.ConnectionStringAsync(), Azurite.NewTableName(), 1);
        await using var bus = new ServiceBusTarget(new ServiceBusOptions
        {
            ConnectionString = await ServiceBusEmulator.ConnectionStringAsync(),
            Topic = await ServiceBusEmulator.NewTopicAsync(),
        }, TimeProvider.System);
        var target = new TimedTarget(bus);
        var linger = TimeSpan.FromSeconds(5);
        await using var engine = process.Engine([new Forwarder("latency", target)], linger);
        using var stop = new CancellationTokenSource();
        var nudges = engine.ForwardCommitsAsync(stop.Token);
        var orders = new OrderCommands();
        await BusyAsync(process, target, orders, seconds: options.Quick ? 2 : 10);

        Console.WriteLine("latency: busy");
        var busy = await BusyAsync(process, target, orders, seconds: options.Quick ? 3 : 30);
        figures.Sample("latency.commit_to_bus_ms.p50", Callers.Percentile(busy, 0.50), "ms", $"{CommandsPerSecond} commands/s; one send");
        figures.Sample("latency.commit_to_bus_ms.p99", Callers.Percentile(busy, 0.99), "ms", "an event that comes while a batch is being sent waits for it");

        Console.WriteLine("latency: after quiet");
        for (var sample = 0; sample < (options.Quick ? 1 : 5); sample++)
        {
            await Task.Delay(linger + TimeSpan.FromSeconds(2));
            var first = await OneAsync(process, target, orders);
            figures.Sample("latency.commit_to_bus_ms.first", first, "ms", "nudged by the commit: one query, the lease, one send");
        }

        await stop.CancelAsync();
        await nudges;
    }

    private static async Task<double[]> BusyAsync(ForwardingProcess process, TimedTarget target, OrderCommands orders, int seconds)
    {
        var start = Stopwatch.GetTimestamp();
        var running = new List<Task<double>>();
        for (var number = 0; number < seconds * CommandsPerSecond; number++)
        {
            await Callers.UntilDueAsync(start, number, CommandsPerSecond);
            running.Add(OneAsync(process, target, orders));
        }

        var took = await Task.WhenAll(running);
        Array.Sort(took);
        return took;
    }

    private static async Task<double> OneAsync(ForwardingProcess process, TimedTarget target, OrderCommands orders)
    {
        var id = await orders.PlaceAsync(process.Log, withKey: true);
        var answered = Stopwatch.GetTimestamp();
        var accepted = await target.AcceptedAsync($"order/{id}");
        // The bus may have it before the caller of the command is scheduled again.
        return Math.Max(0, Stopwatch.GetElapsedTime(answered, accepted).TotalMilliseconds);
    }

    /// <summary>Notes when the bus had accepted each subject's event.</summary>
    private sealed class TimedTarget(IForwardTarget bus) : IForwardTarget
    {
        private readonly ConcurrentDictionary<string, TaskCompletionSource<long>> _accepted = new();

        public Task<long> AcceptedAsync(string subject) => Of(subject).Task;

        public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            var delivery = await bus.DeliverAsync(entries, replay, cancellationToken);
            var now = Stopwatch.GetTimestamp();
            if (delivery is Delivery.Accepted accepted)
            {
                foreach (var entry in entries.Take(accepted.Count)) Of(entry.Subject).TrySetResult(now);
            }

            return delivery;
        }

        private TaskCompletionSource<long> Of(string subject) =>
            _accepted.GetOrAdd(subject, _ => new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously));
    }
}
