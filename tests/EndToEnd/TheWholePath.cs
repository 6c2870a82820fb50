using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Outpost.Tests.EndToEnd;

/// <summary>From a request to the feed, the bus and the table: with the app as a program and the official clients.</summary>
public sealed class TheWholePath
{
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task An_order_placed_paid_and_cancelled_is_in_the_feed_on_the_bus_and_in_the_table(int partitions)
    {
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync(partitions);

        using var placed = await app.PostAsync(
            "/api/orders", """{"customerId":"c1","lines":[{"sku":"a","quantity":2,"unitPrice":9.5}]}""", "k1");
        var order = await placed.Content.ReadFromJsonAsync<JsonElement>();
        var id = order.GetProperty("orderId").GetString()!;
        using var paid = await app.PostAsync($"/api/orders/{id}/pay", null, ifMatch: "\"1\"");
        using var stale = await app.PostAsync($"/api/orders/{id}/cancel", """{"reason":"late"}""", ifMatch: "\"1\"");
        using var cancelled = await app.CancelAsync(id);
        using var shipped = await app.PostAsync($"/api/orders/{id}/ship", null);
        using var now = await app.Http.GetAsync($"/api/orders/{id}");

        Assert.Equal(
            [HttpStatusCode.Created, HttpStatusCode.OK, HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.Conflict, HttpStatusCode.OK],
            new[] { placed, paid, stale, cancelled, shipped, now }.Select(r => r.StatusCode));
        Assert.Equal(("\"1\"", $"orders/{id}"), (placed.Headers.ETag!.Tag, placed.Headers.Location!.ToString()));
        Assert.Equal("\"3\"", now.Headers.ETag!.Tag);
        Assert.Equal(19m, order.GetProperty("total").GetDecimal());

        var feeds = await Task.WhenAll(Enumerable.Range(0, partitions).Select(p => app.FeedAsync(p)));
        var feed = Assert.Single(feeds, f => f.Count > 0);
        Assert.Equal(["OrderPlaced", "OrderPaid", "OrderCancelled"], feed.Select(e => e.GetProperty("type").GetString()));
        Assert.Equal(19m, feed[2].GetProperty("payload").GetProperty("refundDue").GetDecimal());

        var received = await services.ReceiveAsync("orders", max: 3);
        Assert.Equal(feed.Select(e => e.GetProperty("id").GetString()), received.Select(m => m.MessageId));
        Assert.All(received, m => Assert.Equal($"order/{id}", m.SessionId));
        Assert.Equal(feed.Select(e => e.GetProperty("payload").GetRawText()), received.Select(m => m.Body));
        Assert.Equal("1.0", received[0].Property("cloudEvents:specversion"));
        Assert.Equal(feed[0].GetProperty("timestamp").GetString(), received[0].Property("cloudEvents:time"));

        var rows = await RowsAsync(services);
        var partition = feed[0].GetProperty("partition").GetInt32().ToString("D4", System.Globalization.CultureInfo.InvariantCulture);
        Assert.Contains(("layout", "layout"), rows.Keys);
        Assert.Equal("3", rows[(partition, "!head")].GetProperty("Next").GetString());
        Assert.Equal("3", rows[(partition, "c|servicebus")].GetProperty("Next").GetString());
        Assert.Equal("3", rows[(partition, $"d|order|{id}")].GetProperty("Version").GetString());
        Assert.Equal(3, rows.Keys.Count(k => k.Row.StartsWith("e|", StringComparison.Ordinal)));
        Assert.Single(rows.Keys, k => k.Row.StartsWith("r|", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_restart_in_the_middle_goes_on_where_it_was()
    {
        await using var services = await LocalServices.StartAsync();
        var first = await services.StartAppAsync();
        using var placed = await first.PlaceAsync("o-1", "k1");
        Assert.Equal(0, await first.Process.StopAsync());

        var second = await services.StartAppAsync();
        using var repeated = await second.PlaceAsync("o-1", "k1");
        using var cancelled = await second.CancelAsync("o-1");

        Assert.Equal("true", repeated.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(await placed.Content.ReadAsStringAsync(), await repeated.Content.ReadAsStringAsync());
        Assert.Equal(["OrderPlaced", "OrderCancelled"], (await services.ReceiveAsync("orders", max: 2)).Select(m => m.Subject));
    }

    [Fact]
    public async Task Orders_go_on_while_the_bus_is_stopped_and_everything_arrives_when_it_is_back()
    {
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync(settings: new Dictionary<string, string> { ["Forwarder__LingerSeconds"] = "1" });
        using var before = await app.PlaceAsync("before");

        await services.StopBusAsync();
        var meanwhile = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => app.PlaceAsync($"o-{i}")));
        using var health = await app.Http.GetAsync("/api/health");
        await services.StartBusAsync();

        Assert.All(meanwhile, response => Assert.Equal(HttpStatusCode.Created, response.StatusCode));
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        var received = await services.ReceiveAsync("all", max: 51, quietSeconds: 20);
        Assert.Equal((await app.FeedAsync()).Select(e => e.GetProperty("id").GetString()), received.Select(m => m.MessageId));
    }

    [Fact]
    public async Task Two_apps_on_one_table_serve_one_log_and_send_nothing_twice()
    {
        await using var services = await LocalServices.StartAsync();
        var apps = await Task.WhenAll(services.StartAppAsync(), services.StartAppAsync());

        var responses = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            using var placed = await apps[i % 2].PlaceAsync($"o-{i}", $"k{i}");
            Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
            return await apps[(i + 1) % 2].CancelAsync($"o-{i}");
        }));

        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        var feeds = await Task.WhenAll(apps.Select(app => app.FeedAsync(limit: 7)));
        Assert.Equal(feeds[0].Select(e => e.GetRawText()), feeds[1].Select(e => e.GetRawText()));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), feeds[0].Select(e => e.GetProperty("offset").GetInt64()));
        var received = await services.ReceiveAsync("all", quietSeconds: 6);
        Assert.Equal(feeds[0].Select(e => e.GetProperty("id").GetString()), received.Select(m => m.MessageId));
    }

    [Fact]
    public async Task A_start_with_another_partition_count_is_refused_in_one_line()
    {
        await using var services = await LocalServices.StartAsync();
        var first = await services.StartAppAsync(partitions: 2);
        await first.Process.StopAsync();

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => services.StartAppAsync(partitions: 3));

        Assert.Contains("Outpost__PartitionCount: '3' does not fit", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Forwarder__PollMilliseconds", "often", "a whole number from 10 to 60000")]
    [InlineData("Outpost__TableName", "1table", "3 to 63 letters and digits")]
    [InlineData("TableStorage", "", "TableStorage: is missing")]
    [InlineData("FORWARDER_SCHEDULE", "every now and then", "every now and then")]
    public async Task A_bad_setting_stops_the_start_with_its_name_and_what_is_allowed(string name, string value, string told)
    {
        await using var services = await LocalServices.StartAsync();

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => services.StartAppAsync(settings: new Dictionary<string, string> { [name] = value }));

        Assert.Contains(told, refused.Message, StringComparison.Ordinal);
        Assert.Contains(name == "FORWARDER_SCHEDULE" ? "Forward" : name, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_schedule_commands_commit_and_health_names_the_setting()
    {
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync(settings: new Dictionary<string, string> { ["FORWARDER_SCHEDULE"] = "" });

        using var placed = await app.PlaceAsync("o-1");
        using var health = await app.Http.GetAsync("/api/health");

        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Contains("FORWARDER_SCHEDULE", await health.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task<Dictionary<(string Partition, string Row), JsonElement>> RowsAsync(LocalServices services)
    {
        var (exitCode, output) = await ChildProcess.RunAsync("node", ["tests/EndToEnd/rows.mjs", "--connection", services.Tables]);
        Assert.True(exitCode == 0, output);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToDictionary(row => (row.GetProperty("partitionKey").GetString()!, row.GetProperty("rowKey").GetString()!));
    }
}
