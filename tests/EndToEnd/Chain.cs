using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Outpost.Tests.EndToEnd;

/// <summary>
/// Two services, each with a log of its own: orders are paid, shipping sends each once and tells the orders' service. Meanwhile hosts
/// and workers of both are killed, and the broker restarted. All is looked at over HTTP. A long run sets OUTPOST_CHAIN_ORDERS (2000) and
/// OUTPOST_CHAIN_KILLS (20).
/// </summary>
public sealed class Chain
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly RunningApp?[] _apps = new RunningApp?[2];
    private LocalServices _services = null!;
    private string _from = "";
    private volatile int _ordered;

    [Theory]
    [InlineData("bus")]
    [InlineData("feed")]
    public async Task Ships_each_paid_order_exactly_once_in_one_trace_although_both_services_are_killed(string from)
    {
        var (orders, kills) = (Count("OUTPOST_CHAIN_ORDERS", 40), Count("OUTPOST_CHAIN_KILLS", 3));
        await using var services = _services = await LocalServices.StartAsync();
        _from = from;
        await StartAsync(0);
        await StartAsync(1);

        var ordering = Task.WhenAll(Enumerable.Range(0, 4).Select(client => OrderAsync(client, orders)));
        for (var kill = 0; kill < kills; kill++)
        {
            for (var start = Stopwatch.GetTimestamp(); _ordered < (kill + 1) * orders / (kills + 1); await Task.Delay(20))
                Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"Only {_ordered} orders were paid.");
            await KillAsync(kill);
        }

        await ordering;
        await Task.WhenAll(_apps.Select(app => UntilUpAsync(app!)));
        var (all, sent) = (new List<JsonElement>(), new List<JsonElement>());
        for (var start = Stopwatch.GetTimestamp(); all.Count(entry => TypeOf(entry) == "OrderShipped") < orders; await Task.Delay(500))
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"Of {orders} orders, {sent.Count} were sent, and {all.Count} events are there.\n{_apps[1]!.Process.Output}");
            var before = all.Count;
            (all, sent) = (await _apps[0]!.FeedAsync(), await _apps[1]!.FeedAsync());
            // A long run has more to do after the last kill than a short one.
            if (all.Count > before) start = Stopwatch.GetTimestamp();
        }

        // Of each order one of each, in order, and nothing else.
        Assert.Equal(orders, sent.Count);
        Assert.Equal(orders, sent.Select(OrderOf).Distinct().Count());
        Assert.Equal(3 * orders, all.Count);
        Assert.All(all.GroupBy(OrderOf), order => Assert.Equal(["OrderPlaced", "OrderPaid", "OrderShipped"], order.Select(TypeOf)));
        // One trace from paying to shipped, through both logs.
        var traces = all.Where(entry => TypeOf(entry) == "OrderPaid").ToDictionary(OrderOf, TraceOf);
        Assert.Equal(orders, traces.Values.Distinct().Count());
        Assert.All(sent.Concat(all.Where(entry => TypeOf(entry) == "OrderShipped")), entry => Assert.Equal(traces[OrderOf(entry)], TraceOf(entry)));
    }

    // In turn: the host of shipping, the broker, a worker of orders, a worker of shipping, the host of orders.
    private async Task KillAsync(int kill)
    {
        switch (kill % 5)
        {
            case 1:
                await _services.StopBusAsync();
                await _services.StartBusAsync();
                break;
            case 2 or 3:
                var (exitCode, output) = await ChildProcess.RunAsync("kill", ["-KILL", _apps[kill % 5 - 2]!.WorkerId().ToString(CultureInfo.InvariantCulture)]);
                Assert.True(exitCode == 0, output);
                break;
            default:
                var which = kill % 5 == 0 ? 1 : 0;
                var app = _apps[which]!;
                _apps[which] = null;
                await app.Process.KillAsync();
                await StartAsync(which, app.Http.BaseAddress!.Port);
                break;
        }
    }

    // At the same port as before: the other one knows it.
    private async Task StartAsync(int which, int port = 0) => _apps[which] = await _services.StartAppAsync(
        project: which == 0 ? "Functions" : "Shipping", port: port, settings: which == 0 ? null : new Dictionary<string, string>
        {
            ["Outpost__TableName"] = "shipping",
            ["Orders__Url"] = _apps[0]!.Http.BaseAddress!.ToString(),
            ["Orders__From"] = _from,
        });

    private async Task OrderAsync(int client, int orders)
    {
        for (var number = client; number < orders; number += 4)
        {
            var id = $"o-{number}";
            await UntilAnsweredAsync(app => app.PlaceAsync(id, $"place-{id}"), HttpStatusCode.Created);
            var trace = $"00-{Convert.ToHexStringLower(Guid.NewGuid().ToByteArray())}-2222222222222222-01";
            await UntilAnsweredAsync(async app =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/orders/{id}/pay");
                request.Headers.Add("Idempotency-Key", $"\"pay-{id}\"");
                request.Headers.Add("traceparent", trace);
                return await app.Http.SendAsync(request);
            }, HttpStatusCode.OK);
            Interlocked.Increment(ref _ordered);
        }
    }

    // The same key until there is an answer.
    private async Task UntilAnsweredAsync(Func<RunningApp, Task<HttpResponseMessage>> send, HttpStatusCode expected)
    {
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Patience; await Task.Delay(50))
        {
            try
            {
                if (_apps[0] is not { } app) continue;
                using var response = await send(app);
                if (response.StatusCode == expected) return;
                Assert.True(response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway, $"{response.StatusCode}");
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or ObjectDisposedException)
            {
                // It is dead.
            }
        }

        Assert.Fail("There was never an answer.");
    }

    // Its host starts another worker.
    private static async Task UntilUpAsync(RunningApp app)
    {
        for (var start = Stopwatch.GetTimestamp(); ; await Task.Delay(100))
        {
            using var response = await app.Http.GetAsync("/api/partitions");
            if (response.IsSuccessStatusCode) return;
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"{response.StatusCode}\n{app.Process.Output}");
        }
    }

    private static string TypeOf(JsonElement entry) => entry.GetProperty("type").GetString()!;

    private static string OrderOf(JsonElement entry) => entry.GetProperty("payload").GetProperty("orderId").GetString()!;

    private static string TraceOf(JsonElement entry) => entry.GetProperty("traceparent").GetString()!.Split('-')[1];

    private static int Count(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
