using System.Text.Json;
using Outpost.Orders;

namespace Outpost.Tests.Unit.Orders;

public sealed class Decisions_about_orders
{
    private static readonly IReadOnlyList<OrderLine> Lines = [new("a", 2, 9.5m), new("b", 1, 0.25m)];

    [Theory]
    [InlineData("place", null, "placed", "OrderPlaced")]
    [InlineData("place", "placed", null, "order-exists")]
    [InlineData("place", "paid", null, "order-exists")]
    [InlineData("place", "shipped", null, "order-exists")]
    [InlineData("place", "cancelled", null, "order-exists")]
    [InlineData("pay", null, null, "order-not-found")]
    [InlineData("pay", "placed", "paid", "OrderPaid")]
    [InlineData("pay", "paid", null, "order-state")]
    [InlineData("pay", "shipped", null, "order-state")]
    [InlineData("pay", "cancelled", null, "order-state")]
    [InlineData("ship", null, null, "order-not-found")]
    [InlineData("ship", "placed", null, "order-state")]
    [InlineData("ship", "paid", "shipped", "OrderShipped")]
    [InlineData("ship", "shipped", null, "order-state")]
    [InlineData("ship", "cancelled", null, "order-state")]
    [InlineData("cancel", null, null, "order-not-found")]
    [InlineData("cancel", "placed", "cancelled", "OrderCancelled")]
    [InlineData("cancel", "paid", "cancelled", "OrderCancelled")]
    [InlineData("cancel", "shipped", null, "order-state")]
    [InlineData("cancel", "cancelled", null, "order-state")]
    public void Depend_on_the_command_and_the_state(string command, string? state, string? newState, string eventOrRefusal)
    {
        var decision = Decide(command, state is null ? null : Order(state));

        switch (decision)
        {
            case Decision<Order>.Accepted accepted:
                Assert.Equal((newState, eventOrRefusal), (OrdersJson.Name(accepted.State.State), EventName.Of(Assert.Single(accepted.Events).GetType())));
                Assert.Equal(Order(newState!), accepted.State with { Lines = Lines });
                break;
            case Decision<Order>.Refused refused:
                Assert.Equal((newState, eventOrRefusal), (null, refused.Refusal.Code));
                Assert.Equal(
                    eventOrRefusal == "order-not-found" ? RefusalKind.NotFound : RefusalKind.Conflict, refused.Refusal.Kind);
                break;
            default:
                Assert.Fail("neither accepted nor refused");
                break;
        }
    }

    [Theory]
    [InlineData("pay", "shipped", "Order 'o-1' is shipped; only an order that is placed can be paid.")]
    [InlineData("ship", "placed", "Order 'o-1' is placed; only an order that is paid can be shipped.")]
    [InlineData("cancel", "shipped", "Order 'o-1' is shipped; only an order that is placed or paid can be cancelled.")]
    [InlineData("pay", null, "There is no order 'o-1'.")]
    [InlineData("place", "paid", "There is already an order 'o-1'.")]
    public void That_are_refusals_say_why(string command, string? state, string detail) =>
        Assert.Equal(
            detail,
            Assert.IsType<Decision<Order>.Refused>(Decide(command, state is null ? null : Order(state))).Refusal.Detail);

    [Theory]
    [InlineData("place", null,
        """{"orderId":"o-1","customerId":"c1","lines":[{"sku":"a","quantity":2,"unitPrice":9.5},{"sku":"b","quantity":1,"unitPrice":0.25}],"total":19.25}""")]
    [InlineData("pay", "placed", """{"orderId":"o-1","customerId":"c1","total":19.25}""")]
    [InlineData("ship", "paid",
        """{"orderId":"o-1","customerId":"c1","lines":[{"sku":"a","quantity":2,"unitPrice":9.5},{"sku":"b","quantity":1,"unitPrice":0.25}]}""")]
    [InlineData("cancel", "placed", """{"orderId":"o-1","customerId":"c1","reason":"changed my mind","total":19.25,"refundDue":0}""")]
    [InlineData("cancel", "paid", """{"orderId":"o-1","customerId":"c1","reason":"changed my mind","total":19.25,"refundDue":19.25}""")]
    public void Record_events_in_the_form_that_consumers_know(string command, string? state, string expected)
    {
        var accepted = Assert.IsType<Decision<Order>.Accepted>(Decide(command, state is null ? null : Order(state)));

        var @event = Assert.Single(accepted.Events);
        Assert.Equal(expected, JsonSerializer.Serialize(@event, OrdersJson.Default.Options));
    }

    [Fact]
    public void Add_up_the_total_exactly()
    {
        OrderLine[] lines = [new("a", 3, 0.1m), new("b", 1_000_000, 1_000_000_000m), new("c", 1, 0.0001m), new("d", 5, 0)];

        var placed = Assert.IsType<Decision<Order>.Accepted>(OrderDecisions.Place(null, "o-1", "c1", lines));

        Assert.Equal(1_000_000_000_000_000.3001m, placed.State.Total);
    }

    [Fact]
    public void Cannot_overflow_the_total_with_what_the_API_lets_in()
    {
        var lines = Enumerable.Repeat(new OrderLine("a", 1_000_000, 1_000_000_000m), 100).ToList();

        var placed = Assert.IsType<Decision<Order>.Accepted>(OrderDecisions.Place(null, "o-1", "c1", lines));

        Assert.Equal(100_000_000_000_000_000m, placed.State.Total);
    }

    [Theory]
    [InlineData("placed")]
    [InlineData("paid")]
    [InlineData("shipped")]
    [InlineData("cancelled")]
    public void Are_stored_as_state_in_the_form_that_is_in_the_table_already(string state)
    {
        var json = $$$"""{"orderId":"o-1","customerId":"c1","state":"{{{state}}}","lines":[{"sku":"a","quantity":2,"unitPrice":9.5},{"sku":"b","quantity":1,"unitPrice":0.25}],"total":19.25}""";

        Assert.Equal(json, System.Text.Json.JsonSerializer.Serialize(Order(state), OrdersJson.Default.Order));
        var read = System.Text.Json.JsonSerializer.Deserialize(json, OrdersJson.Default.Order)!;
        Assert.Equal(Lines, read.Lines);
        Assert.Equal(Order(state), read with { Lines = Lines });
    }

    private static Order Order(string state) => new("o-1", "c1", Enum.Parse<OrderState>(state, ignoreCase: true), Lines, 19.25m);

    private static Decision<Order> Decide(string command, Order? order) => command switch
    {
        "place" => OrderDecisions.Place(order, "o-1", "c1", Lines),
        "pay" => OrderDecisions.Pay(order, "o-1"),
        "ship" => OrderDecisions.Ship(order, "o-1"),
        _ => OrderDecisions.Cancel(order, "o-1", "changed my mind"),
    };
}
