using Azure.Data.Tables;
using Outpost.Tests.Testing;
using Done = Outpost.CommandResult<Outpost.Orders.Order>.Done;

namespace Outpost.Tests.Integration.Log;

/// <summary>An event's time is the store's, whatever the machines that write believe.</summary>
public sealed class Clocks_that_are_wrong
{
    // The Date header has whole seconds, so an hour comes down to one; the rest is a busy machine.
    private static readonly TimeSpan Close = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task By_an_hour_either_way_are_corrected_before_the_first_commit()
    {
        var table = Azurite.NewTableName();
        await using var ahead = await OpenAsync(table, new OffTime(Hour));
        await using var behind = await OpenAsync(table, new OffTime(-Hour));

        await PlaceAsync(ahead, "first");
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => PlaceAsync(i % 2 == 0 ? ahead : behind, $"o-{i}")));
        await PlaceAsync(behind, "last");

        await AssertTheStoresTimeAsync(table, events: 42);
    }

    [Fact]
    public async Task By_an_hour_do_not_spoil_the_first_commit_to_an_old_log()
    {
        var table = Azurite.NewTableName();
        await using (var right = await OpenAsync(table, TimeProvider.System)) await PlaceAsync(right, "o-1");
        await using var ahead = await OpenAsync(table, new OffTime(Hour));
        await using var behind = await OpenAsync(table, new OffTime(-Hour));

        await PlaceAsync(behind, "o-2");
        await PlaceAsync(ahead, "o-3");
        await PlaceAsync(behind, "o-4");

        await AssertTheStoresTimeAsync(table, events: 4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task Because_somebody_sets_them_by_an_hour_matter_to_no_commit(int hours)
    {
        var table = Azurite.NewTableName();
        var time = new OffTime(TimeSpan.Zero);
        await using var log = await OpenAsync(table, time);
        await using var other = await OpenAsync(table, TimeProvider.System);
        await PlaceAsync(log, "o-1");

        // The head is known, so the next commit is the first request: there is no answer to learn the time from.
        time.SetOff(hours * Hour);
        await PlaceAsync(log, "o-2");
        await PlaceAsync(log, "o-3");
        await PlaceAsync(other, "o-4");

        await AssertTheStoresTimeAsync(table, events: 4);
    }

    private static async Task<TestLog> OpenAsync(string table, TimeProvider time) =>
        TestLog.Open(await Azurite.ConnectionStringAsync(), table, time: time);

    private static async Task PlaceAsync(TestLog log, string id) => Assert.IsType<Done>(await log.PlaceAsync(id, $"place {id}"));

    // Beside the time the writer gave, each row has the one the service stamped it with.
    private static async Task AssertTheStoresTimeAsync(string table, int events)
    {
        await using var log = TestLog.Open(await Azurite.ConnectionStringAsync(), table);
        var times = new List<DateTimeOffset>();
        await foreach (var row in log.Table.QueryAsync<TableEntity>("PartitionKey eq '0000' and RowKey ge 'e|' and RowKey lt 'f'"))
        {
            times.Add(row.GetDateTimeOffset("At")!.Value);
            Assert.InRange(times[^1], row.Timestamp!.Value - Close, row.Timestamp.Value + Close);
        }

        Assert.Equal(events, times.Count);
        Assert.Equal(times.Order(), times);
    }
}
