using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Outpost.AspNetCore;
using Outpost.Orders;

namespace Outpost.Functions;

/// <summary>The orders API: from request to command, from result to answer.</summary>
public sealed class OrderApi(EventLog log, IEventStore store, Sources sources, Links links)
{
    private const int BodyBytesMax = 64 * 1024;
    private const int IdCharactersMax = 100;
    private const int TextCharactersMax = 100;
    private const int ReasonCharactersMax = 500;
    private const int LinesMax = 100;
    private const int QuantityMax = 1_000_000;
    private const decimal UnitPriceMax = 1_000_000_000m;
    private const int UnitPriceDecimals = 4;
    private const int DerivedIdCharacters = 20;

    /// <summary><c>POST /api/orders</c></summary>
    public async Task<IResult> PlaceAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var (headers, body, problem) = await ReadAsync(request, optionalBody: false, cancellationToken);
        if (headers is null || body is null) return problem!;

        var fields = new JsonFields(body.Root);
        var orderId = fields.OptionalText(
            "orderId", 1, IdCharactersMax, allowed: IsId, allowedText: $"1 to {IdCharactersMax} characters of A-Za-z0-9._~- other than . and ..");
        var customerId = fields.Text("customerId", 1, TextCharactersMax);
        var lines = fields.Objects("lines", 1, LinesMax, line => new OrderLine(
            line.Text("sku", 1, TextCharactersMax),
            line.Integer("quantity", 1, QuantityMax),
            line.Decimal("unitPrice", 0, UnitPriceMax, UnitPriceDecimals)));
        if (fields.Problem() is { } badFields) return badFields;

        // A named order is part of the scope, an unnamed one gets an id made of scope and key: either way the key leads to
        // one order only.
        var scope = orderId is null ? "POST /orders" : $"POST /orders {OrderDecisions.Entity.Subject(orderId)}";
        var idempotency = headers.Idempotency(scope, body.Bytes);
        orderId ??= idempotency is null ? $"o-{sources.NewId():N}" : DerivedId(idempotency);
        var result = await log.ExecuteAsync(
            NewCommand(orderId, headers, idempotency, order => OrderDecisions.Place(order, orderId, customerId, lines)) with { LikelyNew = true },
            cancellationToken);
        return CommandAnswer.From(result, request.HttpContext.Response, done =>
        {
            request.HttpContext.Response.Headers.Location = links.Below(request, orderId);
            return Answer(done.State, done.Version, StatusCodes.Status201Created);
        });
    }

    /// <summary><c>GET /api/orders/{id}</c></summary>
    public async Task<IResult> GetAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query) is { } unknown) return unknown;
        if (!IsId(id)) return NotFound(id);
        var layout = await store.LayoutAsync(cancellationToken);
        var partition = layout.PartitionOf(OrderDecisions.Entity.Subject(id));
        var stored = await store.ReadEntityAsync(partition, OrderDecisions.Entity.Name, id, cancellationToken);
        return stored is null
            ? NotFound(id)
            : Answer(OrderDecisions.Entity.Read(stored), stored.Version, StatusCodes.Status200OK);
    }

    /// <summary><c>POST /api/orders/{id}/pay</c></summary>
    public Task<IResult> PayAsync(HttpRequest request, string id, CancellationToken cancellationToken) =>
        ChangeAsync(request, id, "pay", order => OrderDecisions.Pay(order, id), cancellationToken);

    /// <summary><c>POST /api/orders/{id}/ship</c></summary>
    public Task<IResult> ShipAsync(HttpRequest request, string id, CancellationToken cancellationToken) =>
        ChangeAsync(request, id, "ship", order => OrderDecisions.Ship(order, id), cancellationToken);

    /// <summary><c>POST /api/orders/{id}/cancel</c></summary>
    public async Task<IResult> CancelAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var (headers, body, problem) = await ReadAsync(request, optionalBody: false, cancellationToken);
        if (headers is null || body is null) return problem!;
        var fields = new JsonFields(body.Root);
        var reason = fields.Text("reason", 1, ReasonCharactersMax);
        return fields.Problem() ??
               await ChangeAsync(request, id, "cancel", headers, body, order => OrderDecisions.Cancel(order, id, reason), cancellationToken);
    }

    private async Task<IResult> ChangeAsync(
        HttpRequest request, string id, string verb, Func<Order?, Decision<Order>> decide, CancellationToken cancellationToken)
    {
        var (headers, body, problem) = await ReadAsync(request, optionalBody: true, cancellationToken);
        if (headers is null || body is null) return problem!;
        return new JsonFields(body.Root).Problem() ??
               await ChangeAsync(request, id, verb, headers, body, decide, cancellationToken);
    }

    private async Task<IResult> ChangeAsync(
        HttpRequest request,
        string id,
        string verb,
        CommandHeaders headers,
        JsonBody body,
        Func<Order?, Decision<Order>> decide,
        CancellationToken cancellationToken)
    {
        if (!IsId(id)) return NotFound(id);
        var idempotency = headers.Idempotency($"POST /orders/{id}/{verb}", body.Bytes);
        var result = await log.ExecuteAsync(NewCommand(id, headers, idempotency, decide), cancellationToken);
        return CommandAnswer.From(
            result, request.HttpContext.Response, done => Answer(done.State, done.Version, StatusCodes.Status200OK));
    }

    private static async Task<(CommandHeaders? Headers, JsonBody? Body, Problem? Problem)> ReadAsync(
        HttpRequest request, bool optionalBody, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query) is { } unknown) return (null, null, unknown);
        var (headers, badHeader) = CommandHeaders.Read(request);
        if (headers is null) return (null, null, badHeader);
        var (body, badBody) = await JsonBody.ReadAsync(request, BodyBytesMax, optionalBody, cancellationToken);
        return (headers, body, badBody);
    }

    private static Command<Order> NewCommand(
        string id, CommandHeaders headers, Idempotency? idempotency, Func<Order?, Decision<Order>> decide) => new()
        {
            Entity = OrderDecisions.Entity,
            EntityId = id,
            Decide = decide,
            IfMatch = headers.IfMatch,
            Idempotency = idempotency,
            TraceParent = headers.TraceParent,
            CorrelationId = headers.CorrelationId,
        };

    // The same for every repeat of the request, in every version of the app: it leads to the partition of the receipt.
    private static string DerivedId(Idempotency idempotency) =>
        "o-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{idempotency.Scope}\n{idempotency.Key}")))[..DerivedIdCharacters];

    private static JsonAnswer<OrderView> Answer(Order order, long version, int status) => new(
        new OrderView(order.OrderId, order.CustomerId, OrdersJson.Name(order.State), order.Lines, order.Total, version),
        OrderViewJson.Default.OrderView,
        status,
        tag: string.Create(CultureInfo.InvariantCulture, $"\"{version}\""));

    private static Problem NotFound(string id) => Problem.NotFound("order-not-found", $"There is no order '{id}'.");

    // Clients and proxies take . and .. out of a path, percent-encoded or not: nobody could ask for such an order.
    private static bool IsId(string id) => id.Length is >= 1 and <= IdCharactersMax && id.All(IsIdCharacter) && id is not ("." or "..");

    private static bool IsIdCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '~' or '-';
}

/// <summary>An order as the API shows it.</summary>
internal sealed record OrderView(
    string OrderId, string CustomerId, string State, IReadOnlyList<OrderLine> Lines, decimal Total, long Version);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OrderView))]
internal sealed partial class OrderViewJson : JsonSerializerContext;
