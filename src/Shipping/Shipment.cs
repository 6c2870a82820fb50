namespace Outpost.Shipping;

/// <summary>What goes to a customer; one for each order that was paid.</summary>
public sealed record Shipment(string OrderId, string CustomerId, string State);

/// <summary>A shipment is on its way.</summary>
[EventName("ShipmentSent")]
public sealed record ShipmentSent(string OrderId, string CustomerId);

/// <summary>What may happen to a shipment. Pure.</summary>
public static class ShipmentDecisions
{
    /// <summary>Shipments in keys and subjects: <c>shipment/{order id}</c>, so that an order has at most one.</summary>
    public static readonly EntityType<Shipment> Entity = new("shipment");

    /// <summary>Sends what was paid. What was sent is not sent again, also when its key is forgotten.</summary>
    public static Decision<Shipment> Send(Shipment? current, string orderId, string customerId) => current is null
        ? Decision.Accept(new Shipment(orderId, customerId, "sent"), new ShipmentSent(orderId, customerId))
        : Decision.Accept(current);
}
