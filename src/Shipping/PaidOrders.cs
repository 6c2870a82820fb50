using Outpost.Client;

namespace Outpost.Shipping;

/// <summary>
/// Ships an order that was paid. The effect is a command on this service's own log, with the event's key as its
/// idempotency key. So it happens once, however often and by whichever way the event comes.
/// </summary>
public sealed class PaidOrders(EventLog log) : IMessageHandler, IFeedHandler
{
    /// <inheritdoc/>
    public Task HandleAsync(EventMessage message, CancellationToken cancellationToken) =>
        HandleAsync(message, message.Key, cancellationToken);

    /// <inheritdoc/>
    public Task HandleAsync(FeedEntry entry, CancellationToken cancellationToken) =>
        HandleAsync(entry, entry.Id, cancellationToken);

    private async Task HandleAsync(ReceivedEvent @event, string key, CancellationToken cancellationToken)
    {
        if (@event.Type != "OrderPaid") return;
        var paid = @event.PayloadJson;
        var (orderId, customerId) = (paid.GetProperty("orderId").GetString()!, paid.GetProperty("customerId").GetString()!);
        var result = await log.ExecuteAsync(new Command<Shipment>
        {
            Entity = ShipmentDecisions.Entity,
            EntityId = orderId,
            LikelyNew = true,
            Decide = shipment => ShipmentDecisions.Send(shipment, orderId, customerId),
            Idempotency = new Idempotency("orders", key, @event.Type),
            // This makes one trace through both services.
            TraceParent = @event.TraceParent,
        }, cancellationToken);
        // The log was busy, or nobody knows whether it took the command. The event comes again, with the same key.
        if (result is not CommandResult<Shipment>.Done) throw new IOException($"The shipment of order {orderId} was not recorded: {result}");
    }
}
