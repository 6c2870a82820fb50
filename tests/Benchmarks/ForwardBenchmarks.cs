using System.Diagnostics;
using Azure.Data.Tables;
using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;
using Outpost.ServiceBus;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// Forwarding a backlog of 1 KiB events: how fast, how far from what the table gives and the bus takes at all, and what
/// it costs in requests. Bare loops and product take turns within each round, each on a topic of its own.
/// </summary>
internal sealed class ForwardBenchmarks(Backlog backlog, Figures figures, int naive)
{
    private const int Kilobyte = 1024;
    private const int IdlePartitions = 4;
    private string _busy = "";

    public static async Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        Console.WriteLine("forward: warming up");
        await using (var small = await Backlog.CreateAsync(2_000))
            await new ForwardBenchmarks(small, new Figures(), naive: 50).RoundAsync();

        Console.WriteLine("forward: building a backlog");
        await using var backlog = await Backlog.CreateAsync(options.Quick ? 40_000 : 100_000);
        var benchmarks = new ForwardBenchmarks(backlog, figures, naive: options.Quick ? 200 : 1000);
        var rounds = options.Quick ? 1 : 5;
        for (var round = 1; round <= rounds; round++)
        {
            Console.WriteLine($"forward: round {round} of {rounds}");
            await benchmarks.RoundAsync();
        }

        await IdleAsync(figures);
        await LoneEventAsync(figures);
    }

    private async Task RoundAsync()
    {
        var pages = await RawPagesAsync();
        var sends = await RawSendsAsync();
        var perSecond = await ForwardAsync(256, ".256k");
        figures.Sample("forward.events_per_s", perSecond, "events/s", _busy);
        figures.Sample(
            "forward.vs_limit", perSecond / Math.Min(pages, sends), "of raw", $"the slower of bare pages ({pages:0}/s) and bare batch sends ({sends:0}/s)");
        await ForwardAsync(Kilobyte, ".1m");
        figures.Sample("forward.vs_naive", perSecond / await NaiveAsync(), "times", "one message per send, one checkpoint per message");
    }

    private async Task<double> RawPagesAsync()
    {
        await using var process = backlog.NewProcess();
        var start = Stopwatch.GetTimestamp();
        var count = 0;
        await foreach (var page in process.Table.QueryAsync<TableEntity>("PartitionKey eq '0000' and RowKey ge 'e|' and RowKey lt 'f'", 1000).AsPages())
            count += page.Values.Count;
        var perSecond = count / Stopwatch.GetElapsedTime(start).TotalSeconds;
        figures.Sample("raw.page_entities_per_s", perSecond, "entities/s", "Azurite and the SDK's deserialization, one page after the other");
        return perSecond;
    }

    private async Task<double> RawSendsAsync()
    {
        await using var client = new ServiceBusClient(await ServiceBusEmulator.ConnectionStringAsync());
        await using var sender = client.CreateSender(await NewTopicAsync(256));
        var payload = Backlog.NewPayload();
        var start = Stopwatch.GetTimestamp();
        for (var sent = 0; sent < backlog.Events;)
        {
            using var batch = await sender.CreateMessageBatchAsync();
            while (sent + batch.Count < backlog.Events && batch.TryAddMessage(Message(payload, sent + batch.Count)))
            {
            }

            await sender.SendMessagesAsync(batch);
            sent += batch.Count;
        }

        var perSecond = backlog.Events / Stopwatch.GetElapsedTime(start).TotalSeconds;
        figures.Sample("raw.send_messages_per_s", perSecond, "messages/s", "the emulator, one batch of 256 KB after the other");
        return perSecond;
    }

    // The same properties as an entry's message, so that batches hold as many.
    private static ServiceBusMessage Message(byte[] payload, int number)
    {
        var entry = new EventEntry(
            new EventId("abcdefgh", 0, number), "Measured", "application/json", payload, DateTimeOffset.UnixEpoch, $"order/o-{number / 97}", 1, null, null);
        return MessageMapping.ToMessage(entry, "/outpost");
    }

    private async Task<double> ForwardAsync(int kilobytes, string suffix)
    {
        await using var process = backlog.NewProcess();
        await using var target = await TargetAsync(kilobytes);
        await process.Store.LayoutAsync(CancellationToken.None);
        var before = process.Requests.Now;
        var memory = GC.GetTotalMemory(forceFullCollection: true);
        var (own, azurite, bus) = (Environment.CpuUsage.TotalTime, ServiceProcess.Azurite.CpuTime(), ServiceProcess.Bus.CpuTime());
        var start = Stopwatch.GetTimestamp();
        await using var engine = process.Engine([new Forwarder($"f{suffix.Trim('.')}-{Guid.NewGuid():N}"[..30], target)]);
        var run = await engine.RunAsync(CancellationToken.None);
        var elapsed = Stopwatch.GetElapsedTime(start);
        (own, azurite, bus) = (Environment.CpuUsage.TotalTime - own, ServiceProcess.Azurite.CpuTime() - azurite, ServiceProcess.Bus.CpuTime() - bus);
        if (kilobytes == 256) _busy = $"busy: Azurite {azurite / elapsed:P0}, the emulator {bus / elapsed:P0}, this process {own / elapsed:P0} of a core";
        if (run.Delivered != backlog.Events) throw new InvalidOperationException($"{run.Delivered} of {backlog.Events} were forwarded.");
        var requests = (process.Requests.Now - before).All + run.Batches;
        figures.Sample(
            $"forward.requests_per_event{suffix}",
            (double)requests / backlog.Events,
            "requests",
            $"a batch takes {(double)backlog.Events / run.Batches:0} events: one send and one checkpoint each, and the pages");
        figures.Sample(
            "memory.growth_mb.drain",
            (GC.GetTotalMemory(forceFullCollection: true) - memory) / 1e6,
            "MB",
            "in use after forwarding the backlog less before, collected");
        return backlog.Events / elapsed.TotalSeconds;
    }

    private async Task<double> NaiveAsync()
    {
        await using var process = backlog.NewProcess();
        await using var client = new ServiceBusClient(await ServiceBusEmulator.ConnectionStringAsync());
        await using var sender = client.CreateSender(await NewTopicAsync(256));
        var checkpoint = new Checkpoint { Forwarder = $"naive-{Guid.NewGuid():N}"[..30], NextOffset = 0, Owner = "naive" };
        var entries = await process.Store.ReadEventsAsync(0, 0, naive, CancellationToken.None);
        var start = Stopwatch.GetTimestamp();
        foreach (var entry in entries)
        {
            await sender.SendMessageAsync(MessageMapping.ToMessage(entry, "/outpost"));
            var next = checkpoint with { NextOffset = entry.Offset + 1, Write = checkpoint.Write + 1 };
            checkpoint = (await process.Checkpoints.SaveAsync(0, next, [], [], CancellationToken.None))!;
        }

        return entries.Count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task IdleAsync(Figures figures)
    {
        await using var backlog = await Backlog.CreateAsync(400, IdlePartitions);
        await using var process = backlog.NewProcess();
        await using var target = await TargetAsync(256);
        await using var engine = process.Engine([new Forwarder("one", target), new Forwarder("two", target), new Forwarder("three", target)]);
        await engine.RunAsync(CancellationToken.None);
        var before = process.Requests.Now;
        await engine.RunAsync(CancellationToken.None);
        figures.Sample(
            "forward.idle_requests_per_partition_tick",
            (double)(process.Requests.Now - before).All / IdlePartitions,
            "requests",
            "three forwarders; head, checkpoints and controls are one range");
    }

    // Two events far apart: the first has found out layout and head. The commit's own transaction is not counted.
    private static async Task LoneEventAsync(Figures figures)
    {
        var linger = TimeSpan.FromSeconds(5);
        await using var backlog = await Backlog.CreateAsync(1);
        await using var process = backlog.NewProcess();
        await using var target = await TargetAsync(256);
        await using var engine = process.Engine([new Forwarder("one", target)], linger);
        using var stop = new CancellationTokenSource();
        var nudges = engine.ForwardCommitsAsync(stop.Token);
        var orders = new OrderCommands();
        RequestCounts before = default!;
        for (var number = 0; number < 2; number++)
        {
            before = process.Requests.Now;
            await orders.PlaceAsync(process.Log, withKey: true);
            await Task.Delay(linger + TimeSpan.FromSeconds(2));
        }

        const int CommitRequests = 1;
        figures.Sample(
            "forward.requests_per_lone_event",
            (process.Requests.Now - before).All - CommitRequests,
            "requests",
            "one look, the lease, the checkpoint, the lease given back, and looks for five seconds more, ever more rarely");
        await stop.CancelAsync();
        await nudges;
    }

    private static async Task<ServiceBusTarget> TargetAsync(int kilobytes) => new(new ServiceBusOptions
    {
        ConnectionString = await ServiceBusEmulator.ConnectionStringAsync(),
        Topic = await NewTopicAsync(kilobytes),
    }, TimeProvider.System);

    // Nobody subscribes: what is measured is the sending.
    private static Task<string> NewTopicAsync(int kilobytes) => ServiceBusEmulator.NewTopicAsync(kilobytes, subscriptions: false);
}
