namespace Outpost.Orders;

/// <summary>An order was placed. Self-contained, like all events here: a consumer needs no call back.</summary>
public sealed record OrderPlaced(string OrderId, string CustomerId, IReadOnlyList<OrderLine> Lines, decimal Total);

/// <summary>An order was paid.</summary>
public sealed record OrderPaid(string OrderId, string CustomerId, decimal Total);

/// <summary>An order was shipped.</summary>
public sealed record OrderShipped(string OrderId, string CustomerId, IReadOnlyList<OrderLine> Lines);

/// <summary>An order was cancelled. A refund of <paramref name="RefundDue"/> must follow within some time.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="CustomerId">Who placed it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Total">What it came to.</param>
/// <param name="RefundDue">What was paid before; 0 when nothing was.</param>
public sealed record OrderCancelled(string OrderId, string CustomerId, string Reason, decimal Total, decimal RefundDue);
