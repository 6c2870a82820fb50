namespace Outpost.Orders;

/// <summary>An order was placed. Like all events here, it is self-contained: a consumer need not ask for more.</summary>
public sealed record OrderPlaced(string OrderId, string CustomerId, IReadOnlyList<OrderLine> Lines, decimal Total);

/// <summary>An order was paid.</summary>
public sealed record OrderPaid(string OrderId, string CustomerId, decimal Total);

/// <summary>An order was shipped.</summary>
public sealed record OrderShipped(string OrderId, string CustomerId, IReadOnlyList<OrderLine> Lines);

/// <summary>An order was cancelled. A refund of <paramref name="RefundDue"/> must follow within some time.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="CustomerId">Who placed it.</param>
/// <param name="Reason">Why it was cancelled.</param>
/// <param name="Total">Total of the order.</param>
/// <param name="RefundDue">What was paid before; 0 if nothing was.</param>
public sealed record OrderCancelled(string OrderId, string CustomerId, string Reason, decimal Total, decimal RefundDue);
