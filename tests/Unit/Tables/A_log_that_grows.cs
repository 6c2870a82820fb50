using System.Diagnostics.Metrics;
using Azure.Data.Tables;
using Outpost.Forwarding;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

public sealed class A_log_that_grows
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Is_finished_by_the_next_try_wherever_the_first_one_died(bool takesEffect)
    {
        for (var requests = 0; ; requests++)
        {
            await using var log = new SimulatedLog(partitions: 2);
            await log.DoAsync(Tallies.Count("a", "1"));
            await using var other = log.AnotherProcess();
            await other.DoAsync(Tallies.Count("b", "1"));
            var left = requests;
            log.Table.Faults = _ => left-- > 0 ? null : takesEffect && left == -1 ? new TableFault.AfterEffect(TableError.Unreachable) : new TableFault.BeforeEffect(TableError.Unreachable);
            var isDone = await DiedAsync(log, 5);
            log.Table.Faults = null;

            await GrowAsync(log, 5);

            await CheckAsync(log, other, 5);
            if (isDone) break;
            Assert.InRange(requests, 0, 100);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Takes_new_entities_wherever_growing_died(bool takesEffect)
    {
        for (var requests = 0; ; requests++)
        {
            await using var log = new SimulatedLog(partitions: 2);
            await log.DoAsync(Tallies.Count("a", "1"));
            await using var other = log.AnotherProcess();
            await other.DoAsync(Tallies.Count("b", "1"));
            var left = requests;
            log.Table.Faults = _ => left-- > 0 ? null : takesEffect && left == -1 ? new TableFault.AfterEffect(TableError.Unreachable) : new TableFault.BeforeEffect(TableError.Unreachable);
            var isDone = await DiedAsync(log, 5);
            log.Table.Faults = null;

            for (var i = 0; i < 8; i++) await (i % 2 == 0 ? log : other).DoAsync(Tallies.Count($"new{i}", "1") with { LikelyNew = i % 3 == 0 });

            await CheckAsync(log, other, (int)Layout(log).GetInt64("Partitions")!.Value);
            if (isDone) break;
            Assert.InRange(requests, 0, 100);
        }
    }

    [Fact]
    public async Task Is_written_so_that_an_older_version_can_neither_start_nor_commit()
    {
        await using var log = new SimulatedLog(partitions: 2);
        await log.DoAsync(Tallies.Count("a", "1"));

        await GrowAsync(log, 4);

        // It takes schema version 1 only, and needs Next, in every partition, also where nothing was committed yet.
        Assert.Equal(2, Layout(log).GetInt64("Schema"));
        for (var partition = 0; partition < 4; partition++)
        {
            var head = log.Table.Row($"{partition:D4}", "!head");
            Assert.NotNull(head);
            Assert.False(head.ContainsKey("Next"));
        }
    }

    [Fact]
    public async Task Was_as_an_older_version_has_it_before_it_grew()
    {
        await using var log = new SimulatedLog(partitions: 2);

        await log.DoAsync(Tallies.Count("a", "1"));

        Assert.Equal(["Log", "Partitions", "Schema"], Names(Layout(log)));
        var head = log.Table.Row($"{LogLayout.PartitionOf("tally/a", 2):D4}", "!head");
        Assert.Equal(["At", "Commit", "Next"], Names(head!));
    }

    [Theory]
    [InlineData(1, "outpost grow --partitions", false)]
    [InlineData(2, "A log never has fewer", false)]
    [InlineData(8, "outpost grow --partitions 8", false)]
    [InlineData(4, null, true)]
    public async Task Starts_with_its_own_count_only(int partitions, string? message, bool starts)
    {
        await using var log = new SimulatedLog(partitions: 2);
        await log.DoAsync(Tallies.Count("a", "1"));
        await GrowAsync(log, 4);
        await using var another = new SimulatedLog(log.Table, log.Time, partitions);

        var started = another.Store.LayoutAsync(CancellationToken.None).AsTask();

        if (starts)
        {
            Assert.Equal([2, 4], (await started).Counts);
            return;
        }

        var refused = await Assert.ThrowsAsync<LayoutMismatchException>(() => started);
        Assert.Equal(partitions > 4, refused.Message.Contains("outpost grow", StringComparison.Ordinal));
        if (partitions > 1) Assert.Contains(message!, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Looks_for_an_older_entity_once_more_and_remembers_where_it_is()
    {
        await using var log = new SimulatedLog(partitions: 1);
        using var metrics = new OutpostMetrics();
        var older = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            {
                if (instrument.Name == "outpost.entity.older_reads") all.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Interlocked.Add(ref older, value));
        listener.Start();
        var id = Enumerable.Range(0, 100).Select(i => $"a{i}").First(id => LogLayout.PartitionOf($"tally/{id}", 8) > 0);
        await log.DoAsync(Tallies.Count(id, "1"));
        await GrowAsync(log, 8);
        var commands = new EventLog(log.Store, log.Time, metrics);
        await commands.ReadAsync(Tallies.Entity, "nobody", CancellationToken.None);
        Interlocked.Exchange(ref older, 0);
        log.Table.ForgetRequests();

        await commands.ReadAsync(Tallies.Entity, id, CancellationToken.None);
        await commands.ReadAsync(Tallies.Entity, id, CancellationToken.None);

        Assert.Equal(3, log.Table.Requests.Count);
        Assert.Equal(1, Interlocked.Read(ref older));
    }

    [Fact]
    public async Task Is_known_by_who_reads_any_partition_of_it()
    {
        await using var log = new SimulatedLog(partitions: 2);
        await log.DoAsync(Tallies.Count("a", "1"));
        await using var other = log.AnotherProcess();
        await other.Store.LayoutAsync(CancellationToken.None);
        await GrowAsync(log, 7);

        var states = await other.Store.OfAllPartitionsAsync(partition => other.Store.ReadPartitionAsync(partition, CancellationToken.None), CancellationToken.None);

        Assert.Equal(Enumerable.Range(0, 7), states.Select(state => state.Partition));
        Assert.Equal(7, other.Store.Heads.Partitions);
    }

    [Fact]
    public async Task Costs_an_idle_tick_no_more_than_a_query_of_each_partition()
    {
        await using var log = new SimulatedLog(partitions: 2);
        await log.DoAsync(Tallies.Count("a", "1"));
        await GrowAsync(log, 4);
        await log.Store.RefreshLayoutAsync(CancellationToken.None);
        await using var engine = log.Engine([new Forwarder("bus", new RecordingTarget())]);
        await engine.RunAsync(CancellationToken.None);
        log.Table.ForgetRequests();

        await engine.RunAsync(CancellationToken.None);

        Assert.Equal(4, log.Table.Requests.Count);
    }

    [Fact]
    public async Task Has_a_running_forwarder_deliver_what_comes_in_new_partitions()
    {
        await using var log = new SimulatedLog(partitions: 1);
        var target = new RecordingTarget();
        await using var engine = log.Engine([new Forwarder("bus", target) { StartAt = StartAt.Head }]);
        await log.DoAsync(Tallies.Count("a", "1"));
        await engine.RunAsync(CancellationToken.None);
        await using var writer = log.AnotherProcess();
        await writer.Store.LayoutAsync(CancellationToken.None);
        await GrowAsync(log, 4);
        for (var i = 0; i < 12; i++) await writer.DoAsync(Tallies.Count($"t{i}", $"t{i}"));

        await engine.RunAsync(CancellationToken.None);

        // The first tick began at the head of the only partition there was; all that came since is delivered.
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"t{i}").Order(), target.Delivered.Select(Tallies.StepOf).Order());
    }

    [Fact]
    public async Task Cannot_have_fewer_partitions_than_it_had_and_is_left_as_it_is_by_the_same_count()
    {
        await using var log = new SimulatedLog(partitions: 4);
        await log.DoAsync(Tallies.Count("a", "1"));

        await Assert.ThrowsAsync<LayoutMismatchException>(() => GrowAsync(log, 3));
        var layout = await GrowAsync(log, 4);

        Assert.Equal([4], layout.Counts);
        Assert.Equal(1, Layout(log).GetInt64("Schema"));
        await using var nothing = new SimulatedLog();
        await Assert.ThrowsAnyAsync<OutpostException>(() => GrowAsync(nothing, 4));
        Assert.Empty(nothing.Table.Rows("layout"));
    }

    private static Task<LogLayout> GrowAsync(SimulatedLog log, int partitions) =>
        new LogGrowth(log.Table, log.Clock, log.Sources).GrowAsync(partitions, null, CancellationToken.None);

    // False: it did not come to its end.
    private static async Task<bool> DiedAsync(SimulatedLog log, int partitions)
    {
        try
        {
            await GrowAsync(log, partitions);
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    // Each entity is in one partition, that of the count of its time, and each subject's versions have no hole.
    private static async Task CheckAsync(SimulatedLog log, SimulatedLog other, int partitions)
    {
        await other.DoAsync(Tallies.Count("a", "2"));
        await log.DoAsync(Tallies.Count("b", "2"));
        await log.DoAsync(Tallies.Count("c", "1"));
        await other.DoAsync(Tallies.Count("c", "2"));
        var places = Enumerable.Range(0, 8)
            .SelectMany(partition => log.Table.Rows($"{partition:D4}").Where(row => row.RowKey[0] == 'd').Select(row => (row.RowKey, Partition: partition, Version: row.GetInt64("Version"))))
            .ToLookup(row => row.RowKey);
        Assert.All(places, place => Assert.Single(place));
        Assert.Equal((LogLayout.PartitionOf("tally/a", 2), 2L), (places["d|tally|a"].Single().Partition, places["d|tally|a"].Single().Version));
        Assert.Equal((LogLayout.PartitionOf("tally/b", 2), 2L), (places["d|tally|b"].Single().Partition, places["d|tally|b"].Single().Version));
        Assert.Equal((LogLayout.PartitionOf("tally/c", partitions), 2L), (places["d|tally|c"].Single().Partition, places["d|tally|c"].Single().Version));
    }

    private static TableEntity Layout(SimulatedLog log) => log.Table.Row("layout", "layout")!;

    private static IEnumerable<string> Names(TableEntity row) => row.Keys.Except(["PartitionKey", "RowKey", "Timestamp", "odata.etag"]).Order(StringComparer.Ordinal);
}
