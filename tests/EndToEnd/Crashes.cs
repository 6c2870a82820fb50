using System.Collections.Concurrent;
using System.Net;

namespace Outpost.Tests.EndToEnd;

/// <summary>What was answered holds, whatever dies.</summary>
public sealed class Crashes
{
    private const int Orders = 1_000;
    private const int Clients = 16;

    [Fact]
    public async Task A_thousand_orders_from_16_clients_survive_two_kills_of_the_app()
    {
        await using var services = await LocalServices.StartAsync();
        var app = new Current(await services.StartAppAsync());
        var next = -1;
        var done = 0;
        var cancelled = new ConcurrentBag<string>();

        async Task ClientAsync()
        {
            for (var i = Interlocked.Increment(ref next); i < Orders; i = Interlocked.Increment(ref next))
            {
                await UntilAnsweredAsync(() => app.Value.PlaceAsync($"o-{i}", $"place-{i}"), HttpStatusCode.Created);
                if (i % 3 == 0)
                {
                    await UntilAnsweredAsync(() => app.Value.CancelAsync($"o-{i}", $"cancel-{i}"), HttpStatusCode.OK);
                    cancelled.Add($"order/o-{i}");
                }

                if (Interlocked.Increment(ref done) is Orders / 4 or Orders / 2) app.KillNow.Release();
            }
        }

        async Task KillerAsync()
        {
            for (var kill = 0; kill < 2; kill++)
            {
                await app.KillNow.WaitAsync();
                await app.Value.Process.KillAsync();
                app.Value = await services.StartAppAsync();
            }
        }

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => ClientAsync()).Append(KillerAsync()));

        var feed = await app.Value.FeedAsync();
        Assert.Equal(Enumerable.Range(0, feed.Count).Select(i => (long)i), feed.Select(e => e.GetProperty("offset").GetInt64()));
        var bySubject = feed.GroupBy(e => e.GetProperty("subject").GetString()!, e => e.GetProperty("type").GetString()!).ToDictionary(g => g.Key, g => g.ToList());
        Assert.Equal(Orders, bySubject.Count);
        var expectCancelled = cancelled.ToHashSet();
        Assert.All(bySubject, order => Assert.Equal(
            expectCancelled.Contains(order.Key) ? ["OrderPlaced", "OrderCancelled"] : ["OrderPlaced"], order.Value));

        // The killed one's leases end first.
        await app.Value.ForwardedAsync();

        // Per order in order, with sessions; and nothing but the feed, in its order, without.
        var withSessions = await services.ReceiveAsync("orders", quietSeconds: 5);
        Assert.Equal(feed.Count, withSessions.Count);
        Assert.All(withSessions.GroupBy(m => m.SessionId), s => Assert.Equal(s.Select(m => m.Sequence).Order(), s.Select(m => m.Sequence)));
        var all = await services.ReceiveAsync("all");
        Assert.Equal(feed.Select(e => e.GetProperty("id").GetString()), all.Select(m => m.MessageId));
    }

    // What a client does: the same key until there is an answer.
    private static async Task UntilAnsweredAsync(Func<Task<HttpResponseMessage>> send, HttpStatusCode expected)
    {
        for (var attempt = 1; attempt <= 1_000; attempt++)
        {
            try
            {
                using var response = await send();
                if (response.StatusCode == HttpStatusCode.ServiceUnavailable) continue;
                Assert.Equal(expected, response.StatusCode);
                return;
            }
            catch (HttpRequestException)
            {
                // The app is dead; a client tries again a little later.
                await Task.Delay(20);
            }
        }

        Assert.Fail("There was never an answer.");
    }

    private sealed class Current(RunningApp app)
    {
        public volatile RunningApp Value = app;

        public SemaphoreSlim KillNow { get; } = new(0);
    }
}
