using Azure;
using Azure.Data.Tables;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.StandIns;

/// <summary>Paging, continuation and filters.</summary>
public class Queries
{
    [Fact]
    public async Task Pages_are_as_large_as_asked_and_come_in_key_order()
    {
        var table = await TableOf(10);

        var pages = await table.QueryAsync<TableEntity>(maxPerPage: 4).AsPages().ToListAsync();

        Assert.Equal([4, 4, 2], pages.Select(page => page.Values.Count));
        Assert.Equal(Keys(0, 10), pages.SelectMany(page => page.Values).Select(row => row.RowKey));
        Assert.Equal([true, true, false], pages.Select(page => page.ContinuationToken is not null));
        Assert.Equal(200, pages[0].GetRawResponse().Status);
    }

    [Fact]
    public async Task A_query_goes_on_from_a_continuation_token_even_with_another_page_size()
    {
        var table = await TableOf(10);
        var first = await table.QueryAsync<TableEntity>("RowKey ge 'k02'", maxPerPage: 3).AsPages().FirstAsync();

        var rest = await table.QueryAsync<TableEntity>("RowKey ge 'k02'")
            .AsPages(first.ContinuationToken, pageSizeHint: 4).ToListAsync();

        Assert.Equal(Keys(2, 3), first.Values.Select(row => row.RowKey));
        Assert.Equal([4, 1], rest.Select(page => page.Values.Count));
        Assert.Equal(Keys(5, 5), rest.SelectMany(page => page.Values).Select(row => row.RowKey));
    }

    [Fact]
    public async Task Without_a_page_size_the_service_sends_a_thousand_rows_a_page()
    {
        var table = await Azurite.NewTableAsync();
        for (var batch = 0; batch < 11; batch++)
        {
            await table.SubmitTransactionAsync(Enumerable.Range(0, 100).Select(i =>
                new TableTransactionAction(TableTransactionActionType.Add, new TableEntity("p", $"{batch:D2}{i:D2}"))));
        }

        var pages = await table.QueryAsync<TableEntity>().AsPages().ToListAsync();

        Assert.Equal([1000, 100], pages.Select(page => page.Values.Count));
    }

    [Fact]
    public async Task Filters_compare_text_by_its_code_units()
    {
        var table = await Azurite.NewTableAsync();
        foreach (var key in new[] { "!head", "c|x", "d|a", "e|1", "e|2", "É", "z" })
            await table.AddEntityAsync(new TableEntity("p", key));

        var low = await table.QueryAsync<TableEntity>("PartitionKey eq 'p' and RowKey lt 'd'").ToListAsync();
        var events = await table.QueryAsync<TableEntity>("RowKey ge 'e|' and RowKey lt 'e}'").ToListAsync();

        Assert.Equal(["!head", "c|x"], low.Select(row => row.RowKey));
        Assert.Equal(["e|1", "e|2"], events.Select(row => row.RowKey));
    }

    [Fact]
    public async Task Filter_values_of_every_type_find_their_row()
    {
        var table = await Azurite.NewTableAsync();
        var (id, text) = (Guid.NewGuid(), "it's <'>");
        var time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(6789012);
        await table.AddEntityAsync(new TableEntity("p", "r")
        {
            ["Text"] = text,
            ["Int"] = 1,
            ["Long"] = long.MaxValue,
            ["Flag"] = true,
            ["Id"] = id,
            ["Time"] = time,
            ["Double"] = 1.5,
        });

        FormattableString[] filters =
        [
            $"Text eq {text}",
            $"Int eq {1}",
            $"Long eq {long.MaxValue}",
            $"Flag eq {true}",
            $"Id eq {id}",
            $"Time eq {time}",
            $"Double gt {1.4} and Double lt {1.6}",
            $"Int eq {1} and not (Text eq {"other"})",
        ];
        foreach (var filter in filters)
        {
            var found = await table.QueryAsync<TableEntity>(TableClient.CreateQueryFilter(filter)).ToListAsync();
            Assert.True(found.Count == 1, $"{TableClient.CreateQueryFilter(filter)} found {found.Count}");
        }
    }

    [Fact]
    public void Filter_values_are_quoted_and_escaped()
    {
        Assert.Equal("a eq 'it''s' or b eq 5L", TableClient.CreateQueryFilter($"a eq {"it's"} or b eq {5L}"));
        Assert.Equal(
            "t eq datetime'2026-01-02T03:04:05Z' and x eq X'00FF'",
            TableServiceClient.CreateQueryFilter(
                $"t eq {new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc)} and x eq {new byte[] { 0, 255 }}"));
        Assert.Throws<ArgumentException>(() => TableClient.CreateQueryFilter($"a eq {TimeSpan.Zero}"));
    }

    [Fact]
    public async Task Nothing_found_is_one_empty_page()
    {
        var table = await TableOf(2);

        var page = Assert.Single(await table.QueryAsync<TableEntity>("PartitionKey eq 'none'").AsPages().ToListAsync());

        Assert.Empty(page.Values);
        Assert.Null(page.ContinuationToken);
    }

    [Fact]
    public async Task Only_selected_properties_are_read()
    {
        var table = await TableOf(1);

        var row = Assert.Single(await table.QueryAsync<TableEntity>(select: ["RowKey"]).ToListAsync());

        Assert.Equal(("k00", null), (row.RowKey, row.GetInt32("n")));
    }

    [Fact]
    public async Task A_bad_filter_is_refused_when_the_query_is_run()
    {
        var query = (await TableOf(1)).QueryAsync<TableEntity>("this is not a filter");

        var refused = await Assert.ThrowsAsync<RequestFailedException>(async () => await query.ToListAsync());

        Assert.InRange(refused.Status, 400, 501);
    }

    [Fact]
    public async Task Tables_of_an_account_are_listed_created_and_deleted()
    {
        var service = new TableServiceClient(await Azurite.ConnectionStringAsync());
        var name = Azurite.NewTableName();

        await service.CreateTableAsync(name);
        var again = await service.CreateTableIfNotExistsAsync(name);
        await service.GetTableClient(name).AddEntityAsync(new TableEntity("p", "r"));
        var filter = TableServiceClient.CreateQueryFilter($"TableName eq {name}");
        var found = await service.QueryAsync(filter).ToListAsync();
        var deleted = await service.DeleteTableAsync(name);
        var missing = await service.DeleteTableAsync(name);

        Assert.Equal(name, Assert.Single(found).Name);
        Assert.Equal((409, 204, 404), (again.GetRawResponse().Status, deleted.Status, missing.Status));
    }

    /// <summary>Trap: the service may send an empty page and go on; whoever stops there loses rows.</summary>
    [Fact]
    public async Task An_empty_page_with_a_continuation_is_passed_on_as_it_comes()
    {
        var transport = new ScriptedTransport(
            () => new ScriptedResponse(
                200,
                """{"value":[]}""",
                ("x-ms-continuation-NextPartitionKey", "1!8!cA--"),
                ("x-ms-continuation-NextRowKey", "1!4!cg--")),
            () => new ScriptedResponse(
                200,
                """{"value":[{"PartitionKey":"p","RowKey":"r"}]}""",
                ("x-ms-continuation-NextPartitionKey", "x")),
            () => new ScriptedResponse(200, """{"value":[]}"""));

        var query = Scripted.Table(transport).QueryAsync<TableEntity>("a eq 'b'", maxPerPage: 5);
        var pages = await query.AsPages().ToListAsync();

        Assert.Equal([0, 1, 0], pages.Select(page => page.Values.Count));
        Assert.Equal(["1!8!cA-- 1!4!cg--", "x ", null], pages.Select(page => page.ContinuationToken));
        var queries = transport.Log.ConvertAll(sent => sent.Uri.Query);
        Assert.EndsWith("&NextPartitionKey=1%218%21cA--&NextRowKey=1%214%21cg--", queries[1], StringComparison.Ordinal);
        Assert.EndsWith("&NextPartitionKey=x", queries[2], StringComparison.Ordinal);
        Assert.All(queries, sent => Assert.Contains("$top=5", sent, StringComparison.Ordinal));
        Assert.All(queries, sent => Assert.Contains("$filter=a%20eq%20%27b%27", sent, StringComparison.Ordinal));
    }

    /// <summary>Type annotations may come before or after the value; other annotations may be there as well.</summary>
    [Fact]
    public async Task Annotations_are_understood_wherever_they_stand()
    {
        var transport = new ScriptedTransport(() => new ScriptedResponse(200, """
            {"odata.metadata":"https://acct/$metadata#things/@Element","odata.etag":"W/\"1\"",
             "PartitionKey":"p","RowKey":"r","Timestamp":"2026-01-02T03:04:05.6789012Z",
             "L":"5","L@odata.type":"Edm.Int64","D@odata.type":"Edm.Double","D":"2",
             "N":null,"Big":5000000000,"B":"AQI=","B@odata.type":"Edm.Binary"}
            """));

        var read = (await Scripted.Table(transport).GetEntityAsync<TableEntity>("p", "r")).Value;

        Assert.Equal((5L, 2d, 5000000000L), (read.GetInt64("L"), read.GetDouble("D"), read.GetInt64("Big")));
        Assert.Equal([1, 2], read.GetBinary("B"));
        Assert.Equal(new ETag("W/\"1\""), read.ETag);
        Assert.Equal(6789012, read.Timestamp!.Value.Ticks % TimeSpan.TicksPerSecond);
        Assert.Null(read["N"]);
        Assert.Equal(
            ["B", "Big", "D", "L", "N", "PartitionKey", "RowKey", "Timestamp", "odata.etag"],
            read.Keys.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Keys(int first, int count) =>
        Enumerable.Range(first, count).Select(i => $"k{i:D2}");

    private static async Task<TableClient> TableOf(int count)
    {
        var table = await Azurite.NewTableAsync();
        await table.SubmitTransactionAsync(Keys(0, count).Select((key, i) =>
            new TableTransactionAction(TableTransactionActionType.Add, new TableEntity("p", key) { ["n"] = i })));
        return table;
    }
}
