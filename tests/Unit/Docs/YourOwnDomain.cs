using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.Tests.Unit.Docs;

// The code of docs/your-own-domain.md: each part between two marks is a block of that page, character for character.

// <state>
public sealed record StockItem(string Sku, int OnHand);

public sealed record StockReceived(string Sku, int Quantity, int OnHand);

public sealed record StockTaken(string Sku, int Quantity, int OnHand);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StockItem))]
[JsonSerializable(typeof(StockReceived))]
[JsonSerializable(typeof(StockTaken))]
public sealed partial class StockJson : JsonSerializerContext;
// </state>

// <decide>
public static class StockDecisions
{
    public static readonly EntityType<StockItem> Entity = new("stock", StockJson.Default.StockItem);

    public static Decision<StockItem> Receive(StockItem? current, string sku, int quantity)
    {
        var next = new StockItem(sku, (current?.OnHand ?? 0) + quantity);
        var received = new StockReceived(sku, quantity, next.OnHand);
        return new Decision<StockItem>.Accepted(next, [NewEvent.Json(received, StockJson.Default.StockReceived)]);
    }

    public static Decision<StockItem> Take(StockItem? current, string sku, int quantity)
    {
        if (current is null)
            return Refuse(RefusalKind.NotFound, "stock-not-found", $"Nothing is known of '{sku}'.");
        if (current.OnHand < quantity)
            return Refuse(RefusalKind.Conflict, "stock-too-low", $"There are {current.OnHand} of '{sku}'.");
        var next = current with { OnHand = current.OnHand - quantity };
        var taken = new StockTaken(sku, quantity, next.OnHand);
        return new Decision<StockItem>.Accepted(next, [NewEvent.Json(taken, StockJson.Default.StockTaken)]);
    }

    private static Decision<StockItem>.Refused Refuse(RefusalKind kind, string code, string detail) =>
        new(new Refusal(kind, code, detail));
}
// </decide>

public static class StockCommands
{
    // <run>
    public static Task<CommandResult<StockItem>> TakeAsync(
        EventLog log, string sku, int quantity, string key, CancellationToken cancellationToken) =>
        log.ExecuteAsync(
            new Command<StockItem>
            {
                Entity = StockDecisions.Entity,
                EntityId = sku,
                Decide = current => StockDecisions.Take(current, sku, quantity),
                Idempotency = new Idempotency(Scope: $"take {sku}", key, Fingerprint: $"{quantity}"),
            },
            cancellationToken);
    // </run>

    // <result>
    public static string Describe(CommandResult<StockItem> result) => result switch
    {
        CommandResult<StockItem>.Done done => $"{done.State.OnHand} left, version {done.Version}",
        CommandResult<StockItem>.Refused { Refusal: var refusal } => $"{refusal.Code}: {refusal.Detail}",
        CommandResult<StockItem>.Stale stale => $"somebody was faster: it is version {stale.CurrentVersion} now",
        CommandResult<StockItem>.KeyReused => "this key was used for another request",
        CommandResult<StockItem>.TooLarge large => large.Detail,
        CommandResult<StockItem>.Busy => "nothing was written: try again later",
        CommandResult<StockItem>.Unknown => "send it again with the same key: that tells",
        _ => throw new InvalidOperationException($"Unknown result {result}."),
    };
    // </result>

    // <payloads>
    public static Decision<StockItem> Label(StockItem? current, string sku, byte[] picture) =>
        new Decision<StockItem>.Accepted(current ?? new StockItem(sku, 0),
        [
            new NewEvent("LabelPrinted", "image/png", picture),
            new NewEvent("ShelfNote", "text/plain; charset=utf-8", Encoding.UTF8.GetBytes($"{sku} has a new label ✓")),
        ]);
    // </payloads>
}

// <function>
public sealed class StockFunctions(EventLog log, FaultBoundary boundary)
{
    [Function("TakeStock")]
    public Task<IResult> TakeAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "stock/{sku}/take")] HttpRequest request,
        string sku,
        CancellationToken cancellationToken) =>
        boundary.RunAsync(request, () => RunAsync(request, sku, cancellationToken), cancellationToken);

    private async Task<IResult> RunAsync(HttpRequest request, string sku, CancellationToken cancellationToken)
    {
        var (headers, badHeader) = CommandHeaders.Read(request);
        if (headers is null) return badHeader!;
        var (body, badBody) = await JsonBody.ReadAsync(request, bytesMax: 1024, optional: false, cancellationToken);
        if (body is null) return badBody!;
        var fields = new JsonFields(body.Root);
        var quantity = fields.Integer("quantity", 1, 1_000_000);
        if (fields.Problem() is { } badField) return badField;

        var result = await log.ExecuteAsync(
            new Command<StockItem>
            {
                Entity = StockDecisions.Entity,
                EntityId = sku,
                Decide = current => StockDecisions.Take(current, sku, quantity),
                IfMatch = headers.IfMatch,
                Idempotency = headers.Idempotency($"POST /stock/{sku}/take", body.Bytes),
                TraceParent = headers.TraceParent,
                CorrelationId = headers.CorrelationId,
            },
            cancellationToken);
        return CommandAnswer.From(result, request.HttpContext.Response, done =>
        {
            request.HttpContext.Response.Headers.ETag = $"\"{done.Version}\"";
            return Results.Json(done.State, StockJson.Default.StockItem);
        });
    }
}
// </function>
