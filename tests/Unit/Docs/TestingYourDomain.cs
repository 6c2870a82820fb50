using Microsoft.Extensions.DependencyInjection;
using Outpost.Testing;
using RecordingTarget = Outpost.Testing.RecordingTarget;

namespace Outpost.Tests.Unit.Docs;

// The code of docs/testing-your-domain.md: each part between two marks is a block of that page, character for character.

// <decisions>
public sealed class Taking_stock
{
    [Fact]
    public void Leaves_the_rest() => StockDecisions.Entity
        .Given(new StockItem("a-17", 5))
        .When(stock => StockDecisions.Take(stock, "a-17", 2))
        .ThenEvents(new StockTaken("a-17", 2, 3))
        .ThenState(new StockItem("a-17", 3));

    [Fact]
    public void Is_refused_where_there_is_too_little() => StockDecisions.Entity
        .Given()
        .After(stock => StockDecisions.Receive(stock, "a-17", 2))
        .When(stock => StockDecisions.Take(stock, "a-17", 3))
        .ThenRefused("stock-too-low");
}
// </decisions>

// <app>
public sealed class Reordering
{
    [Fact]
    public async Task Follows_when_little_is_left()
    {
        var supplier = new RecordingSupplier();
        var bus = new RecordingTarget();
        await using var test = new OutpostTest(outpost =>
        {
            outpost.Services.AddSingleton<ISupplier>(supplier);
            outpost.AddHandler<StockTaken, ReorderHandler>("reorders", within: TimeSpan.FromMinutes(5));
            outpost.AddTarget("bus", _ => bus);
        });

        await test.Log.ExecuteAsync(Run(stock => StockDecisions.Receive(stock, "a-17", 12)), CancellationToken.None);
        await test.Log.ExecuteAsync(Run(stock => StockDecisions.Take(stock, "a-17", 4)), CancellationToken.None);
        await test.ForwardAsync();

        Assert.Equal(["100 of a-17"], supplier.Orders);
        Assert.Equal(["StockReceived", "StockTaken"], bus.Received.Select(entry => entry.Type));
        Assert.Equal(8, (await test.Log.ReadAsync(StockDecisions.Entity, "a-17", CancellationToken.None))!.State.OnHand);
    }

    [Fact]
    public async Task Waits_for_a_supplier_that_is_away()
    {
        var supplier = new RecordingSupplier { IsAway = true };
        await using var test = new OutpostTest(outpost =>
        {
            outpost.Services.AddSingleton<ISupplier>(supplier);
            outpost.AddHandler<StockTaken, ReorderHandler>("reorders", within: TimeSpan.FromMinutes(5));
        });
        await test.Log.ExecuteAsync(Run(stock => StockDecisions.Receive(stock, "a-17", 2)), CancellationToken.None);
        await test.Log.ExecuteAsync(Run(stock => StockDecisions.Take(stock, "a-17", 1)), CancellationToken.None);

        var failure = await Assert.ThrowsAsync<OutpostTestException>(() => test.ForwardAsync());
        Assert.Equal("reorders fails at entry 1 of partition 0: HttpRequestException: The supplier is away.", failure.Message);

        supplier.IsAway = false;
        test.Time.Advance(TimeSpan.FromHours(1));
        await test.ForwardAsync();
        Assert.Equal(["100 of a-17"], supplier.Orders);
    }

    private static Command<StockItem> Run(Func<StockItem?, Decision<StockItem>> decide) =>
        new() { Entity = StockDecisions.Entity, EntityId = "a-17", Decide = decide };
}
// </app>

// <supplier>
public sealed class RecordingSupplier : ISupplier
{
    public bool IsAway { get; set; }

    public List<string> Orders { get; } = [];

    public Task OrderAsync(string sku, int quantity, string key, CancellationToken cancellationToken)
    {
        if (IsAway) throw new HttpRequestException("The supplier is away.");
        Orders.Add($"{quantity} of {sku}");
        return Task.CompletedTask;
    }
}
// </supplier>
