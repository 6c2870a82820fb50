using Azure;
using Outpost.Client;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Client;

/// <summary>What the simulated table promises, of a real service.</summary>
public sealed class Positions_in_a_table
{
    [Fact]
    public async Task Outlive_the_process()
    {
        var table = await Azurite.NewTableAsync();
        var store = new TableOffsetStore(table, "refunds", "one");
        Assert.Null(await store.LoadAsync(3, CancellationToken.None));
        for (var offset = 0; offset < 3; offset++) await store.StoreAsync(Position(offset), CancellationToken.None);

        Assert.Equal(Position(2), await new TableOffsetStore(table, "refunds", "two").LoadAsync(3, CancellationToken.None));
        Assert.Null(await new TableOffsetStore(table, "mails", "one").LoadAsync(3, CancellationToken.None));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Are_moved_by_one_reader_of_a_name_only(bool isFirst)
    {
        var table = await Azurite.NewTableAsync();
        if (!isFirst) await new TableOffsetStore(table, "refunds", "before").StoreAsync(Position(1), CancellationToken.None);
        var one = new TableOffsetStore(table, "refunds", "one");
        var two = new TableOffsetStore(table, "refunds", "two");
        await one.LoadAsync(3, CancellationToken.None);
        await two.LoadAsync(3, CancellationToken.None);
        await two.StoreAsync(Position(9), CancellationToken.None);

        var fenced = await Assert.ThrowsAsync<FeedException>(() => one.StoreAsync(Position(5), CancellationToken.None));

        Assert.Equal(FeedFailure.Fenced, fenced.Failure);
        Assert.Contains("(two) has stored k3v9x2ab-0003-0000000000000000009", fenced.Message, StringComparison.Ordinal);
        Assert.Equal(Position(9), await one.LoadAsync(3, CancellationToken.None));
    }

    [Fact]
    public async Task Say_so_when_they_were_deleted_meanwhile()
    {
        var table = await Azurite.NewTableAsync();
        var store = new TableOffsetStore(table, "refunds", "one");
        await store.StoreAsync(Position(1), CancellationToken.None);
        await table.DeleteEntityAsync("refunds", "0003", ETag.All);

        var fenced = await Assert.ThrowsAsync<FeedException>(() => store.StoreAsync(Position(2), CancellationToken.None));

        Assert.Equal(FeedFailure.Fenced, fenced.Failure);
    }

    private static FeedPosition Position(long offset) => new("k3v9x2ab", 3, offset);
}
