using Azure;
using Azure.Data.Tables;
using Outpost.Client;

namespace Outpost.Tests.Unit.Client;

public sealed class Positions_in_a_table
{
    private readonly SimulatedTable _table = new(new HastyTime());

    [Fact]
    public async Task Outlive_the_process_one_for_each_partition()
    {
        var store = Store("one");
        foreach (var partition in new[] { 0, 3 })
        {
            Assert.Null(await store.LoadAsync(partition, CancellationToken.None));
            await store.StoreAsync(Position(7, partition), CancellationToken.None);
            await store.StoreAsync(Position(8, partition), CancellationToken.None);
        }

        Assert.Equal(Position(8), await Store("two").LoadAsync(0, CancellationToken.None));
        Assert.Equal(Position(8, 3), await Store("two").LoadAsync(3, CancellationToken.None));
        Assert.Equal(["0000", "0003"], _table.Rows("refunds").Select(row => row.RowKey));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Are_moved_by_one_reader_of_a_name_only(bool isFirst)
    {
        var one = Store("one");
        var two = Store("two");
        if (!isFirst) await Store("before").StoreAsync(Position(1), CancellationToken.None);
        await one.LoadAsync(0, CancellationToken.None);
        await two.LoadAsync(0, CancellationToken.None);
        await two.StoreAsync(Position(9), CancellationToken.None);

        var fenced = await Assert.ThrowsAsync<FeedException>(() => one.StoreAsync(Position(5), CancellationToken.None));

        Assert.Equal(FeedFailure.Fenced, fenced.Failure);
        Assert.Contains("(two) has stored k3v9x2ab-0000-0000000000000000009", fenced.Message, StringComparison.Ordinal);
        await two.StoreAsync(Position(10), CancellationToken.None);
        Assert.Equal(Position(10), await one.LoadAsync(0, CancellationToken.None));
    }

    [Fact]
    public async Task Are_not_moved_even_to_the_same_place_by_two()
    {
        var one = Store("one");
        var two = Store("two");
        await one.LoadAsync(0, CancellationToken.None);
        await two.LoadAsync(0, CancellationToken.None);
        await two.StoreAsync(Position(9), CancellationToken.None);

        await Assert.ThrowsAsync<FeedException>(() => one.StoreAsync(Position(9), CancellationToken.None));
    }

    [Fact]
    public async Task Are_stored_although_an_answer_was_lost_and_the_client_sent_its_request_twice()
    {
        var store = Store("one");
        await store.LoadAsync(0, CancellationToken.None);
        _table.Faults = request => request.Kind is TableOperation.Get ? null : new TableFault.SentTwice();

        for (var offset = 1; offset < 4; offset++) await store.StoreAsync(Position(offset), CancellationToken.None);

        Assert.Equal(Position(3), await store.LoadAsync(0, CancellationToken.None));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Are_stored_although_an_earlier_store_that_was_given_up_lands_late(bool isFirst)
    {
        var store = Store("one");
        if (!isFirst) await store.StoreAsync(Position(1), CancellationToken.None);
        await GiveUpAsync(store, Position(5));

        await store.StoreAsync(Position(3), CancellationToken.None);
        await store.StoreAsync(Position(4), CancellationToken.None);

        Assert.Equal(Position(4), await store.LoadAsync(0, CancellationToken.None));
    }

    [Fact]
    public async Task Are_left_alone_where_another_reader_comes_while_that_is_mended()
    {
        var one = Store("one");
        var two = Store("two");
        await one.StoreAsync(Position(1), CancellationToken.None);
        await GiveUpAsync(one, Position(5));
        var updates = 0;
        _table.Faults = request =>
        {
            if (request.Kind == TableOperation.Update && ++updates == 2)
                _table.Put(new TableEntity("refunds", "0000") { ["Next"] = Position(9).ToString(), ["Owner"] = "two" });
            return null;
        };

        var fenced = await Assert.ThrowsAsync<FeedException>(() => one.StoreAsync(Position(3), CancellationToken.None));

        Assert.Equal((FeedFailure.Fenced, 2), (fenced.Failure, updates));
        Assert.Equal(Position(9), await two.LoadAsync(0, CancellationToken.None));
    }

    [Fact]
    public async Task Say_so_when_they_were_deleted_meanwhile()
    {
        var store = Store("one");
        await store.StoreAsync(Position(1), CancellationToken.None);
        _table.Remove("refunds", "0000");

        var fenced = await Assert.ThrowsAsync<FeedException>(() => store.StoreAsync(Position(2), CancellationToken.None));

        Assert.Equal(FeedFailure.Fenced, fenced.Failure);
        Assert.Contains("deleted", fenced.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pass_on_what_may_pass()
    {
        var store = Store("one");
        _table.Faults = _ => new TableFault.BeforeEffect(() => new RequestFailedException(503, "busy"));

        await Assert.ThrowsAsync<RequestFailedException>(() => store.LoadAsync(0, CancellationToken.None));
        await Assert.ThrowsAsync<RequestFailedException>(() => store.StoreAsync(Position(1), CancellationToken.None));
    }

    [Theory]
    [InlineData("41")]
    [InlineData("k3v9x2ab-0001-0000000000000000041")]
    public async Task Are_not_guessed_from_a_row_that_holds_something_else(string next)
    {
        _table.Put(new TableEntity("refunds", "0000") { ["Next"] = next });

        var refused = await Assert.ThrowsAsync<FeedException>(() => Store("one").LoadAsync(0, CancellationToken.None));

        Assert.Equal(FeedFailure.InvalidPosition, refused.Failure);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("ü")]
    public void Have_names_that_a_key_may_have(string reader) =>
        Assert.Throws<ArgumentException>(() => new TableOffsetStore(_table, reader, "one"));

    // Its deadline passes, the position is loaded again, and only then the write takes effect.
    private async Task GiveUpAsync(TableOffsetStore store, FeedPosition position)
    {
        var landing = new Landing();
        _table.Faults = request => request.Kind is TableOperation.Get ? null : new TableFault.LandsLate(TableError.TimedOut, landing);
        await Assert.ThrowsAsync<TaskCanceledException>(() => store.StoreAsync(position, CancellationToken.None));
        _table.Faults = null;
        await store.LoadAsync(0, CancellationToken.None);
        landing.Now();
    }

    private static FeedPosition Position(long offset, int partition = 0) => new("k3v9x2ab", partition, offset);

    private TableOffsetStore Store(string owner) => new(_table, "refunds", owner);
}
