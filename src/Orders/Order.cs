namespace Outpost.Orders;

/// <summary>An order's state; a new value with each change.</summary>
/// <param name="OrderId">Its id: 1 to 100 characters of <c>A-Za-z0-9._~-</c>.</param>
/// <param name="CustomerId">Who placed it.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Lines">What was ordered, at least one line.</param>
/// <param name="Total">Sum of quantity × unit price over all lines.</param>
public sealed record Order(string OrderId, string CustomerId, OrderState State, IReadOnlyList<OrderLine> Lines, decimal Total);

/// <summary>One line of an order.</summary>
/// <param name="Sku">Article.</param>
/// <param name="Quantity">1 or more.</param>
/// <param name="UnitPrice">0 or more, at most four decimal places.</param>
public sealed record OrderLine(string Sku, int Quantity, decimal UnitPrice);

/// <summary>Where an order stands.</summary>
public enum OrderState
{
    /// <summary>Placed, not paid.</summary>
    Placed,

    /// <summary>Paid, not shipped.</summary>
    Paid,

    /// <summary>Shipped; the end.</summary>
    Shipped,

    /// <summary>Cancelled; the end.</summary>
    Cancelled,
}
