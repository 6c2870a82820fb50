namespace Outpost.Orders;

/// <summary>An order's state. Each change makes a new value.</summary>
/// <param name="OrderId">Id of the order: 1 to 100 characters of <c>A-Za-z0-9._~-</c>.</param>
/// <param name="CustomerId">Who placed the order.</param>
/// <param name="State">How far the order has come.</param>
/// <param name="Lines">What was ordered: at least one line.</param>
/// <param name="Total">Sum of quantity × unit price over all lines.</param>
public sealed record Order(string OrderId, string CustomerId, OrderState State, IReadOnlyList<OrderLine> Lines, decimal Total);

/// <summary>One line of an order.</summary>
/// <param name="Sku">Number of the article.</param>
/// <param name="Quantity">How many: 1 or more.</param>
/// <param name="UnitPrice">Price of one: 0 or more, with at most four decimal places.</param>
public sealed record OrderLine(string Sku, int Quantity, decimal UnitPrice);

/// <summary>How far an order has come.</summary>
public enum OrderState
{
    /// <summary>Placed, not paid.</summary>
    Placed,

    /// <summary>Paid, not shipped.</summary>
    Paid,

    /// <summary>Shipped. No change follows.</summary>
    Shipped,

    /// <summary>Cancelled. No change follows.</summary>
    Cancelled,
}
