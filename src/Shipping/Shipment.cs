namespace Outpost.Shipping;

/// <summary>What is sent to a customer. There is one for each order that was paid.</summary>
public sealed record Shipment(string OrderId, string CustomerId, string State);

/// <summary>A shipment is on its way.</summary>
[EventName("ShipmentSent")]
public sealed record ShipmentSent(string OrderId, string CustomerId);

/// <summary>The decisions about a shipment. Pure.</summary>
public static class ShipmentDecisions
{
    /// <summary>The entity type. It makes the subject <c>shipment/{order id}</c>, so an order has at most one shipment.</summary>
    public static readonly EntityType<Shipment> Entity = new("shipment");

    /// <summary>Sends a paid order. An order that was sent is not sent again, even when its key is forgotten.</summary>
    public static Decision<Shipment> Send(Shipment? current, string orderId, string customerId) => current is null
        ? Decision.Accept(new Shipment(orderId, customerId, "sent"), new ShipmentSent(orderId, customerId))
        : Decision.Accept(current);
}
