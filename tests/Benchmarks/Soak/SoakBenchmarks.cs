using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Messaging.ServiceBus;

namespace Outpost.Tests.Benchmarks.Soak;

/// <summary>
/// Eight hours' worth of events, at ten a second, as fast as the machine takes them: two processes commit, forward and delete what
/// is old. Memory, handles, the table and what a command takes have to stay where they are. It runs only when it is asked for:
/// --only soak.
/// </summary>
internal static class SoakBenchmarks
{
    private const int Processes = 2;
    private const int Commands = 288_000;
    private const int QuickCommands = 20_000;
    // A slow machine stops here, with fewer commands; the page says how many.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(12);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static async Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        var commands = options.Quick ? QuickCommands : Commands;
        Console.WriteLine($"soak: {commands} commands by {Processes} processes");
        var topic = await ServiceBusEmulator.NewTopicAsync();
        var table = (await Azurite.NewTableAsync()).Name;
        string[] arguments =
            [await Azurite.ConnectionStringAsync(), await ServiceBusEmulator.ConnectionStringAsync(), table, topic, $"{commands / Processes}", $"{Longest.TotalSeconds}"];
        await using var client = new ServiceBusClient(arguments[1]);
        using var over = new CancellationTokenSource();
        var received = ReceiveAsync(client, topic, over.Token);
        var samples = await Task.WhenAll(Enumerable.Range(0, Processes).Select(number => RunProcessAsync(number, arguments, Longest + Patience)));

        var committed = samples.Sum(each => each[^1].Commands);
        await over.CancelAsync();
        var (messages, events) = await received;
        if (events != committed) throw new InvalidOperationException($"{committed} events were committed, and {events} received.");
        Report(figures, samples, committed, (messages, events));
    }

    private static void Report(Figures figures, SoakSample[][] samples, long committed, (long Messages, int Events) received)
    {
        figures.Sample("soak.commands", committed, "commands", "each is one event");
        figures.Sample("soak.minutes", samples.Max(each => each[^1].Seconds) / 60, "minutes", "until the last event was forwarded");
        figures.Sample("soak.busy", samples.Sum(each => each[^1].Busy), "answers", "that said: try again later; they were, and all were done");
        figures.Sample("soak.events_received", received.Events, "events", "by their ids: as many as commands, or the soak fails");
        figures.Sample("soak.messages_received", received.Messages, "messages", "more than events if a batch whose outcome was unclear was sent again");
        foreach (var process in samples)
        {
            // The first quarter fills caches, and the table's first minute.
            var (early, late) = (process[(process.Length / 4)..(process.Length / 2)], process[(process.Length * 3 / 4)..]);
            Later("soak.memory", sample => sample.WorkingSetMb, "the working set");
            Later("soak.heap", sample => sample.HeapMb, "managed memory in use after a collection");
            Later("soak.handles", sample => sample.Handles, "open files and sockets");
            Later("soak.entries", sample => sample.Entries, "entries in the table");
            Later("soak.p99", sample => sample.P99Ms, "what a command takes");

            void Later(string key, Func<SoakSample, double> of, string what) => figures.Sample(
                $"{key}.late_vs_early", Median(late.Select(of)) / Math.Max(1, Median(early.Select(of))), "times", $"{what}: the last quarter beside the second one");
        }

        figures.Set("soak.samples", new JsonArray([.. samples.Select(process => JsonSerializer.SerializeToNode(process, JsonSerializerOptions.Web))]));
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    private static async Task<SoakSample[]> RunProcessAsync(int number, string[] arguments, TimeSpan within)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [typeof(SoakProcess).Assembly.Location, SoakProcess.Argument, .. arguments])
        {
            RedirectStandardOutput = true,
        })!;
        using var late = new CancellationTokenSource(within);
        var samples = new List<SoakSample>();
        try
        {
            while (await process.StandardOutput.ReadLineAsync(late.Token) is { } line)
            {
                if (number == 0) Console.WriteLine($"  {line}");
                samples.Add(JsonSerializer.Deserialize<SoakSample>(line)!);
            }

            await process.WaitForExitAsync(late.Token);
            return process.ExitCode == 0 ? [.. samples] : throw new InvalidOperationException($"Process {number} of the soak ended with {process.ExitCode}.");
        }
        finally
        {
            process.Kill();
        }
    }

    private static async Task<(long Messages, int Events)> ReceiveAsync(ServiceBusClient client, string topic, CancellationToken over)
    {
        await using var receiver = client.CreateReceiver(
            topic, "all", new ServiceBusReceiverOptions { ReceiveMode = ServiceBusReceiveMode.ReceiveAndDelete, PrefetchCount = 500 });
        var (messages, events) = (0L, new HashSet<(int Partition, long Offset)>());
        // When all processes have ended, it takes what is left.
        while (await receiver.ReceiveMessagesAsync(500, TimeSpan.FromSeconds(2), CancellationToken.None) is var page && (page.Count > 0 || !over.IsCancellationRequested))
        {
            messages += page.Count;
            foreach (var message in page)
                events.Add((int.Parse((string)message.ApplicationProperties["cloudEvents:partitionkey"], null), long.Parse((string)message.ApplicationProperties["cloudEvents:sequence"], null)));
        }

        return (messages, events.Count);
    }
}
