using System.Net;
using Outpost.Forwarding;

namespace Outpost.Shipping;

/// <summary>
/// Tells the orders' service that a shipment was sent. The event id is the command's key, so the service takes it once,
/// however often this runs.
/// </summary>
public sealed class ShippedOrders(HttpClient orders) : IEventHandler<ShipmentSent>
{
    /// <summary>How late the orders' service may hear of it.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public async Task HandleAsync(ShipmentSent payload, EventEntry entry, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"api/orders/{Uri.EscapeDataString(payload.OrderId)}/ship");
        request.Headers.Add("Idempotency-Key", $"\"{entry.Id}\"");
        if (entry.TraceParent is { } traceParent) request.Headers.Add("traceparent", traceParent);
        using var answer = await orders.SendAsync(request, cancellationToken);
        // An order may have been cancelled meanwhile, for example. Somebody has to bring the parcel back.
        if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity)
            throw new PermanentFailureException($"Order {payload.OrderId} was not marked as shipped: {(int)answer.StatusCode}.");
        answer.EnsureSuccessStatusCode();
    }
}
