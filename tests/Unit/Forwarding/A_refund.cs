using System.Net;
using Outpost.Forwarding;
using Outpost.Functions;
using Outpost.Orders;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_refund
{
    private static readonly EventEntry Entry = new(
        new EventId("k3v9x2ab", 0, 41), nameof(OrderCancelled), "application/json", default, default, "order/o-1", 3, null, null);

    [Fact]
    public async Task Is_asked_for_with_the_event_s_id_as_the_key()
    {
        using var payments = new Payments(HttpStatusCode.Created);

        await payments.RefundAsync(12.5m);
        await payments.RefundAsync(12.5m);

        Assert.Equal(
            Enumerable.Repeat(
                """POST http://payments.test/v1/refunds "k3v9x2ab-0000-0000000000000000041" {"orderId":"o-1","customerId":"c-1","amount":12.5}""", 2),
            payments.Requests);
    }

    [Fact]
    public async Task Of_nothing_calls_nobody()
    {
        using var payments = new Payments(HttpStatusCode.InternalServerError);

        await payments.RefundAsync(0);

        Assert.Empty(payments.Requests);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(422)]
    public async Task That_the_service_refuses_is_parked(int status)
    {
        using var payments = new Payments((HttpStatusCode)status);

        var refusal = await Assert.ThrowsAsync<PermanentFailureException>(() => payments.RefundAsync(1));
        Assert.Contains($"the refund: {status}", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(409)]
    public async Task That_fails_otherwise_tells_its_status(int status)
    {
        using var payments = new Payments((HttpStatusCode)status);

        Assert.Equal((HttpStatusCode)status, (await Assert.ThrowsAsync<HttpRequestException>(() => payments.RefundAsync(1))).StatusCode);
    }

    [Fact]
    public void Follows_within_five_minutes() => Assert.Equal(TimeSpan.FromMinutes(5), RefundHandler.Within);

    private sealed class Payments(HttpStatusCode status) : HttpMessageHandler
    {
        public List<string> Requests { get; } = [];

        public async Task RefundAsync(decimal amount)
        {
            using var client = new HttpClient(this, disposeHandler: false) { BaseAddress = new Uri("http://payments.test/v1/") };
            await new RefundHandler(client).HandleAsync(new OrderCancelled("o-1", "c-1", "changed", 20, amount), Entry, CancellationToken.None);
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = await request.Content!.ReadAsStringAsync(cancellationToken);
            Requests.Add($"{request.Method} {request.RequestUri} {string.Join(",", request.Headers.GetValues("Idempotency-Key"))} {body}");
            return new HttpResponseMessage(status);
        }
    }
}
