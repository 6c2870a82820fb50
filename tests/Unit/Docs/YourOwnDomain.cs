using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Outpost.AspNetCore;
using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Docs;

// The code of docs/your-own-domain.md: each part between two marks is a block of that page, character for character.

// <state>
public sealed record StockItem(string Sku, int OnHand);

[EventName("StockReceived")]
public sealed record StockReceived(string Sku, int Quantity, int OnHand);

[EventName("StockTaken")]
public sealed record StockTaken(string Sku, int Quantity, int OnHand);
// </state>

// <decide>
public static class StockDecisions
{
    public static readonly EntityType<StockItem> Entity = new("stock");

    public static Decision<StockItem> Receive(StockItem? current, string sku, int quantity)
    {
        var next = new StockItem(sku, (current?.OnHand ?? 0) + quantity);
        return Decision.Accept(next, new StockReceived(sku, quantity, next.OnHand));
    }

    public static Decision<StockItem> Take(StockItem? current, string sku, int quantity)
    {
        if (current is null) return Refusal.NotFound("stock-not-found", $"Nothing is known of '{sku}'.");
        if (current.OnHand < quantity) return Refusal.Conflict("stock-too-low", $"There are {current.OnHand} of '{sku}'.");
        var next = current with { OnHand = current.OnHand - quantity };
        return Decision.Accept(next, new StockTaken(sku, quantity, next.OnHand));
    }
}
// </decide>

// <function>
public sealed class StockFunctions(EntityApi api)
{
    private static readonly EntityResource<StockItem> Stock = new(StockDecisions.Entity);

    [Function("ReceiveStock")]
    public Task<IResult> Receive(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "stock/{sku}/receive")] HttpRequest request, string sku, CancellationToken stop) =>
        api.RunAsync(request, Stock, sku, body => body.Integer("quantity", 1, 1_000_000), (item, quantity) => StockDecisions.Receive(item, sku, quantity), stop);

    [Function("TakeStock"), EntityCommand<StockItem>("Take goods out", Body = typeof(Taking))]
    [Refuses(404, "stock-not-found", "Nothing is known of these goods."), Refuses(409, "stock-too-low", "There are fewer.")]
    public Task<IResult> Take(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "stock/{sku}/take")] HttpRequest request, string sku, CancellationToken stop) =>
        api.RunAsync(request, Stock, sku, Taking.Read, (item, body) => StockDecisions.Take(item, sku, body.Quantity), stop);

    private sealed record Taking(int Quantity) : ICommandBody<Taking>
    {
        public static Taking Read(JsonFields body) => new(body.Integer("quantity", 1, 1_000_000));
    }

    [Function("GetStock")]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "stock/{sku}")] HttpRequest request, string sku, CancellationToken stop) =>
        api.ReadAsync(request, Stock, sku, stop);
}
// </function>

// <handler>
public sealed class ReorderHandler(ISupplier supplier) : IEventHandler<StockTaken>
{
    public Task HandleAsync(StockTaken payload, EventEntry entry, CancellationToken cancellationToken) =>
        payload.OnHand < 10 ? supplier.OrderAsync(payload.Sku, 100, key: entry.Id.ToString(), cancellationToken) : Task.CompletedTask;
}
// </handler>

// <supplier>
public interface ISupplier
{
    Task OrderAsync(string sku, int quantity, string key, CancellationToken cancellationToken);
}

public sealed class PrintingSupplier : ISupplier
{
    public Task OrderAsync(string sku, int quantity, string key, CancellationToken cancellationToken)
    {
        Console.WriteLine($"Ordered {quantity} of {sku} for {key}.");
        return Task.CompletedTask;
    }
}
// </supplier>

public static class StockApp
{
    public static async Task<int> RunAsync(string[] args)
    {
        // <program>
        var builder = FunctionsApplication.CreateBuilder(args);
        builder.ConfigureFunctionsWebApplication();
        builder.AddOutpostTelemetry().AddOutpost().AddServiceBus().AddHandler<StockTaken, ReorderHandler>("reorders", within: TimeSpan.FromMinutes(5));
        builder.Services.AddSingleton<ISupplier, PrintingSupplier>();
        return await builder.Build().RunOutpostAsync();
        // </program>
    }

    // <web>
    public static async Task<int> RunOnTheWebAsync(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddOutpost().AddServiceBus().AddHandler<StockTaken, ReorderHandler>("reorders", within: TimeSpan.FromMinutes(5));
        var app = builder.Build();
        MapStock(app);
        app.MapOutpost();
        return await app.RunOutpostAsync();
    }

    public static void MapStock(IEndpointRouteBuilder app)
    {
        var stock = new EntityResource<StockItem>(StockDecisions.Entity);
        app.MapPost("/api/stock/{sku}/take", (HttpRequest request, string sku, EntityApi api, CancellationToken stop) =>
            api.RunAsync(request, stock, sku, body => body.Integer("quantity", 1, 1_000_000), (item, quantity) => StockDecisions.Take(item, sku, quantity), stop));
    }
    // </web>
}

// <names>
[EventName("StockCounted", Version = 2, Aliases = ["InventoryCounted.v2"])]
public sealed record StockCounted(string Sku, int OnHand, string By);

[EventName("StockCounted")]
public sealed record StockCountedV1(string Sku, int OnHand);

public static class StockEvents
{
    public static OutpostBuilder AddStockEvents(this OutpostBuilder outpost) => outpost
        .AddEvents(typeof(StockReceived), typeof(StockTaken), typeof(StockCounted), typeof(StockCountedV1))
        .AddUpcast<StockCountedV1, StockCounted>(old => new StockCounted(old.Sku, old.OnHand, By: "unknown"));
}
// </names>

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
    public static string Describe(CommandResult<StockItem> result) => result.Match(
        done: done => $"{done.State.OnHand} left, version {done.Version}",
        refused: refusal => $"{refusal.Code}: {refusal.Detail}",
        stale: stale => $"somebody was faster: it is version {stale.CurrentVersion} now",
        keyReused: _ => "this key was used for another request",
        tooLarge: large => large.Detail,
        busy: _ => "nothing was written: try again later",
        unknown: _ => "send it again with the same key: that tells");
    // </result>

    // <payloads>
    public static Decision<StockItem> Label(StockItem? current, string sku, byte[] picture) => Decision.Accept(
        current ?? new StockItem(sku, 0),
        new NewEvent("LabelPrinted", "image/png", picture),
        new NewEvent("ShelfNote", "text/plain; charset=utf-8", Encoding.UTF8.GetBytes($"{sku} has a new label ✓")));
    // </payloads>

    // <endpoint>
    public static async Task<IResult> LabelAsync(HttpRequest request, string sku, EventLog log, CancellationToken stop)
    {
        var (headers, problem) = CommandHeaders.Read(request);
        if (headers is null) return problem!;
        using var picture = new MemoryStream();
        await request.Body.CopyToAsync(picture, stop);
        var command = new Command<StockItem>
        {
            Entity = StockDecisions.Entity,
            EntityId = sku,
            Decide = current => Label(current, sku, picture.ToArray()),
            IfMatch = headers.IfMatch,
            Idempotency = headers.Idempotency($"PUT /stock/{sku}/label", picture.ToArray()),
        };
        return (await log.ExecuteAsync(command, stop)).ToHttp(request.HttpContext.Response, done => Results.Ok(done.State));
    }
    // </endpoint>
}
