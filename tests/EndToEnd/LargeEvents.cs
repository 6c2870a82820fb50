using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using Outpost.Orders;
using Outpost.Tests.Testing;
using Xunit.Abstractions;

namespace Outpost.Tests.EndToEnd;

/// <summary>The largest events there are, many of them, in a process that may have 512 MB: forwarded, replayed and read, all at once.</summary>
public sealed class LargeEvents(ITestOutputHelper output)
{
    private const int EventBytes = 900_000;
    private const int SmallEventBytes = 300;
    private const int Readers = 8;
    private const string HeapBytesMaxHex = "20000000";

    // OUTPOST_LARGE_EVENTS: 500 of them in Azurite and ten times as many made up took 4 minutes on two cores.
    private static readonly int Events = int.Parse(Environment.GetEnvironmentVariable("OUTPOST_LARGE_EVENTS") ?? "80", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Fit_into_512_MB_when_many_of_them_are_a_backlog()
    {
        await using var services = await LocalServices.StartAsync();
        string tables, table;
        // The one in memory: the one in files writes a log of this size as one string, which is too long for Node.
        await using (var log = await TestLog.CreateAsync())
        {
            (tables, table) = (await Azurite.ConnectionStringAsync(), log.TableName);
            var large = new NewEvent("Measured", "application/json", Encoding.UTF8.GetBytes($"\"{new string('x', EventBytes - 2)}\""));
            for (var i = 0; i < Events; i++)
            {
                await log.RunAsync($"o-{i}", null, "place", _ => new Decision<Order>.Accepted(new Order($"o-{i}", "c", OrderState.Placed, [], 0), [large]), likelyNew: true);
            }
        }

        await SurvivesAsync(services, tables, table, Events, TimeSpan.FromMinutes(3));
    }

    // A page of small ones teaches that a thousand fit into an answer: the next thousand do not.
    [Fact]
    public async Task Fit_into_512_MB_when_more_than_that_follow_small_ones()
    {
        var (small, large) = (1000, Events * 10);
        await using var services = await LocalServices.StartAsync();
        await using (var log = TestLog.Open(services.Tables, "outpost")) await log.Store.LayoutAsync(CancellationToken.None);
        await using var events = await MadeUpEvents.StartAsync(services.Tables, "outpost", small + large, offset => offset < small ? SmallEventBytes : EventBytes);

        await SurvivesAsync(services, events.ConnectionString, "outpost", small + large, TimeSpan.FromMinutes(10));
    }

    private async Task SurvivesAsync(LocalServices services, string tables, string table, int events, TimeSpan within)
    {
        using var patience = new CancellationTokenSource(within);
        var app = await services.StartAppAsync(settings: new Dictionary<string, string>
        {
            ["TableStorage"] = tables,
            ["Outpost__TableName"] = table,
            ["DOTNET_GCHeapHardLimit"] = HeapBytesMaxHex,
        });
        var course = new List<int>();
        var start = Stopwatch.GetTimestamp();
        var (worker, isDone) = (app.WorkerId(), new TaskCompletionSource());
        var watching = WatchAsync(app, worker, course, isDone.Task);
        try
        {
            var reading = Enumerable.Range(0, Readers).Select(reader => ReadAsync(app, events * reader / Readers, events * (reader + 1) / Readers, patience.Token)).ToList();
            await ReplayAsync(app, events, patience.Token);
            await Task.WhenAll(reading);
            output.WriteLine($"read after {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
            while (!app.Process.Output.Contains("are replayed as", StringComparison.Ordinal)) await Task.Delay(200, patience.Token);
            output.WriteLine($"forwarded and replayed after {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            Assert.Fail($"Not done within {within}.\n{app.Process.Output[^Math.Min(4000, app.Process.Output.Length)..]}");
        }
        finally
        {
            isDone.TrySetResult();
            await watching;
            output.WriteLine($"resident MB, twice a second: {string.Join(' ', course)}");
        }

        // Without a fall: it is the process that was there at the beginning.
        Assert.Equal(worker, app.WorkerId());
        Assert.DoesNotContain("OutOfMemory", app.Process.Output, StringComparison.Ordinal);
        var received = (await services.ReceiveAsync("all")).Select(message => message.MessageId.Split('~')).ToList();
        Assert.Equal(events, received.Where(id => id.Length == 1).DistinctBy(id => id[0]).Count());
        Assert.Equal(events, received.Where(id => id.Length == 2).DistinctBy(id => id[0]).Count());
    }

    private static async Task WatchAsync(RunningApp app, int worker, List<int> course, Task done)
    {
        while (await Task.WhenAny(done, Task.Delay(500)) != done && Directory.Exists($"/proc/{worker}")) course.Add(ProcessMemory.ResidentMegabytes(worker));
    }

    private static async Task ReplayAsync(RunningApp app, int events, CancellationToken end)
    {
        while (true)
        {
            using var asked = await app.Http.PostAsJsonAsync("/api/forwarders/servicebus/replay", new { partition = 0, fromOffset = 0, toOffset = events - 1 }, end);
            if (asked.StatusCode == HttpStatusCode.Accepted) return;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, asked.StatusCode);
            await Task.Delay(TimeSpan.FromSeconds(1), end);
        }
    }

    private static async Task ReadAsync(RunningApp app, long from, long below, CancellationToken end)
    {
        while (from < below)
        {
            using var answer = await app.Http.GetAsync($"/api/events?partition=0&offset={from}", HttpCompletionOption.ResponseHeadersRead, end);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), end);
                continue;
            }

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            await using var body = await answer.Content.ReadAsStreamAsync(end);
            await body.CopyToAsync(Stream.Null, end);
            var next = long.Parse(answer.Headers.GetValues("Next-Offset").Single(), CultureInfo.InvariantCulture);
            Assert.True(next > from, $"No progress at {from}.");
            from = next;
        }
    }
}
