using System.Diagnostics;
using System.Text.Json;
using Outpost.Tests.Testing;

namespace Outpost.Tests.EndToEnd;

/// <summary>A thousand readers wait at the head of a running app, for its own commits and for another process's.</summary>
public sealed class WaitingReaders
{
    private const int Many = 1000;
    // Far below the 25 seconds they would wait for nothing. How fast it is the benchmark says (feed.waiting.answered_ms).
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(12);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Are_all_answered_soon_after_a_commit_and_cost_no_more_than_a_few(bool ownCommit)
    {
        await using var services = await LocalServices.StartAsync();
        await using var proxy = await FaultyProxy.StartAsync(_ => null, services.Tables);
        var app = await services.StartAppAsync(settings: Settings(proxy.ConnectionString));
        var other = ownCommit ? app : await services.StartAppAsync(settings: Settings(services.Tables));
        using var readers = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 2 * Many })
        {
            BaseAddress = app.Http.BaseAddress,
            Timeout = TimeSpan.FromSeconds(60),
        };
        // Once before it counts: code that was never run is compiled first.
        await WaitAsync(app, other, readers, proxy, head: 0, waiters: Many);
        var idle = ProcessMemory.ResidentMegabytes(app.WorkerId());

        var few = await WaitAsync(app, other, readers, proxy, head: 1, waiters: 5);
        var many = await WaitAsync(app, other, readers, proxy, head: 2, waiters: Many);

        Assert.InRange(many.PollsPerSecond, 0.5 * few.PollsPerSecond, 2 * few.PollsPerSecond);
        Assert.InRange(many.Megabytes - idle, -1000, 100);
        Assert.True(many.Last - many.Committed < Soon, $"The last of {Many} was answered after {(many.Last - many.Committed).TotalMilliseconds:0} ms.");
    }

    private static Dictionary<string, string> Settings(string tables) => new()
    {
        ["TableStorage"] = tables,
        ["Feed__WaitersMax"] = "2000",
        // Only the readers ask the table.
        ["FORWARDER_SCHEDULE"] = "0 0 0 1 1 *",
        ["Forwarder__LingerSeconds"] = "0",
    };

    private static async Task<Waited> WaitAsync(RunningApp app, RunningApp other, HttpClient readers, FaultyProxy proxy, int head, int waiters)
    {
        var start = Stopwatch.GetTimestamp();
        var waiting = Enumerable.Range(0, waiters).Select(async _ =>
        {
            using var answer = await readers.GetAsync($"/api/events?offset={head}&wait=25");
            var at = Stopwatch.GetElapsedTime(start);
            return (At: at, Entries: JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetArrayLength());
        }).ToList();
        // All have come when each has looked once where the partition stands; then there are only polls.
        await QuietAsync(proxy);
        var (requests, counted) = (proxy.Requests, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(counted) < TimeSpan.FromSeconds(3)) await Task.Delay(100);
        var polls = (proxy.Requests - requests) / Stopwatch.GetElapsedTime(counted).TotalSeconds;
        var memory = ProcessMemory.ResidentMegabytes(app.WorkerId());
        Assert.DoesNotContain(waiting, reader => reader.IsCompleted);

        using var placed = await other.PlaceAsync($"o-{head}");
        var committed = Stopwatch.GetElapsedTime(start);
        var answers = await Task.WhenAll(waiting);
        Assert.All(answers, answer => Assert.Equal(1, answer.Entries));
        return new Waited(polls, memory, committed, answers.Max(answer => answer.At));
    }

    // For half a second no more than polls: one every 240 ms at the most.
    private static async Task QuietAsync(FaultyProxy proxy)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (true)
        {
            var before = proxy.Requests;
            await Task.Delay(500, patience.Token);
            if (proxy.Requests - before <= 3) return;
        }
    }

    private sealed record Waited(double PollsPerSecond, int Megabytes, TimeSpan Committed, TimeSpan Last);
}
