using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.StandIns;

/// <summary>Rows as classes of one's own, and what <see cref="TableEntity"/> refuses.</summary>
public class EntityTypes
{
    private enum Colour
    {
        Red,
        Blue,
    }

    [Fact]
    public async Task A_class_of_ones_own_round_trips()
    {
        var table = await Azurite.NewTableAsync();
        var written = new Thing
        {
            PartitionKey = "p",
            RowKey = "r",
            Count = 7,
            Total = 8,
            Colour = Colour.Blue,
            Seen = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
            Bytes = new BinaryData([1, 2, 3]),
            Missing = null,
        };

        await table.SubmitTransactionAsync([new(TableTransactionActionType.Add, written)]);
        var read = (await table.GetEntityAsync<Thing>("p", "r")).Value;

        Assert.Equal((7, 8L, Colour.Blue, null), (read.Count, read.Total, read.Colour, read.Missing));
        Assert.Equal((written.Seen, DateTimeKind.Utc), (read.Seen, read.Seen.Kind));
        Assert.Equal([1, 2, 3], read.Bytes!.ToArray());
        Assert.NotEqual(default, read.ETag);
        Assert.NotNull(read.Timestamp);
    }

    [Fact]
    public async Task Times_that_are_not_UTC_and_enums_in_a_TableEntity_are_refused()
    {
        var table = await Azurite.NewTableAsync();

        await Assert.ThrowsAsync<NotSupportedException>(
            () => table.AddEntityAsync(new TableEntity("p", "r") { ["Local"] = DateTime.Now }));
        await Assert.ThrowsAsync<NotSupportedException>(
            () => table.AddEntityAsync(new TableEntity("p", "r") { ["Enum"] = Colour.Red }));
        await Assert.ThrowsAsync<ArgumentNullException>(
            () => table.AddEntityAsync(new TableEntity { RowKey = "no partition key" }));
    }

    [Fact]
    public void Reading_a_property_as_another_type_throws()
    {
        var entity = new TableEntity("p", "r") { ["n"] = 1 };

        Assert.Throws<InvalidOperationException>(() => entity.GetInt64("n"));
        Assert.Throws<InvalidOperationException>(() => entity.GetString("n"));
        Assert.Null(entity.GetInt64("absent"));
    }

    [Fact]
    public void A_new_value_may_take_the_type_of_the_old_one()
    {
        var entity = new TableEntity { ["long"] = 1L, ["double"] = 1d, ["text"] = "text", ["int"] = 1 };

        entity["long"] = 2;
        entity["double"] = 2;
        entity["text"] = 2;
        entity["int"] = "two";

        Assert.Equal([2L, 2d, 2, "two"], new[] { "long", "double", "text", "int" }.Select(name => entity[name]));
    }

    [Fact]
    public void An_error_code_is_compared_without_case_also_with_none()
    {
        string? none = null;

        Assert.True("entitynotfound" == TableErrorCode.EntityNotFound);
        Assert.False(none == TableErrorCode.EntityNotFound);
    }

    [Fact]
    public void Keys_and_system_properties_are_entries_of_the_dictionary()
    {
        var entity = new TableEntity("p", "r") { ETag = new ETag("x"), Timestamp = DateTimeOffset.UnixEpoch };

        Assert.Equal(["PartitionKey", "RowKey", "Timestamp", "odata.etag"], entity.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(default, new TableEntity().ETag);
    }

    private sealed class Thing : ITableEntity
    {
        public string PartitionKey { get; set; } = "";

        public string RowKey { get; set; } = "";

        public DateTimeOffset? Timestamp { get; set; }

        public ETag ETag { get; set; }

        public int Count { get; set; }

        public long Total { get; set; }

        public Colour Colour { get; set; }

        public DateTime Seen { get; set; }

        public BinaryData? Bytes { get; set; }

        public string? Missing { get; set; }
    }
}
