using System.Globalization;

namespace Outpost.Orders;

/// <summary>What may happen to an order, and what it leads to. Pure.</summary>
public static class OrderDecisions
{
    /// <summary>Orders in keys and subjects: <c>order/{id}</c>.</summary>
    public static readonly EntityType<Order> Entity = new("order", OrdersJson.Default.Order);

    /// <summary>Places an order that does not exist yet.</summary>
    public static Decision<Order> Place(Order? current, string orderId, string customerId, IReadOnlyList<OrderLine> lines)
    {
        if (current is not null) return Refuse(RefusalKind.Conflict, "order-exists", $"There is already an order '{orderId}'.");
        var total = lines.Sum(line => line.Quantity * line.UnitPrice);
        return Accept(
            new Order(orderId, customerId, OrderState.Placed, lines, total),
            NewEvent.Json(new OrderPlaced(orderId, customerId, lines, total), OrdersJson.Default.OrderPlaced));
    }

    /// <summary>Pays an order that is placed.</summary>
    public static Decision<Order> Pay(Order? current, string orderId) => current switch
    {
        null => NotFound(orderId),
        { State: OrderState.Placed } => Accept(
            current with { State = OrderState.Paid },
            NewEvent.Json(new OrderPaid(orderId, current.CustomerId, current.Total), OrdersJson.Default.OrderPaid)),
        _ => Forbidden(current, "paid", "placed"),
    };

    /// <summary>Ships an order that is paid.</summary>
    public static Decision<Order> Ship(Order? current, string orderId) => current switch
    {
        null => NotFound(orderId),
        { State: OrderState.Paid } => Accept(
            current with { State = OrderState.Shipped },
            NewEvent.Json(new OrderShipped(orderId, current.CustomerId, current.Lines), OrdersJson.Default.OrderShipped)),
        _ => Forbidden(current, "shipped", "paid"),
    };

    /// <summary>Cancels an order that is not shipped. The refund follows from the event, later.</summary>
    public static Decision<Order> Cancel(Order? current, string orderId, string reason) => current switch
    {
        null => NotFound(orderId),
        { State: OrderState.Placed or OrderState.Paid } => Accept(
            current with { State = OrderState.Cancelled },
            NewEvent.Json(
                new OrderCancelled(
                    orderId, current.CustomerId, reason, current.Total, current.State == OrderState.Paid ? current.Total : 0),
                OrdersJson.Default.OrderCancelled)),
        _ => Forbidden(current, "cancelled", "placed or paid"),
    };

    private static Decision<Order>.Accepted Accept(Order state, NewEvent @event) => new(state, [@event]);

    private static Decision<Order>.Refused Refuse(RefusalKind kind, string code, string detail) => new(new Refusal(kind, code, detail));

    private static Decision<Order>.Refused NotFound(string orderId) =>
        Refuse(RefusalKind.NotFound, "order-not-found", $"There is no order '{orderId}'.");

    private static Decision<Order>.Refused Forbidden(Order order, string wanted, string allowed) => Refuse(
        RefusalKind.Conflict,
        "order-state",
        string.Create(
            CultureInfo.InvariantCulture,
            $"Order '{order.OrderId}' is {OrdersJson.Name(order.State)}; only an order that is {allowed} can be {wanted}."));
}
