using System.Net;
using System.Text;

namespace Outpost.Tests.Integration.Telemetry;

/// <summary>A key belongs to nobody but the host that checks it: not to logs, traces, metrics or answers.</summary>
[Collection(nameof(ExportingApp))]
public sealed class A_key_in_a_request(ExportingApp app)
{
    private const string Key = "k3yThatNobodyMayRead";

    private static readonly string[] Targets =
    [
        "/api/events?offset=0&limit=1&", "/api/events?offset=99999&", "/api/events?offset=nonsense&", "/api/events?unknown=1&", "/api/feed?", "/api/partitions?",
        "/api/events/nonsense?", "/api/orders/none?", "/api/orders/traced?", "/api/status?", "/api/forwarders/servicebus/parked?limit=1&", "/api/health?", "/api/nothing?",
    ];

    [Fact]
    public async Task Is_nowhere_in_what_is_answered_logged_and_exported()
    {
        foreach (var target in Targets) await SendAsync(HttpMethod.Get, $"{target}code={Key}&clientId={Key}", null);
        await SendAsync(HttpMethod.Post, $"/api/orders?code={Key}", "{}");
        await SendAsync(HttpMethod.Post, $"/api/orders?code={Key}", """{"orderId":"keyed","customerId":"c1","lines":[{"sku":"a","quantity":1,"unitPrice":1}]}""");
        await SendAsync(HttpMethod.Post, $"/api/orders/keyed/cancel?code={Key}", """{"reason":"over"}""");
        await SendAsync(HttpMethod.Post, $"/api/forwarders/servicebus/replay?code={Key}", """{"partition":0,"fromOffset":1,"toOffset":1}""");

        // The entry at 0 is so old that retention may have deleted it; the one at 1 is not.
        // All of it has been exported when what came last has: the command's span and a line about the replay.
        Assert.Null(await app.Collector.UntilAsync(told =>
            told.Lines.Any(line => line.Text.Contains("replayed", StringComparison.Ordinal)) && Encoding.Latin1.GetString(told.Received).Contains("order/keyed", StringComparison.Ordinal)
                ? null
                : "The order and the replay were not exported."));
        Assert.DoesNotContain(Key, Encoding.Latin1.GetString(app.Collector.Received), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Key, string.Join('\n', app.Printed), StringComparison.OrdinalIgnoreCase);
    }

    private async Task SendAsync(HttpMethod method, string target, string? json)
    {
        using var request = new HttpRequestMessage(method, target);
        request.Headers.Add("x-functions-key", Key);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await app.Http.SendAsync(request);
        Assert.NotEqual(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.DoesNotContain(Key, $"{response.Headers}{response.Content.Headers}{await response.Content.ReadAsStringAsync()}", StringComparison.OrdinalIgnoreCase);
    }
}
