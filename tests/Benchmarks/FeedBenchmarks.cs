using System.Diagnostics;
using System.Globalization;
using Azure.Data.Tables;
using Microsoft.AspNetCore.Http;
using Outpost.AspNetCore;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// Reading the feed: a page of 1,000 entries of 500 bytes from the table and from memory, against a bare read of the
/// same rows; many consumers; readers who wait.
/// </summary>
internal sealed class FeedBenchmarks(Backlog backlog, Figures figures)
{
    private const int Page = 1000;
    private const int EventBytes = 500;

    public static async Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        Console.WriteLine("feed: building a backlog");
        // The last page is never final.
        await using var backlog = await Backlog.CreateAsync((options.Quick ? 11 : 41) * Page, eventBytes: EventBytes);
        Console.WriteLine("feed: warming up");
        await new FeedBenchmarks(backlog, new Figures()).RoundAsync();
        var benchmarks = new FeedBenchmarks(backlog, figures);
        var rounds = options.Quick ? 1 : 5;
        for (var round = 1; round <= rounds; round++)
        {
            Console.WriteLine($"feed: round {round} of {rounds}");
            await benchmarks.RoundAsync();
        }

        await benchmarks.ManyConsumersAsync();
        await new FeedServerBenchmarks(backlog, figures, options.Quick).RunAsync();
    }

    private int Pages => (backlog.Events / Page) - 1;

    // Page by page in turn: whatever else the machine does, it does to both.
    private async Task RoundAsync()
    {
        await using var process = backlog.NewProcess();
        using var api = Api(process);
        await process.Store.ReadPartitionAsync(0, CancellationToken.None);
        var (raw, uncached) = (TimeSpan.Zero, TimeSpan.Zero);
        var requests = process.Requests.Now;
        for (var page = 0; page < Pages; page++)
        {
            raw += await TimedAsync(() => RawPageAsync(process, page));
            uncached += await TimedAsync(() => PageAsync(api, page));
        }

        var read = (process.Requests.Now - requests).All - Pages;
        requests = process.Requests.Now;
        const int Repeats = 20;
        var cached = TimeSpan.Zero;
        for (var repeat = 0; repeat < Repeats; repeat++)
        {
            for (var page = 0; page < Pages; page++) cached += await TimedAsync(() => PageAsync(api, page));
        }

        cached /= Repeats;
        figures.Sample("feed.page_ms.1000", (uncached / Pages).TotalMilliseconds, "ms", "Azurite and the SDK's deserialization: see feed.vs_raw");
        figures.Sample("feed.vs_raw", uncached / raw, "of raw", $"a bare page takes {(raw / Pages).TotalMilliseconds:0.0} ms; the rest writes JSON");
        figures.Sample("feed.cached_page_us.1000", (cached / Pages).TotalMicroseconds, "us", "copies the bytes; no HTTP");
        figures.Sample("feed.cached_vs_uncached", uncached / cached, "times", "what the table and its client take");
        figures.Sample("feed.requests_per_page.uncached", (double)read / Pages, "requests", "the page; where the partition stands, once a minute");
        figures.Sample("feed.requests_per_page.cached", (double)(process.Requests.Now - requests).All / Pages, "requests", "none");
    }

    private async Task ManyConsumersAsync()
    {
        var requests = new Dictionary<int, int>();
        foreach (var consumers in new[] { 2, 64 })
        {
            await using var process = backlog.NewProcess();
            using var api = Api(process);
            await process.Store.ReadPartitionAsync(0, CancellationToken.None);
            var before = process.Requests.Now;
            await Callers.RunAsync(consumers, consumers, async _ =>
            {
                for (var page = 0; page < Pages; page++) await PageAsync(api, page);
            });
            requests[consumers] = (process.Requests.Now - before).All;
        }

        figures.Sample("feed.requests.2_consumers", requests[2], "requests", $"for {Pages} pages each");
        figures.Sample("feed.requests.64_consumers", requests[64], "requests", $"for {Pages} pages each: one read for all");
    }

    private static async Task<TimeSpan> TimedAsync(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start);
    }

    private static async Task RawPageAsync(ForwardingProcess process, int page)
    {
        var filter = string.Create(
            CultureInfo.InvariantCulture, $"PartitionKey eq '0000' and RowKey ge 'e|{page * Page:D19}' and RowKey lt 'e|{(page + 1) * Page:D19}'");
        var count = 0;
        await foreach (var row in process.Table.QueryAsync<TableEntity>(filter, Page)) count += row.Count > 0 ? 1 : 0;
        if (count != Page) throw new InvalidOperationException($"{count} rows.");
    }

    private static async Task PageAsync(EventApi api, int page)
    {
        var http = new DefaultHttpContext();
        http.Request.Method = "GET";
        http.Request.Path = "/api/events";
        http.Request.QueryString = new QueryString(string.Create(CultureInfo.InvariantCulture, $"?offset={page * Page}&limit={Page}"));
        var result = await api.ReadAsync(http.Request, CancellationToken.None);
        await result.ExecuteAsync(http);
        if (http.Response.Headers["Next-Offset"] != ((page + 1) * Page).ToString(CultureInfo.InvariantCulture)) throw new InvalidOperationException("Not a full page.");
    }

    internal static EventApi Api(ForwardingProcess process, int waitersMax = 100) => new(
        process.Store, new PartitionWatch(process.Store, TestLog.Sources), new EventApiOptions(TimeSpan.FromDays(1)) { WaitersMax = waitersMax });
}
