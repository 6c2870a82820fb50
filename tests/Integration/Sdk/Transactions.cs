using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Outpost.Tests.Testing;
using static Azure.Data.Tables.TableTransactionActionType;

namespace Outpost.Tests.Integration.Sdk;

/// <summary>Transactions against Azurite, the traps of the real client included.</summary>
public class Transactions
{
    private static readonly ETag Stale = new("W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\"");

    /// <summary>What is refused, by what, and with which status and code.</summary>
    public static TheoryData<TableTransactionActionType, string, bool, int, string> Refusals => new()
    {
        { Add, "there", false, 409, nameof(TableErrorCode.EntityAlreadyExists) },
        { UpdateMerge, "there", true, 412, nameof(TableErrorCode.UpdateConditionNotSatisfied) },
        { UpdateReplace, "there", true, 412, nameof(TableErrorCode.UpdateConditionNotSatisfied) },
        { UpdateReplace, "missing", true, 404, nameof(TableErrorCode.ResourceNotFound) },
        { Delete, "there", true, 412, nameof(TableErrorCode.UpdateConditionNotSatisfied) },
        { Delete, "missing", false, 404, nameof(TableErrorCode.ResourceNotFound) },
    };

    [Fact]
    public async Task All_kinds_of_actions_are_applied_together_and_answered_in_order()
    {
        var table = await Azurite.NewTableAsync();
        await table.SubmitTransactionAsync(new[] { "b", "c", "d", "e", "f" }.Select(
            name => new TableTransactionAction(Add, new TableEntity("p", name) { ["n"] = 0, ["kept"] = "if merged" })));
        var f = (await table.GetEntityAsync<TableEntity>("p", "f")).Value;

        var answer = await table.SubmitTransactionAsync(
        [
            new(Add, Row("a")),
            new(UpdateMerge, Row("b"), ETag.All),
            new(UpdateReplace, Row("c"), ETag.All),
            new(UpsertMerge, Row("d")),
            new(UpsertReplace, Row("e")),
            new(Delete, f, f.ETag),
            new(UpsertReplace, Row("g")),
        ]);

        Assert.Equal(202, answer.GetRawResponse().Status);
        Assert.Equal(Enumerable.Repeat(204, 7), answer.Value.Select(response => response.Status));
        var rows = await table.QueryAsync<TableEntity>().ToListAsync();
        Assert.Equal(["a", "b", "c", "d", "e", "g"], rows.Select(row => row.RowKey));
        Assert.All(rows, row => Assert.Equal(1, row.GetInt32("n")));
        Assert.Equal(["b", "d"], rows.Where(row => row.ContainsKey("kept")).Select(row => row.RowKey));
        int[] written = [0, 1, 2, 3, 4, 6];
        Assert.Equal(rows.Select(row => (ETag?)row.ETag), written.Select(i => answer.Value[i].Headers.ETag));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refused_action_undoes_all_and_is_named(
        TableTransactionActionType type, string row, bool withStaleETag, int status, string code)
    {
        foreach (var index in new[] { 0, 2, 4 })
        {
            var table = await Azurite.NewTableAsync();
            await table.AddEntityAsync(new TableEntity("p", "there"));
            await table.AddEntityAsync(new TableEntity("p", "updated") { ["n"] = 0 });
            List<TableTransactionAction> actions =
            [
                new(Add, Row("new 1")),
                new(UpdateReplace, Row("updated"), ETag.All),
                new(Add, Row("new 2")),
                new(UpsertMerge, Row("new 3")),
            ];
            actions.Insert(index, new(type, Row(row), withStaleETag ? Stale : default));

            var refused = await Assert.ThrowsAsync<TableTransactionFailedException>(
                () => table.SubmitTransactionAsync(actions));

            Assert.Equal(index, refused.FailedTransactionActionIndex);
            Assert.Equal((status, code), (refused.Status, refused.ErrorCode));
            Assert.Null(refused.GetRawResponse());
            var rows = await table.QueryAsync<TableEntity>().ToListAsync();
            Assert.Equal(["there", "updated"], rows.Select(entity => entity.RowKey));
            Assert.Equal(0, rows[1].GetInt32("n"));
            actions.RemoveAt(index);
            await table.SubmitTransactionAsync(actions);
        }
    }

    /// <summary>Trap: what UpdateEntityAsync refuses to send, a transaction sends without If-Match.</summary>
    [Theory]
    [InlineData(UpdateMerge)]
    [InlineData(UpdateReplace)]
    public async Task An_update_without_an_ETag_is_an_upsert(TableTransactionActionType update)
    {
        var table = await Azurite.NewTableAsync();
        await table.AddEntityAsync(new TableEntity("p", "there") { ["n"] = 0 });

        await table.SubmitTransactionAsync([new(update, Row("there")), new(update, Row("missing"))]);

        var rows = await table.QueryAsync<TableEntity>().ToListAsync();
        Assert.Equal([1, 1], rows.Select(row => row.GetInt32("n")));
    }

    /// <summary>Trap: only the ETag given to the action counts.</summary>
    [Fact]
    public async Task The_ETag_of_the_entity_itself_is_not_looked_at()
    {
        var table = await Azurite.NewTableAsync();
        await table.AddEntityAsync(new TableEntity("p", "r") { ["n"] = 0 });

        await table.SubmitTransactionAsync([new(UpdateReplace, new TableEntity("p", "r") { ["n"] = 1, ETag = Stale })]);

        Assert.Equal(1, (await table.GetEntityAsync<TableEntity>("p", "r")).Value.GetInt32("n"));
    }

    [Fact]
    public async Task An_empty_list_is_refused_before_anything_is_sent()
    {
        var table = await Azurite.NewTableAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => table.SubmitTransactionAsync([]));
        await Assert.ThrowsAsync<ArgumentNullException>(() => table.SubmitTransactionAsync(null!));
    }

    [Fact]
    public async Task The_service_counts_rows_and_bytes_and_the_client_does_not()
    {
        var table = await Azurite.NewTableAsync();
        var tooMany = Enumerable.Range(0, 101).Select(i => new TableTransactionAction(Add, Row($"r{i}")));
        var tooLong = Enumerable.Range(0, 100).Select(
            i => new TableTransactionAction(Add, new TableEntity("p", $"r{i}") { ["Bytes"] = new byte[40_000] }));

        // Azurite's answer to too many rows is not a well-formed one, so how this one fails is left open.
        await Assert.ThrowsAnyAsync<Exception>(() => table.SubmitTransactionAsync(tooMany));
        var large = await Assert.ThrowsAsync<RequestFailedException>(() => table.SubmitTransactionAsync(tooLong));

        Assert.Equal((413, "RequestBodyTooLarge"), (large.Status, large.ErrorCode));
        Assert.NotNull(large.GetRawResponse());
        Assert.Empty(await table.QueryAsync<TableEntity>().ToListAsync());
    }

    [Fact]
    public async Task A_row_may_occur_only_once()
    {
        var table = await Azurite.NewTableAsync();

        var refused = await Assert.ThrowsAsync<TableTransactionFailedException>(
            () => table.SubmitTransactionAsync([new(Add, Row("r")), new(UpsertReplace, Row("r"))]));

        Assert.Equal((400, TableErrorCode.InvalidDuplicateRow.ToString()), (refused.Status, refused.ErrorCode));
        Assert.Empty(await table.QueryAsync<TableEntity>().ToListAsync());
    }

    [Fact]
    public async Task Hundred_rows_of_many_sizes_arrive_whole()
    {
        var table = await Azurite.NewTableAsync();
        var random = new Random(1);
        var anyText = Enumerable.Range(0x20, 0xD7FF - 0x20).Select(code => (char)code).ToArray();
        var anyBytes = Enumerable.Range(0, 256).Select(code => (byte)code).ToArray();
        var rows = Enumerable.Range(0, 100).Select(i => new TableEntity("p", $"r{i:D3}")
        {
            ["Text"] = new string(random.GetItems(anyText, random.Next(2000))),
            ["Bytes"] = random.GetItems(anyBytes, random.Next(5000)),
        }).ToList();

        await table.SubmitTransactionAsync(rows.Select(row => new TableTransactionAction(Add, row)));
        var read = await table.QueryAsync<TableEntity>().ToListAsync();

        Assert.Equal(rows.Select(row => row.GetString("Text")), read.Select(row => row.GetString("Text")));
        Assert.Equal(rows.Select(row => row.GetBinary("Bytes")), read.Select(row => row.GetBinary("Bytes")));
    }

    private static TableEntity Row(string key) => new("p", key) { ["n"] = 1 };
}
