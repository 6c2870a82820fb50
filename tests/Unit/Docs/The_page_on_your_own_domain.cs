using System.Text;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;
using Stock = Outpost.CommandResult<Outpost.Tests.Unit.Docs.StockItem>;

namespace Outpost.Tests.Unit.Docs;

public sealed class The_page_on_your_own_domain
{
    [Fact]
    public void Shows_the_code_that_is_compiled_and_run_here() => DocPage.AssertShows("your-own-domain.md", "Unit/Docs/YourOwnDomain.cs");

    [Fact]
    public async Task Says_how_a_command_is_run_and_what_comes_back()
    {
        await using var log = new SimulatedLog(partitions: 4);
        await log.Log.ExecuteAsync(Receive("a-17", 5), CancellationToken.None);

        async Task<string> TakeAsync(int quantity, string key, string sku = "a-17") =>
            StockCommands.Describe(await StockCommands.TakeAsync(log.Log, sku, quantity, key, CancellationToken.None));

        Assert.Equal("3 left, version 2", await TakeAsync(2, "k1"));
        Assert.Equal("3 left, version 2", await TakeAsync(2, "k1"));
        Assert.Equal("this key was used for another request", await TakeAsync(1, "k1"));
        Assert.Equal("stock-too-low: There are 3 of 'a-17'.", await TakeAsync(4, "k2"));
        Assert.Equal("stock-not-found: Nothing is known of 'b'.", await TakeAsync(1, "k3", "b"));
        Assert.Equal(
            ["""{"sku":"a-17","quantity":5,"onHand":5}""", """{"sku":"a-17","quantity":2,"onHand":3}"""],
            (await EntriesAsync(log)).Select(entry => Encoding.UTF8.GetString(entry.Payload.Span)));
    }

    [Fact]
    public async Task Says_what_a_version_condition_does()
    {
        await using var log = new SimulatedLog();
        await log.Log.ExecuteAsync(Receive("a-17", 5), CancellationToken.None);
        var command = Receive("a-17", 1) with { IfMatch = new VersionCondition([1]) };

        var first = await log.Log.ExecuteAsync(command, CancellationToken.None);
        var second = await log.Log.ExecuteAsync(command, CancellationToken.None);

        Assert.Equal("6 left, version 2", StockCommands.Describe(first));
        Assert.Equal("somebody was faster: it is version 2 now", StockCommands.Describe(second));
    }

    [Fact]
    public async Task Says_how_text_and_bytes_are_recorded()
    {
        await using var log = new SimulatedLog();
        byte[] picture = [0x89, 0x50, 0x4E, 0x47, 0x00];

        var small = await log.Log.ExecuteAsync(Label("a-17", picture), CancellationToken.None);
        var large = await log.Log.ExecuteAsync(Label("a-18", new byte[Limits.PayloadBytesMax + 1]), CancellationToken.None);

        Assert.Equal(new Stock.Done(new StockItem("a-17", 0), 1, Replayed: false), small);
        Assert.IsType<Stock.TooLarge>(large);
        var entries = await log.EntriesAsync();
        Assert.Equal([("LabelPrinted", "image/png", 1), ("ShelfNote", "text/plain; charset=utf-8", 1)], entries.Select(e => (e.Type, e.ContentType, e.Version)));
        Assert.Equal(picture, entries[0].Payload.ToArray());
        Assert.Equal("a-17 has a new label ✓", Encoding.UTF8.GetString(entries[1].Payload.Span));
    }

    [Fact]
    public async Task Says_how_a_function_answers()
    {
        await using var log = new SimulatedLog();
        await log.Log.ExecuteAsync(Receive("a-17", 5), CancellationToken.None);
        var functions = new StockFunctions(new EntityApi(
            log.Log, log.Sources, new Links(null), new FaultBoundary(Microsoft.Extensions.Logging.Abstractions.NullLogger<FaultBoundary>.Instance, TimeProvider.System)));
        Task<Http.Answer> AskAsync(string json, params (string, string)[] headers) => AnswerAsync(
            Post("/api/stock/a-17/take", json, headers), request => functions.Take(request, "a-17", CancellationToken.None));

        var taken = await AskAsync("""{"quantity":2}""", ("Idempotency-Key", "k1"), ("If-Match", "\"1\""), ("X-Correlation-Id", "c-1"));
        var again = await AskAsync("""{"quantity":2}""", ("Idempotency-Key", "k1"), ("If-Match", "\"1\""));
        var tooMuch = await AskAsync("""{"quantity":9}""");
        var stale = await AskAsync("""{"quantity":1}""", ("If-Match", "\"1\""));

        Assert.Equal((200, """{"sku":"a-17","onHand":3}""", "\"2\""), (taken.Status, taken.Text, taken["ETag"]));
        Assert.Equal((200, taken.Text, "true"), (again.Status, again.Text, again["Idempotency-Replayed"]));
        Assert.Equal((409, "stock-too-low"), (tooMuch.Status, tooMuch.ProblemName));
        Assert.Equal(412, stale.Status);
        Assert.Equal("c-1", (await log.EntriesAsync())[^1].CorrelationId);
    }

    [Fact]
    public async Task Says_how_an_endpoint_with_another_body_answers()
    {
        await using var log = new SimulatedLog();
        byte[] picture = [0x89, 0x50, 0x4E, 0x47];
        Task<Http.Answer> PutAsync(byte[] body, params (string, string)[] headers) => AnswerAsync(
            Request("PUT", "/api/stock/a-17/label", body, headers), request => StockCommands.LabelAsync(request, "a-17", log.Log, CancellationToken.None));

        var put = await PutAsync(picture, ("Idempotency-Key", "k1"));
        var again = await PutAsync(picture, ("Idempotency-Key", "k1"));
        var other = await PutAsync([0x00], ("Idempotency-Key", "k1"));
        var stale = await PutAsync(picture, ("If-Match", "\"7\""));
        var bad = await PutAsync(picture, ("Idempotency-Key", ""));

        Assert.Equal((200, """{"sku":"a-17","onHand":0}""", null), (put.Status, put.Text, put["Idempotency-Replayed"]));
        Assert.Equal((200, put.Text, "true"), (again.Status, again.Text, again["Idempotency-Replayed"]));
        Assert.Equal([422, 412, 400], new[] { other, stale, bad }.Select(answer => answer.Status));
        Assert.Equal(["LabelPrinted", "ShelfNote"], (await log.EntriesAsync()).Select(entry => entry.Type));
    }

    private static Command<StockItem> Receive(string sku, int quantity) => new()
    {
        Entity = StockDecisions.Entity,
        EntityId = sku,
        Decide = current => StockDecisions.Receive(current, sku, quantity),
    };

    private static Command<StockItem> Label(string sku, byte[] picture) => new()
    {
        Entity = StockDecisions.Entity,
        EntityId = sku,
        Decide = current => StockCommands.Label(current, sku, picture),
        LikelyNew = true,
    };

    private static async Task<List<EventEntry>> EntriesAsync(SimulatedLog log)
    {
        var entries = new List<EventEntry>();
        for (var partition = 0; partition < 4; partition++) entries.AddRange(await log.EntriesAsync(partition));
        return entries;
    }
}
