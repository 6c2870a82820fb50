using System.Net;
using Outpost.Forwarding;

namespace Outpost.Shipping;

/// <summary>A shipment was sent: the orders' service is told. It takes the command once, however often this runs: the event id is its key.</summary>
public sealed class ShippedOrders(HttpClient orders) : IEventHandler<ShipmentSent>
{
    /// <summary>At the latest by.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public async Task HandleAsync(ShipmentSent payload, EventEntry entry, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"api/orders/{Uri.EscapeDataString(payload.OrderId)}/ship");
        request.Headers.Add("Idempotency-Key", $"\"{entry.Id}\"");
        if (entry.TraceParent is { } traceParent) request.Headers.Add("traceparent", traceParent);
        using var answer = await orders.SendAsync(request, cancellationToken);
        // Such as an order that was cancelled meanwhile: somebody has to bring the parcel back.
        if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity)
            throw new PermanentFailureException($"Order {payload.OrderId} was not marked as shipped: {(int)answer.StatusCode}.");
        answer.EnsureSuccessStatusCode();
    }
}
