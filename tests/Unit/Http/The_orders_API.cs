using Azure.Data.Tables;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Functions;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class The_orders_API
{
    private const string Body = """{"customerId":"c1","lines":[{"sku":"a","quantity":2,"unitPrice":9.5}]}""";
    private const string BodyWithId = """{"orderId":"o-1","customerId":"c1","lines":[{"sku":"a","quantity":2,"unitPrice":9.5}]}""";

    [Fact]
    public async Task Places_an_order()
    {
        await using var log = new SimulatedLog();

        var answer = await PlaceAsync(log, BodyWithId);

        Assert.Equal((201, "orders/o-1", "\"1\""), (answer.Status, answer["Location"], answer["ETag"]));
        Assert.Equal(
            """{"orderId":"o-1","customerId":"c1","state":"placed","lines":[{"sku":"a","quantity":2,"unitPrice":9.5}],"total":19.0,"version":1}""",
            answer.Text);
    }

    [Fact]
    public async Task Takes_an_order_through_its_life()
    {
        await using var log = new SimulatedLog();
        await PlaceAsync(log, BodyWithId);

        Assert.Equal((200, "\"2\"", "paid"), await ChangeAsync(log, "pay"));
        Assert.Equal((409, null, "order-state"), await ChangeAsync(log, "pay"));
        Assert.Equal((200, "\"3\"", "shipped"), await ChangeAsync(log, "ship"));
        Assert.Equal((409, null, "order-state"), await ChangeAsync(log, "cancel", """{"reason":"late"}"""));
        Assert.Equal((404, null, "order-not-found"), await ChangeAsync(log, "pay", id: "o-2"));
        Assert.Equal((404, null, "order-not-found"), await ChangeAsync(log, "pay", id: "o/2"));
        Assert.Equal(["OrderPlaced", "OrderPaid", "OrderShipped"], (await log.EntriesAsync()).Select(entry => entry.Type));
    }

    [Fact]
    public async Task Shows_an_order()
    {
        await using var log = new SimulatedLog();
        var placed = await PlaceAsync(log, BodyWithId);

        var answer = await AnswerAsync(Request("/api/orders/o-1"), ask => Api(log).GetAsync(ask, "o-1", CancellationToken.None));
        var missing = await AnswerAsync(Request("/api/orders/o-2"), ask => Api(log).GetAsync(ask, "o-2", CancellationToken.None));

        Assert.Equal((200, "\"1\"", placed.Text, "no-store"), (answer.Status, answer["ETag"], answer.Text, answer["Cache-Control"]));
        Assert.Equal((404, "order-not-found"), (missing.Status, missing.ProblemName));
        var misspelt = await AnswerAsync(Request("/api/orders/o-1?verison=1"), ask => Api(log).GetAsync(ask, "o-1", CancellationToken.None));
        Assert.Equal((400, "invalid-request"), (misspelt.Status, misspelt.ProblemName));
    }

    [Fact]
    public async Task Gives_the_same_order_to_a_repeat_without_an_id()
    {
        await using var log = new SimulatedLog(partitions: 8);

        var first = await PlaceAsync(log, Body, ("Idempotency-Key", "k-1"));
        var repeat = await PlaceAsync(log, Body, ("Idempotency-Key", "k-1"));

        // Derived from scope and key; computed with Python's hashlib.
        Assert.Equal("orders/o-16f69524776ecddb5d8d", first["Location"]);
        Assert.Equal((201, "true", first.Text, first["Location"], first["ETag"]), (repeat.Status, repeat["Idempotency-Replayed"], repeat.Text, repeat["Location"], repeat["ETag"]));
        Assert.Null(first["Idempotency-Replayed"]);
    }

    [Fact]
    public async Task Gives_each_order_without_id_and_key_an_id_of_its_own()
    {
        await using var log = new SimulatedLog();

        Assert.NotEqual((await PlaceAsync(log, Body))["Location"], (await PlaceAsync(log, Body))["Location"]);
    }

    [Fact]
    public async Task Refuses_an_order_that_exists()
    {
        await using var log = new SimulatedLog();
        await PlaceAsync(log, BodyWithId, ("Idempotency-Key", "k-1"));

        var answer = await PlaceAsync(log, BodyWithId, ("Idempotency-Key", "k-2"));

        Assert.Equal((409, "order-exists"), (answer.Status, answer.ProblemName));
    }

    [Fact]
    public async Task Refuses_another_body_under_the_same_key()
    {
        await using var log = new SimulatedLog(partitions: 8);
        await PlaceAsync(log, Body, ("Idempotency-Key", "k-1"));

        var answer = await PlaceAsync(log, Body.Replace("c1", "c2", StringComparison.Ordinal), ("Idempotency-Key", "k-1"));

        Assert.Equal((422, "idempotency-key-reused"), (answer.Status, answer.ProblemName));
    }

    [Fact]
    public async Task Takes_the_same_key_with_another_order_id_or_none_for_another_command()
    {
        await using var log = new SimulatedLog(partitions: 8);
        string[] bodies = [Body, .. Enumerable.Range(1, 12).Select(i => BodyWithId.Replace("o-1", $"o-{i}", StringComparison.Ordinal))];

        foreach (var replayed in new[] { null, "true" })
        {
            foreach (var body in bodies)
            {
                var answer = await PlaceAsync(log, body, ("Idempotency-Key", "k-1"));
                Assert.Equal((201, replayed), (answer.Status, answer["Idempotency-Replayed"]));
            }
        }

        Assert.Equal(bodies.Length, Rows(log, "e|").Count());
    }

    [Fact]
    public async Task Refuses_another_body_for_an_order_id_under_the_same_key()
    {
        await using var log = new SimulatedLog(partitions: 8);
        await PlaceAsync(log, BodyWithId, ("Idempotency-Key", "k-1"));

        var answer = await PlaceAsync(log, BodyWithId.Replace("c1", "c2", StringComparison.Ordinal), ("Idempotency-Key", "k-1"));

        Assert.Equal((422, "idempotency-key-reused"), (answer.Status, answer.ProblemName));
    }

    // An older version put a claim where the receipt of an order without an id would be: the key was another request's.
    [Fact]
    public async Task Refuses_a_key_that_an_older_version_claimed_for_another_request()
    {
        await using var log = new SimulatedLog(partitions: 8);
        await PlaceAsync(log, Body, ("Idempotency-Key", "k-1"));
        var receipt = Rows(log, "r|").Single();
        await using var older = new SimulatedLog(partitions: 8);
        await older.Table.CreateIfNotExistsAsync();
        older.Table.Put(new TableEntity(receipt.PartitionKey, receipt.RowKey) { ["Fingerprint"] = receipt.GetString("Fingerprint"), ["ClaimedBy"] = 3L });

        var answer = await PlaceAsync(older, Body, ("Idempotency-Key", "k-1"));

        Assert.Equal((422, "idempotency-key-reused"), (answer.Status, answer.ProblemName));
        Assert.Equal(201, (await PlaceAsync(older, BodyWithId, ("Idempotency-Key", "k-1"))).Status);
    }

    [Fact]
    public async Task Places_an_order_with_a_key_and_an_id_in_one_request_to_the_store()
    {
        await using var log = new SimulatedLog(partitions: 8);
        await PlaceAsync(log, BodyWithId, ("Idempotency-Key", "k-1"));
        log.Table.ForgetRequests();

        var answers = new List<int>();
        for (var i = 2; i < 30; i++)
            answers.Add((await PlaceAsync(log, BodyWithId.Replace("o-1", $"o-{i}", StringComparison.Ordinal), ("Idempotency-Key", "k-1"))).Status);

        Assert.All(answers, status => Assert.Equal(201, status));
        // The other seven partitions' heads are read once.
        Assert.Equal((28, 7), (log.Table.Sent(TableOperation.Transaction), log.Table.Requests.Count - 28));
    }

    [Fact]
    public async Task Refuses_a_stale_version()
    {
        await using var log = new SimulatedLog();
        await PlaceAsync(log, BodyWithId);

        Assert.Equal((412, null, "stale-version"), await ChangeAsync(log, "pay", headers: ("If-Match", "\"2\"")));
        Assert.Equal((200, "\"2\"", "paid"), await ChangeAsync(log, "pay", headers: ("If-Match", "\"1\"")));
    }

    [Theory]
    [InlineData("""{"customerId":"c1","lines":[{"sku":"a","quantity":0,"unitPrice":9.5}]}""", "lines[0].quantity: '0'")]
    [InlineData("""{"customerId":"c1","lines":[{"sku":"a","quantity":1,"unitPrice":9.55555}]}""", "lines[0].unitPrice: '9.55555'")]
    [InlineData("""{"customerId":"c1","lines":[]}""", "lines: '[]'")]
    [InlineData("""{"orderId":"a/b","customerId":"c1","lines":[{"sku":"a","quantity":1,"unitPrice":1}]}""", "orderId: '\"a/b\"'")]
    [InlineData("""{"lines":[{"sku":"a","quantity":1,"unitPrice":1}]}""", "customerId: is missing")]
    [InlineData("""{"customerId":"c1","lines":[{"sku":"a","quantity":1,"unitPrice":1}],"total":1}""", "total: there is no such field")]
    public async Task Refuses_an_order_that_is_none(string body, string detail)
    {
        await using var log = new SimulatedLog();

        var answer = await PlaceAsync(log, body);

        Assert.Equal((400, "invalid-request"), (answer.Status, answer.ProblemName));
        Assert.StartsWith(detail, answer.Detail, StringComparison.Ordinal);
        Assert.Empty(log.Table.Requests);
    }

    // Whoever asks for such a path, percent-encoded or not, asks for another one (RFC 3986, 5.2.4).
    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    public async Task Refuses_an_order_id_that_no_client_can_ask_for(string id)
    {
        await using var log = new SimulatedLog();

        var answer = await PlaceAsync(log, BodyWithId.Replace("o-1", id, StringComparison.Ordinal));

        Assert.Equal((400, "invalid-request"), (answer.Status, answer.ProblemName));
        Assert.Equal($"orderId: '\"{id}\"' is not allowed; 1 to 100 characters of A-Za-z0-9._~- other than . and .. is.", answer.Detail);
        Assert.Equal((404, null, "order-not-found"), await ChangeAsync(log, "pay", id: id));
        Assert.Equal(404, (await AnswerAsync(Request("/api/orders/x"), ask => Api(log).GetAsync(ask, id, CancellationToken.None))).Status);
        Assert.Equal(201, (await PlaceAsync(log, BodyWithId.Replace("o-1", "...", StringComparison.Ordinal))).Status);
    }

    private static IEnumerable<TableEntity> Rows(SimulatedLog log, string prefix) =>
        Enumerable.Range(0, 8).SelectMany(partition => log.Table.Rows(SoundLog.PartitionKey(partition)))
            .Where(row => row.RowKey.StartsWith(prefix, StringComparison.Ordinal));

    private static OrderFunctions Api(SimulatedLog log) => new(new Outpost.AspNetCore.EntityApi(
        log.Log, log.Sources, new Outpost.AspNetCore.Links(null), new Outpost.AspNetCore.FaultBoundary(NullLogger<Outpost.AspNetCore.FaultBoundary>.Instance, log.Time)));

    private static Task<Answer> PlaceAsync(SimulatedLog log, string body, params (string, string)[] headers) =>
        AnswerAsync(Post("/api/orders", body, headers), ask => Api(log).PlaceAsync(ask, CancellationToken.None));

    private static async Task<(int Status, string? Tag, string StateOrProblem)> ChangeAsync(
        SimulatedLog log, string verb, string body = "{}", string id = "o-1", params (string, string)[] headers)
    {
        var api = Api(log);
        var answer = await AnswerAsync(Post($"/api/orders/{id}/{verb}", body, headers), (HttpRequest ask) => verb switch
        {
            "pay" => api.PayAsync(ask, id, CancellationToken.None),
            "ship" => api.ShipAsync(ask, id, CancellationToken.None),
            _ => api.CancelAsync(ask, id, CancellationToken.None),
        });
        return (answer.Status, answer["ETag"], answer.Status == 200 ? answer.Json.GetProperty("state").GetString()! : answer.ProblemName);
    }
}
