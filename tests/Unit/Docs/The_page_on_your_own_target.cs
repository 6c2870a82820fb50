using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Forwarding;
using Outpost.Orders;

namespace Outpost.Tests.Unit.Docs;

public sealed class The_page_on_your_own_target
{
    [Fact]
    public void Shows_the_code_that_is_compiled_and_run_here() => DocPage.AssertShows("your-own-target.md", "Unit/Docs/YourOwnTarget.cs", "Integration/Contract/WebHookUnderTest.cs");

    [Fact]
    public async Task Says_how_entries_get_to_another_system_and_what_becomes_of_one_it_refuses()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 150; i++) await log.DoAsync(Tallies.Count($"t{i % 10}", $"s{i}"));
        var arrived = new List<string>();
        using var hook = new HttpClient(new Answering(body =>
        {
            var events = JsonNode.Parse(body)!.AsArray();
            if (events.Any(one => Encoding.UTF8.GetString(Convert.FromBase64String((string)one!["data_base64"]!)).Contains("\"s42\"", StringComparison.Ordinal)))
                return HttpStatusCode.UnprocessableEntity;
            arrived.AddRange(events.Select(one => (string)one!["id"]!));
            return HttpStatusCode.OK;
        }));

        await log.Engine([new Forwarder("hook", new WebHookTarget(hook, new Uri("https://hook.example/events"), "https://app.example"))]).RunAsync(CancellationToken.None);

        var checkpoint = (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Checkpoints["hook"];
        // Those of t2 after s42 wait behind it: s52, s62, … s142.
        Assert.Equal((150L, 11), (checkpoint.NextOffset, checkpoint.Parked));
        Assert.Equal(139, arrived.Count);
        Assert.Equal(arrived.Order(StringComparer.Ordinal), arrived);
    }

    [Fact]
    public async Task Says_what_a_web_hook_that_is_down_means()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("t", "s"));
        using var hook = new HttpClient(new Answering(_ => HttpStatusCode.ServiceUnavailable));

        var delivery = await new WebHookTarget(hook, new Uri("https://hook.example/events"), "https://app.example").DeliverAsync(await log.EntriesAsync(), null, CancellationToken.None);

        Assert.True(Assert.IsType<Delivery.Failed>(delivery).IsTransient);
    }

    [Theory]
    [InlineData(HttpStatusCode.OK, typeof(Delivery.Accepted))]
    [InlineData(HttpStatusCode.BadRequest, typeof(Delivery.Refused))]
    [InlineData(HttpStatusCode.ServiceUnavailable, typeof(Delivery.Failed))]
    [InlineData(HttpStatusCode.Forbidden, typeof(Delivery.Failed))]
    public async Task Says_what_becomes_of_what_a_handler_throws(HttpStatusCode status, Type outcome)
    {
        await using var log = new SimulatedLog();
        var services = new ServiceCollection();
        services.AddOutpostLog().AddWelcomeMails();
        services.AddHttpClient<WelcomeHandler>().ConfigurePrimaryHttpMessageHandler(() => new Answering(_ => status));
        await using var app = services.BuildServiceProvider();
        var forwarder = Assert.Single(app.GetRequiredService<IReadOnlyList<Forwarder>>());
        var placed = NewEvent.Json(new OrderPlaced("o-1", "c1", [], 0), OrdersJson.Default.OrderPlaced);
        await log.DoAsync(Tallies.Count("t", "s") with { Decide = _ => new Decision<Tally>.Accepted(new Tally(1, []), [placed]) });

        var delivery = await forwarder.Target.DeliverAsync(await log.EntriesAsync(), null, CancellationToken.None);

        Assert.IsType(outcome, delivery);
    }

    private sealed class Answering(Func<string, HttpStatusCode> answer) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            new(answer(await request.Content!.ReadAsStringAsync(cancellationToken)));
    }
}
