using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Outpost.Tests.EndToEnd;

/// <summary>Promise 6: broker down, business up. For how long is the environment's BUS_DOWN_SECONDS, 15 unless it says.</summary>
public sealed class BusDown
{
    private const int Clients = 4;

    [Fact]
    public async Task Commands_succeed_while_the_bus_is_down_and_everything_arrives_by_itself_afterwards()
    {
        var seconds = int.Parse(Environment.GetEnvironmentVariable("BUS_DOWN_SECONDS") ?? "15", CultureInfo.InvariantCulture);
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync(partitions: 2);
        await services.StopBusAsync();
        using var load = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));

        var placed = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => PlaceAsync(app, client, load.Token)));

        Assert.All(placed.SelectMany(statuses => statuses), status => Assert.Equal(HttpStatusCode.Created, status));
        var state = await StateAsync(app);
        Assert.Equal(("failing", true), (state.State, state.Backlog > 0));
        await services.StartBusAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (await StateAsync(app) is not { Backlog: 0, State: not "failing" }) await Task.Delay(200, patience.Token);

        var received = await services.ReceiveAsync("all", placed.Sum(statuses => statuses.Count));
        Assert.Equal(placed.Sum(statuses => statuses.Count), received.DistinctBy(each => each.MessageId).Count());
        Assert.All(
            received.GroupBy(each => each.Property("cloudEvents:partitionkey")),
            partition => Assert.Equal(Enumerable.Range(0, partition.Count()).Select(i => (long)i), partition.Select(each => each.Sequence).Order()));
    }

    private static async Task<List<HttpStatusCode>> PlaceAsync(RunningApp app, int client, CancellationToken stop)
    {
        var statuses = new List<HttpStatusCode>();
        while (!stop.IsCancellationRequested)
        {
            using var answer = await app.PlaceAsync($"o-{client}-{statuses.Count}");
            statuses.Add(answer.StatusCode);
            await Task.Delay(10, CancellationToken.None);
        }

        return statuses;
    }

    private static async Task<(string State, long Backlog)> StateAsync(RunningApp app)
    {
        using var status = JsonDocument.Parse(await app.Http.GetStringAsync("/api/status"));
        var forwarder = status.RootElement.GetProperty("forwarders").EnumerateArray().Single();
        return (forwarder.GetProperty("state").GetString()!, forwarder.GetProperty("partitions").EnumerateArray().Sum(p => p.GetProperty("backlog").GetInt64()));
    }
}
