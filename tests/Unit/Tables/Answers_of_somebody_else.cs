using Azure.Data.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

/// <summary>What a gateway, a proxy or a mix-up answers in the store's place, on the real client.</summary>
public sealed class Answers_of_somebody_else
{
    private static readonly string NotFound = Code("ResourceNotFound");

    public static TheoryData<int, string, string> WithoutTheStoresMark
    {
        get
        {
            var data = new TheoryData<int, string, string>();
            foreach (var status in new[] { 200, 202, 204, 301, 304, 400, 401, 403, 404, 407, 409, 412, 413, 418, 429, 500, 502, 503, 504 })
            {
                data.Add(status, "<html>Hello</html>", "text/html");
                data.Add(status, """{"value":[]}""", "application/json");
                data.Add(status, NotFound, "application/json");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(WithoutTheStoresMark))]
    public async Task Are_no_answer_whatever_they_say(int status, string body, string type)
    {
        var (store, _, transport) = Open(_ => new Answer(status, body) { IsMarked = false, Type = type });
        await using var _ = store;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReadEntityAsync(0, "order", "1", CancellationToken.None));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReadPartitionAsync(0, CancellationToken.None));
        Assert.Equal(6, transport.Requests);
    }

    [Theory]
    [InlineData(404, "")]
    [InlineData(404, "<html>Not found</html>")]
    [InlineData(404, """{"error":{"code":"ResourceNotFound"}}""")]
    [InlineData(400, "[]")]
    [InlineData(409, "{}")]
    public async Task Have_no_error_code(int status, string body)
    {
        var (store, _, _) = Open(_ => new Answer(status, body));
        await using var _ = store;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReadEntityAsync(0, "order", "1", CancellationToken.None));
    }

    [Fact]
    public async Task May_be_those_to_another_request()
    {
        var (store, _, _) = Open(_ => new Answer(404, NotFound) { ClientRequestId = "another" });
        await using var _ = store;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReadEntityAsync(0, "order", "1", CancellationToken.None));
    }

    [Theory]
    [InlineData("""{"PartitionKey":"0001","RowKey":"d|order|1","Version":1,"Version@odata.type":"Edm.Int64","State":"{}"}""")]
    [InlineData("""{"PartitionKey":"0000","RowKey":"d|order|2","Version":1,"Version@odata.type":"Edm.Int64","State":"{}"}""")]
    [InlineData("""{"value":[]}""")]
    [InlineData("{}")]
    [InlineData("""{"PartitionKey":"0000","RowKey":"d|or""")]
    [InlineData("[1]")]
    [InlineData("")]
    public async Task May_have_the_body_of_another_row(string body)
    {
        var (store, _, _) = Open(_ => new Answer(200, body));
        await using var _ = store;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReadEntityAsync(0, "order", "1", CancellationToken.None));
    }

    [Theory]
    [InlineData("""{"value":[{"PartitionKey":"0001","RowKey":"!head"}]}""")]
    [InlineData("""{"value":[{"PartitionKey":"0000","RowKey":"e|0000000000000000000"}]}""")]
    [InlineData("""{"value":[{"PartitionKey":"0000","RowKey":"c|b"},{"PartitionKey":"0000","RowKey":"c|a"}]}""")]
    [InlineData("""{"value":[{"PartitionKey":"00""")]
    [InlineData("""{"odata.error":{"code":"x"}}""")]
    [InlineData("7")]
    public async Task May_have_the_body_of_another_query(string body)
    {
        var (store, _, _) = Open(_ => new Answer(200, body));
        await using var _ = store;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReadPartitionAsync(0, CancellationToken.None));
    }

    [Fact]
    public async Task Do_not_look_like_a_row_that_is_not_there()
    {
        var (store, _, _) = Open(_ => new Answer(404, NotFound));
        await using var _ = store;

        Assert.Null(await store.ReadEntityAsync(0, "order", "1", CancellationToken.None));
    }

    [Fact]
    public async Task Are_not_the_service_s_that_the_table_is_gone_which_is_told_at_once()
    {
        var (store, _, transport) = Open(_ => new Answer(404, Code("TableNotFound")));
        await using var _ = store;

        var away = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReadEntityAsync(0, "order", "1", CancellationToken.None));

        Assert.Contains("table is not there", away.Message, StringComparison.Ordinal);
        Assert.Equal(1, transport.Requests);
    }

    [Fact]
    public async Task Tell_no_time()
    {
        var date = new DateTimeOffset(2038, 1, 19, 3, 14, 7, TimeSpan.Zero);
        var (store, clock, _) = Open(_ => new Answer(502, "<html/>") { IsMarked = false, Date = date });
        await using var _ = store;

        for (var i = 0; i < 4; i++)
            await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReadEntityAsync(0, "order", "1", CancellationToken.None));

        Assert.Equal(TimeSpan.Zero, clock.Correction);
    }

    // A token that ran out between two tries: the first may have been done.
    [Fact]
    public async Task That_forbid_a_second_try_say_nothing_about_the_first()
    {
        var (_, table, _) = OpenTable(request => request.Number == 1
            ? throw new IOException("Connection reset.")
            : new Answer(403, Code("AuthenticationFailed")));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => table.UpsertEntityAsync(new TableEntity("p", "a")));
    }

    [Fact]
    public async Task To_a_write_have_no_tag()
    {
        var (_, table, transport) = OpenTable(_ => new Answer(204, ""));

        await Assert.ThrowsAnyAsync<Exception>(() => table.UpsertEntityAsync(new TableEntity("p", "a")));
        Assert.Equal(3, transport.Requests);
    }

    private static string Code(string code) => """{"odata.error":{"code":"#","message":{"lang":"en-US","value":"#"}}}""".Replace("#", code, StringComparison.Ordinal);

    private static (TableEventStore Store, StoreClock Clock, ScriptedService Transport) Open(Func<ScriptedService.Asked, Answer> answers)
    {
        var (clock, table, transport) = OpenTable(answers);
        var sources = new Sources(TimeProvider.System, Guid.NewGuid, () => 0.5);
        return (new TableEventStore(table, 1, clock, sources, NullLogger.Instance), clock, transport);
    }

    private static (StoreClock Clock, TableClient Table, ScriptedService Transport) OpenTable(Func<ScriptedService.Asked, Answer> answers)
    {
        var transport = new ScriptedService(answers);
        var clock = new StoreClock(TimeProvider.System, NullLogger<StoreClock>.Instance);
        return (clock, ScriptedService.Client(clock, transport), transport);
    }
}
