using System.Collections.Concurrent;
using System.Diagnostics;
using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;
using Outpost.ServiceBus;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// From a command's call to a consumer's receipt of its event, beside the least that can be done by hand: one transaction, one send,
/// one receive in a row. Both take turns, 50 of each a second, on the same table service and the same bus.
/// </summary>
internal static class ReceivedBenchmarks
{
    private const int PerSecond = 50;

    public static async Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        Console.WriteLine("received: warming up");
        var recorded = await RecordedCommands.RecordAsync();
        await using var writer = await BareWriter.CreateAsync(recorded);
        await using var client = new ServiceBusClient(await ServiceBusEmulator.ConnectionStringAsync());
        await using var bare = new Received(client, await ServiceBusEmulator.NewTopicAsync());
        await using var own = new Received(client, await ServiceBusEmulator.NewTopicAsync());
        await using var sender = client.CreateSender(bare.Topic);

        await using var process = new ForwardingProcess(await Azurite.ConnectionStringAsync(), Azurite.NewTableName(), 1);
        await using var bus = new ServiceBusTarget(
            new ServiceBusOptions { ConnectionString = await ServiceBusEmulator.ConnectionStringAsync(), Topic = own.Topic }, TimeProvider.System);
        await using var engine = process.Engine([new Forwarder("received", bus)], linger: TimeSpan.FromSeconds(5));
        using var stop = new CancellationTokenSource();
        var nudges = engine.ForwardCommitsAsync(stop.Token);
        var orders = new OrderCommands();
        var message = Backlog.NewPayload();

        for (var round = 0; round <= (options.Quick ? 1 : 3); round++)
        {
            if (round > 0) Console.WriteLine($"received: round {round}");
            var count = round == 0 ? 250 : options.Quick ? 150 : 750;
            var (bareTook, ownTook) = (new double[count], new double[count]);
            var start = Stopwatch.GetTimestamp();
            for (var number = 0; number < count; number++)
            {
                await Callers.UntilDueAsync(start, number, PerSecond);
                ownTook[number] = await TimeAsync(OwnAsync);
                bareTook[number] = await TimeAsync(BareAsync);
            }

            Array.Sort(bareTook);
            Array.Sort(ownTook);
            if (round == 0) continue;
            foreach (var (name, share) in new[] { ("p50", 0.5), ("p99", 0.99) })
            {
                var (least, took) = (Callers.Percentile(bareTook, share), Callers.Percentile(ownTook, share));
                figures.Sample($"latency.call_to_received_ms.{name}", took, "ms", $"{PerSecond} commands/s; transaction, send and receive in a row");
                figures.Sample($"latency.call_to_received.vs_bare.{name}", took / least, "times", $"a transaction, a send and a receive by the SDKs alone take {least:0.0} ms");
            }
        }

        await stop.CancelAsync();
        await nudges;

        async Task OwnAsync() => await own.OfAsync($"order/{await orders.PlaceAsync(process.Log, withKey: true)}");

        async Task BareAsync()
        {
            await writer.WriteNextAsync();
            var id = Guid.NewGuid().ToString("N");
            await sender.SendMessageAsync(new ServiceBusMessage(message) { MessageId = id, SessionId = id });
            await bare.OfAsync(id);
        }
    }

    private static async Task<double> TimeAsync(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>A consumer that is always there, and tells of each session's message.</summary>
    private sealed class Received : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<string, TaskCompletionSource> _sessions = new();
        private readonly CancellationTokenSource _stop = new();
        private readonly ServiceBusReceiver _receiver;
        private readonly Task _receiving;

        public Received(ServiceBusClient client, string topic)
        {
            Topic = topic;
            _receiver = client.CreateReceiver(
                topic, "all", new ServiceBusReceiverOptions { ReceiveMode = ServiceBusReceiveMode.ReceiveAndDelete, PrefetchCount = 100 });
            _receiving = ReceiveAsync();
        }

        public string Topic { get; }

        public Task OfAsync(string session) => Of(session).Task;

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _receiving;
            await _receiver.DisposeAsync();
            _stop.Dispose();
        }

        private TaskCompletionSource Of(string session) =>
            _sessions.GetOrAdd(session, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

        private async Task ReceiveAsync()
        {
            try
            {
                while (!_stop.IsCancellationRequested)
                {
                    foreach (var message in await _receiver.ReceiveMessagesAsync(100, TimeSpan.FromSeconds(5), _stop.Token))
                        Of(message.SessionId).TrySetResult();
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // Nobody waits any longer.
            }
        }
    }
}
