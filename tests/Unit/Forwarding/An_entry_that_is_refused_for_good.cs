using Outpost.Forwarding;
using static Outpost.Tests.Unit.Forwarding.ParkedLog;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class An_entry_that_is_refused_for_good
{
    [Fact]
    public async Task Is_found_among_a_thousand_in_few_deliveries_and_parked_with_its_reason()
    {
        await using var log = await WithAsync([.. Enumerable.Range(0, 1000).Select(i => $"s{i % 200}")]);
        var target = new RecordingTarget(batchSize: 100) { Refuses = Only(533) };

        var run = await log.ForwardAsync(target);

        // Of its subject, 733 and 933 come after it.
        Assert.Equal(["533: It is refused.", "733: behind 533", "933: behind 533"], await log.ParkedTextAsync());
        Assert.Equal(Enumerable.Range(0, 1000).Except([533, 733, 933]), target.Offsets());
        // Ten batches and the ends of pages, twice seven halves, and no more.
        Assert.InRange(target.Deliveries, 11, 32);
        var checkpoint = await log.CheckpointAsync();
        Assert.Equal((1000L, 3, null, 0), (checkpoint.NextOffset, checkpoint.Parked, checkpoint.LastError, run.FailedPartitions));
    }

    [Theory]
    [InlineData(0, "the first of all")]
    [InlineData(9, "the last of a batch")]
    [InlineData(10, "the first of a batch")]
    [InlineData(249, "the last of a page")]
    [InlineData(250, "the first of a page")]
    [InlineData(299, "the last of all")]
    public async Task Is_parked_alone_wherever_it_is(int offset, string where)
    {
        await using var log = await WithAsync([.. Enumerable.Range(0, 300).Select(i => $"s{i}")]);
        await using var reader = log.AnotherProcess();
        var target = new RecordingTarget { Refuses = Only(offset) };

        // A process that did not commit them reads them from the table.
        await reader.ForwardAsync(target);

        Assert.Equal([$"{offset}: It is refused.", where], [.. await log.ParkedTextAsync(), where]);
        Assert.Equal(Enumerable.Range(0, 300).Except([offset]), target.Offsets());
        Assert.Equal(1, (await log.CheckpointAsync()).Parked);
    }

    [Fact]
    public async Task Holds_later_entries_of_its_subject_and_nobody_else()
    {
        await using var log = await WithAsync("a", "b", "a", "c", "a", "b");
        var target = new RecordingTarget { Refuses = Only(0) };
        await log.ForwardAsync(target);
        await log.AddAsync("c", "a");

        await log.ForwardAsync(target);

        Assert.Equal([1, 3, 5, 6], target.Offsets());
        Assert.Equal(["0: It is refused.", "2: behind 0", "4: behind 0", "7: behind 0"], await log.ParkedTextAsync());
        Assert.Equal([(1, null), (0, 0L), (0, 0L), (0, 0L)], (await log.ParkedAsync()).Select(entry => (entry.Attempts, entry.Behind)));
        Assert.All((await log.ParkedAsync()).Select(entry => (entry.Subject, entry.Type)), what => Assert.Equal(("tally/a", "Counted"), what));
    }

    [Fact]
    public async Task Is_asked_for_once_when_another_of_its_subject_would_be_refused_too()
    {
        await using var log = await WithAsync("a", "b", "a", "a");
        var target = new RecordingTarget { Refuses = Only(0, 2) };

        await log.ForwardAsync(target);

        Assert.Equal(["0: It is refused.", "2: behind 0", "3: behind 0"], await log.ParkedTextAsync());
        Assert.Equal([1], target.Offsets());
    }

    [Fact]
    public async Task Waits_with_a_hundred_followers_of_one_page_in_several_writes()
    {
        await using var log = await WithAsync("a");
        await log.AddManyAsync("a", 240);
        await log.AddAsync("b");
        var target = new RecordingTarget(batchSize: 300) { Refuses = Only(0) };

        await log.ForwardAsync(target);

        Assert.Equal([241], target.Offsets());
        Assert.Equal(241, (await log.ParkedAsync()).Count);
        Assert.Equal((242L, 241), ((await log.CheckpointAsync()).NextOffset, (await log.CheckpointAsync()).Parked));
    }

    // Whatever goes wrong with one request: nothing lost, nothing parked twice, and the count is that of the rows.
    [Theory]
    [InlineData("unreachable")]
    [InlineData("answer lost")]
    [InlineData("sent twice by the client")]
    [InlineData("500")]
    [InlineData("the process dies")]
    public Task Is_parked_together_with_the_checkpoint_whatever_request_goes_wrong(string kind) => AtEachRequestAsync(kind, async goWrong =>
    {
        await using var log = await WithAsync("a", "b", "c", "d", "c", "b", "e", "c", "a", "f", "c", "g");
        await using var reader = log.AnotherProcess();
        await reader.Store.LayoutAsync(CancellationToken.None);
        var target = new RecordingTarget(batchSize: 5) { Refuses = Only(2) };
        goWrong(log);

        await reader.ForwardAsync(target);
        log.Table.Faults = null;
        // Parked rows and the checkpoint are one write.
        var rows = log.Table.Rows("0000");
        Assert.True(rows.Any(row => row.RowKey == "c|servicebus") || !rows.Any(row => row.RowKey.StartsWith("p|", StringComparison.Ordinal)));
        if (log.Table.Rows("0000").Any(row => row.RowKey == "c|servicebus"))
            Assert.Equal((await log.ParkedAsync()).Count, (await log.CheckpointAsync()).Parked);
        await reader.ForwardAsync(target);

        Assert.Equal(["2: It is refused.", "4: behind 2", "7: behind 2", "10: behind 2"], await log.ParkedTextAsync());
        var checkpoint = await log.CheckpointAsync();
        Assert.Equal((12L, 4, null), (checkpoint.NextOffset, checkpoint.Parked, checkpoint.LastError));
        Assert.Equal([0, 1, 3, 5, 6, 8, 9, 11], target.Offsets().Distinct());
    });

    [Fact]
    public async Task Is_not_parked_any_more_after_ten_in_a_row_until_the_target_takes_one()
    {
        await using var log = await WithAsync([.. Enumerable.Range(0, 30).Select(i => $"s{i}")]);
        var target = new RecordingTarget { Refuses = _ => true };
        await using var engine = log.To(target);

        var run = await engine.RunAsync(CancellationToken.None);
        var failing = await log.CheckpointAsync();
        await engine.RunAsync(CancellationToken.None);

        Assert.Equal((1, 10L, 10), (run.FailedPartitions, failing.NextOffset, failing.Parked));
        Assert.Contains("refused 10 entries in a row", failing.LastError, StringComparison.Ordinal);
        Assert.Equal((10, 2), ((await log.CheckpointAsync()).Parked, (await log.CheckpointAsync()).Failures));
        Assert.Equal("failing", (await StatusAsync(log, engine)).State);

        target.Refuses = null;
        await engine.RunAsync(CancellationToken.None);

        Assert.Equal(Enumerable.Range(10, 20), target.Offsets());
        Assert.Equal(("idle", null), ((await StatusAsync(log, engine)).State, (await log.CheckpointAsync()).LastError));
    }

    // Eleven bad entries side by side look like a target that refuses everything; an operator can tell the difference.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Is_parked_again_after_ten_in_a_row_when_an_operator_discards_or_retries_one(bool discards)
    {
        await using var log = await WithAsync([.. Enumerable.Range(0, 20).Select(i => $"s{i}")]);
        var target = new RecordingTarget { Refuses = entry => entry.Offset < 13 };
        await using var engine = log.To(target);
        await engine.RunAsync(CancellationToken.None);
        Assert.Equal(10, (await log.CheckpointAsync()).NextOffset);

        if (discards) await log.Operators(engine).DiscardAsync(Name, 0, 4, "known", CancellationToken.None);
        else
        {
            target.Refuses = entry => entry.Offset is < 13 and not 4;
            await log.Operators(engine).RetryAsync(Name, 0, 4, CancellationToken.None);
        }

        await engine.RunAsync(CancellationToken.None);

        Assert.Equal(20, (await log.CheckpointAsync()).NextOffset);
        Assert.Equal(Enumerable.Range(0, 13).Except([4]), (await log.ParkedAsync()).Select(entry => (int)entry.Offset));
    }

    // Somebody looked, although it did not help.
    [Fact]
    public async Task Is_parked_again_after_ten_in_a_row_when_an_operator_s_retry_is_refused_too()
    {
        await using var log = await WithAsync([.. Enumerable.Range(0, 30).Select(i => $"s{i}")]);
        var target = new RecordingTarget { Refuses = _ => true };
        await log.ForwardAsync(target);
        Assert.Equal(10, (await log.CheckpointAsync()).NextOffset);

        await log.Operators().RetryAsync(Name, 0, 4, CancellationToken.None);
        await log.ForwardAsync(target);

        Assert.Equal((20L, 20), ((await log.CheckpointAsync()).NextOffset, (await log.CheckpointAsync()).Parked));
    }

    // Another process would otherwise park ten more, and each that is started after it.
    [Fact]
    public async Task Is_counted_with_those_that_other_processes_were_refused()
    {
        await using var log = await WithAsync([.. Enumerable.Range(0, 30).Select(i => $"s{i}")]);
        var target = new RecordingTarget { Refuses = _ => true };
        for (var i = 0; i < 3; i++)
        {
            await using var process = log.AnotherProcess();
            await process.ForwardAsync(target, owner: $"p{i}");
        }

        Assert.Equal((10L, 10), ((await log.CheckpointAsync()).NextOffset, (await log.CheckpointAsync()).Parked));
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(0, 30)]
    public async Task Stops_the_forwarder_after_as_many_in_a_row_as_it_is_set_to_or_never(int refusals, int parked)
    {
        await using var log = await WithAsync([.. Enumerable.Range(0, 30).Select(i => $"s{i}")]);
        await using var engine = log.Engine([new Forwarder(Name, new RecordingTarget { Refuses = _ => true }) { RefusalsInARow = refusals }]);

        await engine.RunAsync(CancellationToken.None);

        Assert.Equal(parked, (await log.CheckpointAsync()).Parked);
        var standing = (await StatusAsync(log, engine)).Partitions[0];
        Assert.Equal((parked, refusals > 0), (standing.RefusedInARow, standing.FailingSince is not null));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Holds_the_partition_with_a_thousand_followers_and_says_so_until_an_operator_decides(bool discards)
    {
        await using var log = await WithAsync("a");
        await log.AddManyAsync("a", 1200);
        await log.AddAsync("b", "a");
        var target = new RecordingTarget(batchSize: 100) { Refuses = Only(0) };
        var run = await log.ForwardAsync(target);
        var held = await log.CheckpointAsync();
        Assert.Equal((1, 1001L, 1001), (run.FailedPartitions, held.NextOffset, held.Parked));
        Assert.Contains("1000 entries wait behind parked ones", held.LastError, StringComparison.Ordinal);
        Assert.Equal(1001, await CountAsync(log));

        target.Refuses = null;
        if (discards) await log.Operators().DiscardAsync(Name, 0, 0, "known", CancellationToken.None);
        else await log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None);
        run = await log.ForwardAsync(target);

        Assert.Equal(0, run.FailedPartitions);
        Assert.Equal(
            [.. discards ? [] : new[] { 0 }, .. Enumerable.Range(1, 1200), 1202], target.Delivered.Where(entry => entry.Subject == "tally/a").Select(entry => (int)entry.Offset));
        Assert.Contains(1201, target.Offsets());
        Assert.Equal((1203L, 0), ((await log.CheckpointAsync()).NextOffset, (await log.CheckpointAsync()).Parked));
        Assert.Equal(0, await CountAsync(log));
    }

    private static Task<int> CountAsync(SimulatedLog log) =>
        Task.FromResult(log.Table.Rows("0000").Count(row => row.RowKey.StartsWith("p|", StringComparison.Ordinal)));

    private static async Task<ForwarderStatus> StatusAsync(SimulatedLog log, ForwardingEngine engine) =>
        (await log.Operators(engine).StatusAsync(CancellationToken.None)).Forwarders.Single();
}
