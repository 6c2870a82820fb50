using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;
using Outpost.Orders;

namespace Outpost.Functions;

/// <summary>The example domain over HTTP. Each command records an order's change and its event together.</summary>
public sealed class OrderFunctions(EntityApi api)
{
    private const int TextCharactersMax = 100;
    private const int ReasonCharactersMax = 500;
    private const int LinesMax = 100;
    private const int QuantityMax = 1_000_000;
    private const decimal UnitPriceMax = 1_000_000_000m;
    private const int UnitPriceDecimals = 4;
    private const string NotFound = "order-not-found";
    private const string NotFoundMeaning = "There is no such order.";
    private const string WrongState = "order-state";
    private const string WrongStateMeaning = "The order's state forbids it.";

    private static readonly EntityResource<Order> Orders = new EntityResource<Order>(OrderDecisions.Entity) { IdPrefix = "o-" }
        .WithView(OrderViewJson.Default.OrderView, OrderView.Of);

    /// <summary>Places an order.</summary>
    [Function("PlaceOrder"), EntityCommand<OrderView>("Place an order", Body = typeof(Placing), Creates = true)]
    [Refuses(409, "order-exists", "There is already an order with this id.")]
    public Task<IResult> PlaceAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders")] HttpRequest request, CancellationToken cancellationToken) =>
        api.CreateAsync(request, Orders, Placing.Read, body => body.OrderId,
            (order, id, body) => OrderDecisions.Place(order, id, body.CustomerId, body.Lines), cancellationToken);

    /// <summary>An order as it is now.</summary>
    [Function("GetOrder"), EntityRead<OrderView>("An order as it is now"), Refuses(404, NotFound, NotFoundMeaning)]
    public Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "orders/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        api.ReadAsync(request, Orders, id, cancellationToken);

    /// <summary>Pays an order.</summary>
    [Function("PayOrder"), EntityCommand<OrderView>("Pay an order that is placed"), Refuses(404, NotFound, NotFoundMeaning), Refuses(409, WrongState, WrongStateMeaning)]
    public Task<IResult> PayAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{id}/pay")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        api.RunAsync(request, Orders, id, order => OrderDecisions.Pay(order, id), cancellationToken);

    /// <summary>Ships an order.</summary>
    [Function("ShipOrder"), EntityCommand<OrderView>("Ship an order that is paid"), Refuses(404, NotFound, NotFoundMeaning), Refuses(409, WrongState, WrongStateMeaning)]
    public Task<IResult> ShipAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{id}/ship")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        api.RunAsync(request, Orders, id, order => OrderDecisions.Ship(order, id), cancellationToken);

    /// <summary>Cancels an order.</summary>
    [Function("CancelOrder"), EntityCommand<OrderView>("Cancel an order that is placed or paid", Body = typeof(Cancelling)), Refuses(404, NotFound, NotFoundMeaning), Refuses(409, WrongState, WrongStateMeaning)]
    public Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{id}/cancel")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        api.RunAsync(request, Orders, id, Cancelling.Read, (order, body) => OrderDecisions.Cancel(order, id, body.Reason), cancellationToken);

    private sealed record Placing(string? OrderId, string CustomerId, IReadOnlyList<OrderLine> Lines) : ICommandBody<Placing>
    {
        public static Placing Read(JsonFields body) => new(
            EntityId.Optional(body, "orderId"),
            body.Text("customerId", 1, TextCharactersMax),
            body.Objects("lines", 1, LinesMax, line => new OrderLine(
                line.Text("sku", 1, TextCharactersMax),
                line.Integer("quantity", 1, QuantityMax),
                line.Decimal("unitPrice", 0, UnitPriceMax, UnitPriceDecimals))));
    }

    private sealed record Cancelling(string Reason) : ICommandBody<Cancelling>
    {
        public static Cancelling Read(JsonFields body) => new(body.Text("reason", 1, ReasonCharactersMax));
    }
}

/// <summary>An order as the API shows it.</summary>
internal sealed record OrderView(string OrderId, string CustomerId, string State, IReadOnlyList<OrderLine> Lines, decimal Total, long Version)
{
    public static OrderView Of(Versioned<Order> order) => new(
        order.State.OrderId, order.State.CustomerId, OrdersJson.Name(order.State.State), order.State.Lines, order.State.Total, order.Version);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OrderView))]
internal sealed partial class OrderViewJson : JsonSerializerContext;
