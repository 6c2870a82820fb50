using System.Globalization;

namespace Outpost.Orders;

/// <summary>The decisions about an order: when each change is allowed, and which events it records. Pure.</summary>
public static class OrderDecisions
{
    /// <summary>The entity type. It makes the subject <c>order/{id}</c>.</summary>
    public static readonly EntityType<Order> Entity = new("order", OrdersJson.Default.Order);

    /// <summary>Places an order that does not exist yet.</summary>
    public static Decision<Order> Place(Order? current, string orderId, string customerId, IReadOnlyList<OrderLine> lines)
    {
        if (current is not null) return Refusal.Conflict("order-exists", $"There is already an order '{orderId}'.");
        var total = lines.Sum(line => line.Quantity * line.UnitPrice);
        return Decision.Accept(new Order(orderId, customerId, OrderState.Placed, lines, total), new OrderPlaced(orderId, customerId, lines, total));
    }

    /// <summary>Pays an order that is placed.</summary>
    public static Decision<Order> Pay(Order? current, string orderId) => current switch
    {
        null => NotFound(orderId),
        { State: OrderState.Placed } => Decision.Accept(
            current with { State = OrderState.Paid }, new OrderPaid(orderId, current.CustomerId, current.Total)),
        _ => Forbidden(current, "paid", "placed"),
    };

    /// <summary>Ships an order that is paid.</summary>
    public static Decision<Order> Ship(Order? current, string orderId) => current switch
    {
        null => NotFound(orderId),
        { State: OrderState.Paid } => Decision.Accept(
            current with { State = OrderState.Shipped }, new OrderShipped(orderId, current.CustomerId, current.Lines)),
        _ => Forbidden(current, "shipped", "paid"),
    };

    /// <summary>Cancels an order that is not shipped. A handler of the event pays the refund later.</summary>
    public static Decision<Order> Cancel(Order? current, string orderId, string reason) => current switch
    {
        null => NotFound(orderId),
        { State: OrderState.Placed or OrderState.Paid } => Decision.Accept(
            current with { State = OrderState.Cancelled },
            new OrderCancelled(orderId, current.CustomerId, reason, current.Total, current.State == OrderState.Paid ? current.Total : 0)),
        _ => Forbidden(current, "cancelled", "placed or paid"),
    };

    private static Refusal NotFound(string orderId) => Refusal.NotFound("order-not-found", $"There is no order '{orderId}'.");

    private static Refusal Forbidden(Order order, string wanted, string allowed) => Refusal.Conflict(
        "order-state",
        string.Create(
            CultureInfo.InvariantCulture,
            $"Order '{order.OrderId}' is {OrdersJson.Name(order.State)}; only an order that is {allowed} can be {wanted}."));
}
