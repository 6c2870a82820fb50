using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Outpost.Tests.Benchmarks;

/// <summary>The feed over HTTP: pages and bytes per second for some clients, and what readers cost who only wait.</summary>
internal sealed class FeedServerBenchmarks(Backlog backlog, Figures figures, bool quick)
{
    private const int Page = 100;
    private const int Waiters = 1000;

    public async Task RunAsync()
    {
        await using var process = backlog.NewProcess();
        using var api = FeedBenchmarks.Api(process, Waiters);
        await using var server = await ServeAsync(request => api.ReadAsync(request, request.HttpContext.RequestAborted));
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 2 * Waiters })
        {
            BaseAddress = new Uri(server.Urls.Single()),
            Timeout = TimeSpan.FromMinutes(2),
        };
        await process.Store.ReadPartitionAsync(0, CancellationToken.None);
        foreach (var clients in new[] { 1, 8, 64 })
        {
            Console.WriteLine($"feed: {clients} clients");
            // Nobody reads the page that somebody else has read: each at offsets of his own.
            await PagesAsync(http, $"uncached.c{clients}", clients, (client, number) => ((clients * 1009L) + (client * 7919L) + (number * 13L)) % (backlog.Events - (2 * Page)), quick ? 40 : 200);
            await PagesAsync(http, $"cached.c{clients}", clients, (_, number) => number % 10 * Page, quick ? 1000 : 10_000);
        }

        await WaitingAsync(process, http);
    }

    private async Task PagesAsync(HttpClient http, string key, int clients, Func<int, int, long> offsetOf, int pages)
    {
        var bytes = 0L;
        for (var number = 0; number < 10; number++) await http.GetByteArrayAsync($"/api/events?offset={offsetOf(clients, number)}&limit={Page}");
        var start = Stopwatch.GetTimestamp();
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(async () =>
        {
            for (var number = Interlocked.Increment(ref next); number <= pages; number = Interlocked.Increment(ref next))
            {
                var page = await http.GetByteArrayAsync(string.Create(CultureInfo.InvariantCulture, $"/api/events?offset={offsetOf(client, number)}&limit={Page}"));
                Interlocked.Add(ref bytes, page.Length);
            }
        })));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        figures.Sample($"feed.pages_per_s.{key}", pages / seconds, "pages/s", $"{Page} entries of 500 bytes over HTTP; clients and server share the machine");
        figures.Sample($"feed.mb_per_s.{key}", bytes / seconds / 1e6, "MB/s", "");
    }

    // What readers cost who wait at the head, of whom there are few and many.
    private async Task WaitingAsync(ForwardingProcess process, HttpClient http)
    {
        foreach (var waiters in new[] { 10, Waiters })
        {
            Console.WriteLine($"feed: {waiters} readers wait");
            var head = (await process.Store.ReadPartitionAsync(0, CancellationToken.None)).Head;
            var memory = GC.GetTotalMemory(forceFullCollection: true);
            var waiting = Enumerable.Range(0, waiters).Select(_ => http.GetByteArrayAsync($"/api/events?offset={head}&wait=25")).ToList();
            await Task.Delay(TimeSpan.FromSeconds(3));
            var (before, cpu, start) = (process.Requests.Now, Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
            await Task.Delay(TimeSpan.FromSeconds(quick ? 2 : 10));
            var elapsed = Stopwatch.GetElapsedTime(start);
            figures.Sample($"feed.waiting.requests_per_s.c{waiters}", (process.Requests.Now - before).All / elapsed.TotalSeconds, "requests/s", "one poll for all who wait, every 240 to 360 ms");
            figures.Sample($"feed.waiting.cpu_percent.c{waiters}", 100 * ((Environment.CpuUsage.TotalTime - cpu) / elapsed), "% of a core", "");
            figures.Sample($"feed.waiting.memory_mb.c{waiters}", (GC.GetTotalMemory(forceFullCollection: true) - memory) / 1e6, "MB", "clients and server together");
            var committed = Stopwatch.GetTimestamp();
            await new OrderCommands().PlaceAsync(process.Log, withKey: true);
            await Task.WhenAll(waiting);
            figures.Sample($"feed.waiting.answered_ms.c{waiters}", Stopwatch.GetElapsedTime(committed).TotalMilliseconds, "ms", "from the command's start to the last answer");
        }
    }

    private static async Task<WebApplication> ServeAsync(Func<HttpRequest, Task<IResult>> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/api/events", (HttpRequest request) => answer(request));
        await app.StartAsync();
        return app;
    }
}
