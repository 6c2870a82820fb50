using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Outpost.Tests.EndToEnd;

/// <summary>When an order is cancelled, its money goes back within some time; cancelling does not wait for it.</summary>
public sealed class Refunds
{
    [Fact]
    public async Task A_refund_follows_a_cancelled_order_although_the_payment_service_is_down_and_cancelling_does_not_notice()
    {
        await using var services = await LocalServices.StartAsync();
        await using var payments = await PaymentService.StartAsync();
        var app = await services.StartAppAsync(settings: new Dictionary<string, string> { ["Payments__Url"] = payments.Url });
        payments.IsDown = true;
        for (var i = 0; i < 5; i++)
        {
            (await app.PlaceAsync($"o-{i}")).Dispose();
            (await app.PostAsync($"/api/orders/o-{i}/pay", null)).Dispose();
            using var cancelled = await app.CancelAsync($"o-{i}");
            Assert.Equal(HttpStatusCode.OK, cancelled.StatusCode);
        }

        await payments.FirstRequest;
        Assert.True(await BacklogAsync(app) > 0);
        Assert.Empty(payments.Refunded);
        payments.IsDown = false;
        await UntilAsync(() => Task.FromResult(payments.Refunded.Count == 5));

        var feed = await app.FeedAsync();
        var expected = feed.Where(e => e.GetProperty("type").GetString() == "OrderCancelled").Select(e => $"\"{e.GetProperty("id").GetString()}\"");
        Assert.Equal(expected.Order(), payments.Refunded.Keys.Order());
        Assert.All(payments.Refunded.Values, amount => Assert.Equal(19m, amount));
        await UntilAsync(async () => await BacklogAsync(app) == 0);
    }

    [Fact]
    public async Task An_order_is_cancelled_while_the_payment_service_takes_its_time()
    {
        await using var services = await LocalServices.StartAsync();
        await using var payments = await PaymentService.StartAsync();
        var app = await services.StartAppAsync(settings: new Dictionary<string, string> { ["Payments__Url"] = payments.Url });
        payments.Holds = true;
        (await app.PlaceAsync("o-1")).Dispose();
        (await app.PostAsync("/api/orders/o-1/pay", null)).Dispose();
        (await app.CancelAsync("o-1")).Dispose();
        await payments.FirstRequest;

        // The refund of the first is being waited for all the while.
        (await app.PlaceAsync("o-2")).Dispose();
        using var cancelled = await app.CancelAsync("o-2");

        Assert.Equal(HttpStatusCode.OK, cancelled.StatusCode);
        Assert.Empty(payments.Refunded);
        payments.Holds = false;
        await UntilAsync(() => Task.FromResult(payments.Refunded.Count == 1));
    }

    private static async Task<long> BacklogAsync(RunningApp app)
    {
        using var status = JsonDocument.Parse(await app.Http.GetStringAsync("/api/status"));
        return status.RootElement.GetProperty("forwarders").EnumerateArray()
            .Single(forwarder => forwarder.GetProperty("name").GetString() == "refunds")
            .GetProperty("partitions").EnumerateArray().Sum(partition => partition.GetProperty("backlog").GetInt64());
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition()) await Task.Delay(50, patience.Token);
    }

    /// <summary>A payment service that is slow or down when told to be.</summary>
    private sealed class PaymentService(WebApplication app) : IAsyncDisposable
    {
        private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Url => app.Urls.Single();

        public bool IsDown { get; set; }

        public bool Holds { get; set; }

        public Task FirstRequest => _first.Task.WaitAsync(TimeSpan.FromSeconds(60));

        public ConcurrentDictionary<string, decimal> Refunded { get; } = new();

        public static async Task<PaymentService> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            var service = new PaymentService(app);
            app.MapPost("/refunds", service.RefundAsync);
            await app.StartAsync();
            return service;
        }

        public async ValueTask DisposeAsync() => await app.DisposeAsync();

        private async Task<IResult> RefundAsync(HttpRequest request)
        {
            _first.TrySetResult();
            if (IsDown) return Results.StatusCode(503);
            while (Holds) await Task.Delay(20, request.HttpContext.RequestAborted);
            using var body = await JsonDocument.ParseAsync(request.Body);
            Refunded.TryAdd(request.Headers["Idempotency-Key"].ToString(), body.RootElement.GetProperty("amount").GetDecimal());
            return Results.Ok();
        }
    }
}
