using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.StandIns;

/// <summary>Single rows: the same with the stand-in as with the real package.</summary>
public class Entities
{
    [Fact]
    public async Task Every_property_type_round_trips()
    {
        var table = await Azurite.NewTableAsync();
        var written = new TableEntity("p", "r")
        {
            ["Text"] = "line 1\r\nline 2 <b>\"quoted\"</b> 'é' 漢字 🙂 \u2028",
            ["Empty"] = "",
            ["Flag"] = true,
            ["Int32"] = int.MinValue,
            ["Int64"] = long.MaxValue,
            ["SmallInt64"] = 1L,
            ["Double"] = 1.5e-300,
            ["WholeDouble"] = 2d,
            ["NaN"] = double.NaN,
            ["Binary"] = new byte[] { 0, 1, 62, 63, 254, 255 },
            ["NoBytes"] = Array.Empty<byte>(),
            ["Guid"] = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"),
            ["Time"] = new DateTimeOffset(2026, 11, 22, 13, 14, 15, TimeSpan.FromHours(2)).AddTicks(1234567),
            ["FirstTime"] = new DateTimeOffset(1601, 1, 1, 0, 0, 0, TimeSpan.Zero),
        };

        await table.AddEntityAsync(written);
        var read = (await table.GetEntityAsync<TableEntity>("p", "r")).Value;

        foreach (var (name, value) in written)
            Assert.Equal(value, read[name]);
        Assert.Equal(TimeSpan.Zero, read.GetDateTimeOffset("Time")!.Value.Offset);
        Assert.Equal(written.GetDateTimeOffset("Time")!.Value.UtcDateTime, read.GetDateTime("Time"));
        Assert.Equal(DateTimeKind.Utc, read.GetDateTime("Time")!.Value.Kind);
        Assert.Equal(written.GetBinary("Binary"), read.GetBinaryData("Binary").ToArray());
        Assert.IsType<long>(read["SmallInt64"]);
        Assert.IsType<double>(read["WholeDouble"]);
        Assert.True(DateTimeOffset.UtcNow - read.Timestamp < TimeSpan.FromMinutes(1));
        Assert.NotEqual(default, read.ETag);
    }

    [Fact]
    public async Task A_query_reads_the_same_types_as_a_point_read()
    {
        var table = await Azurite.NewTableAsync();
        for (var i = 0; i < 3; i++)
        {
            var row = new TableEntity("p", $"r{i}") { ["Bytes"] = new[] { (byte)i } };
            row[i == 1 ? "Other" : "Number"] = (long)i;
            await table.AddEntityAsync(row);
        }

        var rows = await table.QueryAsync<TableEntity>().ToListAsync();

        Assert.Equal([0L, null, 2L], rows.Select(row => row.GetInt64("Number")));
        Assert.Equal([null, 1L, null], rows.Select(row => row.GetInt64("Other")));
        Assert.Equal([0, 1, 2], rows.Select(row => (int)row.GetBinary("Bytes")[0]));
    }

    [Theory]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public async Task An_infinite_double_is_refused(double value)
    {
        var table = await Azurite.NewTableAsync();

        await Assert.ThrowsAsync<ArgumentException>(() => table.AddEntityAsync(new TableEntity("p", "r") { ["n"] = value }));
    }

    [Fact]
    public async Task Null_values_are_not_stored()
    {
        var table = await Azurite.NewTableAsync();

        await table.AddEntityAsync(new TableEntity("p", "r") { ["Nothing"] = null, ["Something"] = 1 });
        var read = (await table.GetEntityAsync<TableEntity>("p", "r")).Value;

        Assert.False(read.ContainsKey("Nothing"));
        Assert.Null(read.GetString("Nothing"));
        Assert.Equal(1, read.GetInt32("Something"));
    }

    [Theory]
    [InlineData("plain", "!head")]
    [InlineData("it's", "''")]
    [InlineData("d|order|Ünï-漢字-🙂", "e|0000000000000000001")]
    [InlineData("a b+c&d=e;f,g", "(x)='y'")]
    [InlineData("{\"json\":1}", "[$filter]")]
    public async Task Any_allowed_key_can_be_written_read_queried_and_deleted(string partitionKey, string rowKey)
    {
        var table = await Azurite.NewTableAsync();

        await table.AddEntityAsync(new TableEntity(partitionKey, rowKey) { ["n"] = 1 });
        await table.UpdateEntityAsync(new TableEntity(partitionKey, rowKey) { ["n"] = 2 }, ETag.All);
        await table.SubmitTransactionAsync(
            [new(TableTransactionActionType.UpsertMerge, new TableEntity(partitionKey, rowKey) { ["m"] = 3 })]);
        var read = (await table.GetEntityAsync<TableEntity>(partitionKey, rowKey)).Value;
        var found = await table.QueryAsync<TableEntity>(
            TableClient.CreateQueryFilter($"PartitionKey eq {partitionKey} and RowKey eq {rowKey}")).ToListAsync();
        await table.SubmitTransactionAsync([new(TableTransactionActionType.Delete, read, read.ETag)]);

        Assert.Equal((partitionKey, rowKey), (read.PartitionKey, read.RowKey));
        Assert.Equal((2, 3), (read.GetInt32("n"), read.GetInt32("m")));
        Assert.Equal(rowKey, Assert.Single(found).RowKey);
        Assert.False((await table.GetEntityIfExistsAsync<TableEntity>(partitionKey, rowKey)).HasValue);
    }

    [Fact]
    public async Task Adding_what_is_there_is_a_conflict()
    {
        var table = await Azurite.NewTableAsync();
        await table.AddEntityAsync(new TableEntity("p", "r"));

        var refused = await Assert.ThrowsAsync<RequestFailedException>(
            () => table.AddEntityAsync(new TableEntity("p", "r")));

        Assert.Equal(409, refused.Status);
        Assert.True(refused.ErrorCode == TableErrorCode.EntityAlreadyExists);
    }

    [Fact]
    public async Task Reading_what_is_missing_throws_or_says_so()
    {
        var table = await Azurite.NewTableAsync();

        var refused = await Assert.ThrowsAsync<RequestFailedException>(
            () => table.GetEntityAsync<TableEntity>("p", "r"));
        var maybe = await table.GetEntityIfExistsAsync<TableEntity>("p", "r");

        Assert.Equal((404, TableErrorCode.ResourceNotFound.ToString()), (refused.Status, refused.ErrorCode));
        Assert.False(maybe.HasValue);
        Assert.Equal(404, maybe.GetRawResponse().Status);
        Assert.Throws<InvalidOperationException>(() => maybe.Value);
    }

    /// <summary>Trap: "if exists" swallows every 404.</summary>
    [Fact]
    public async Task A_missing_table_looks_like_a_missing_row()
    {
        var table = new TableClient(await Azurite.ConnectionStringAsync(), Azurite.NewTableName());

        Assert.False((await table.GetEntityIfExistsAsync<TableEntity>("p", "r")).HasValue);
    }

    [Fact]
    public async Task An_update_needs_an_ETag_and_the_right_one()
    {
        var table = await Azurite.NewTableAsync();
        var first = (await table.AddEntityAsync(new TableEntity("p", "r") { ["n"] = 1 })).Headers.ETag!.Value;
        var second = (await table.UpdateEntityAsync(new TableEntity("p", "r") { ["n"] = 2 }, first)).Headers.ETag;

        await Assert.ThrowsAsync<ArgumentException>(() => table.UpdateEntityAsync(new TableEntity("p", "r"), default));
        var stale = await Assert.ThrowsAsync<RequestFailedException>(
            () => table.UpdateEntityAsync(new TableEntity("p", "r") { ["n"] = 3 }, first));

        Assert.Equal((412, TableErrorCode.UpdateConditionNotSatisfied.ToString()), (stale.Status, stale.ErrorCode));
        var read = (await table.GetEntityAsync<TableEntity>("p", "r")).Value;
        Assert.Equal(2, read.GetInt32("n"));
        Assert.Equal(second, read.ETag);
    }

    [Fact]
    public async Task Merge_keeps_other_properties_and_replace_drops_them()
    {
        var table = await Azurite.NewTableAsync();
        await table.UpsertEntityAsync(new TableEntity("p", "r") { ["a"] = 1, ["b"] = 1 });

        await table.UpsertEntityAsync(new TableEntity("p", "r") { ["b"] = 2 });
        var merged = (await table.GetEntityAsync<TableEntity>("p", "r")).Value;
        await table.UpsertEntityAsync(new TableEntity("p", "r") { ["b"] = 3 }, TableUpdateMode.Replace);
        var replaced = (await table.GetEntityAsync<TableEntity>("p", "r")).Value;

        Assert.Equal((1, 2), (merged.GetInt32("a"), merged.GetInt32("b")));
        Assert.Equal((null, 3), (replaced.GetInt32("a"), replaced.GetInt32("b")));
    }

    [Fact]
    public async Task Deleting_what_is_missing_answers_404_without_throwing()
    {
        var table = await Azurite.NewTableAsync();
        var stale = (await table.AddEntityAsync(new TableEntity("p", "r"))).Headers.ETag!.Value;
        await table.UpsertEntityAsync(new TableEntity("p", "r") { ["n"] = 1 });

        var refused = await Assert.ThrowsAsync<RequestFailedException>(() => table.DeleteEntityAsync("p", "r", stale));
        var deleted = await table.DeleteEntityAsync(new TableEntity("p", "r"));
        var missing = await table.DeleteEntityAsync("p", "r");

        Assert.Equal((412, 204, 404), (refused.Status, deleted.Status, missing.Status));
        Assert.True(missing.IsError); // Trap: an error that is not thrown.
    }

    [Fact]
    public async Task Only_selected_properties_are_read()
    {
        var table = await Azurite.NewTableAsync();
        await table.AddEntityAsync(new TableEntity("p", "r") { ["a"] = 1, ["b"] = 2 });

        var read = (await table.GetEntityAsync<TableEntity>("p", "r", ["RowKey", "b"])).Value;

        Assert.Equal((null, "r", null, 2), (read.PartitionKey, read.RowKey, read.GetInt32("a"), read.GetInt32("b")));
    }

    [Fact]
    public async Task A_table_that_exists_already_answers_409_without_throwing()
    {
        var table = await Azurite.NewTableAsync();

        var again = await table.CreateIfNotExistsAsync();
        var refused = await Assert.ThrowsAsync<RequestFailedException>(() => table.CreateAsync());
        var deleted = await table.DeleteAsync();
        var missing = await table.DeleteAsync();

        Assert.Equal((409, table.Name), (again.GetRawResponse().Status, again.Value.Name));
        Assert.True(refused.ErrorCode == TableErrorCode.TableAlreadyExists);
        Assert.Equal((204, 404), (deleted.Status, missing.Status));
    }
}
