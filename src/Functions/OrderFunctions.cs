using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;
using Outpost.Orders;

namespace Outpost.Functions;

/// <summary>The example domain over HTTP: each command records an order's change and its event together.</summary>
public sealed class OrderFunctions(EntityApi api)
{
    private const int TextCharactersMax = 100;
    private const int ReasonCharactersMax = 500;
    private const int LinesMax = 100;
    private const int QuantityMax = 1_000_000;
    private const decimal UnitPriceMax = 1_000_000_000m;
    private const int UnitPriceDecimals = 4;

    private static readonly EntityResource<Order> Orders = new EntityResource<Order>(OrderDecisions.Entity) { IdPrefix = "o-" }
        .WithView(OrderViewJson.Default.OrderView, OrderView.Of);

    /// <summary>Places an order.</summary>
    [Function("PlaceOrder")]
    public Task<IResult> PlaceAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders")] HttpRequest request, CancellationToken cancellationToken) =>
        api.CreateAsync(request, Orders, Placing.Read, body => body.OrderId,
            (order, id, body) => OrderDecisions.Place(order, id, body.CustomerId, body.Lines), cancellationToken);

    /// <summary>An order as it is now.</summary>
    [Function("GetOrder")]
    public Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "orders/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        api.ReadAsync(request, Orders, id, cancellationToken);

    /// <summary>Pays an order.</summary>
    [Function("PayOrder")]
    public Task<IResult> PayAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{id}/pay")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        api.RunAsync(request, Orders, id, order => OrderDecisions.Pay(order, id), cancellationToken);

    /// <summary>Ships an order.</summary>
    [Function("ShipOrder")]
    public Task<IResult> ShipAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{id}/ship")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        api.RunAsync(request, Orders, id, order => OrderDecisions.Ship(order, id), cancellationToken);

    /// <summary>Cancels an order.</summary>
    [Function("CancelOrder")]
    public Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{id}/cancel")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        api.RunAsync(request, Orders, id, body => body.Text("reason", 1, ReasonCharactersMax), (order, reason) => OrderDecisions.Cancel(order, id, reason), cancellationToken);

    /// <summary>What the OpenAPI document says about these functions.</summary>
    internal static Stream OpenApi => typeof(OrderFunctions).Assembly.GetManifestResourceStream("openapi.json")!;

    private sealed record Placing(string? OrderId, string CustomerId, IReadOnlyList<OrderLine> Lines)
    {
        public static Placing Read(JsonFields body) => new(
            EntityId.Optional(body, "orderId"),
            body.Text("customerId", 1, TextCharactersMax),
            body.Objects("lines", 1, LinesMax, line => new OrderLine(
                line.Text("sku", 1, TextCharactersMax),
                line.Integer("quantity", 1, QuantityMax),
                line.Decimal("unitPrice", 0, UnitPriceMax, UnitPriceDecimals))));
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
