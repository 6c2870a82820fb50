using Azure.Data.Tables;
using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Tables;

public sealed class The_layout
{
    [Fact]
    public async Task Is_written_once_with_a_random_log_id()
    {
        await using var log = new SimulatedLog(partitions: 4);

        var layout = await log.Store.LayoutAsync(CancellationToken.None);

        Assert.Matches("^[a-z0-9]{8}$", layout.Log);
        Assert.Equal(4, layout.Partitions);
        var row = Assert.Single(log.Table.Rows("layout"));
        Assert.Equal(("layout", 1L, 4L, layout.Log), (row.RowKey, row.GetInt64("Schema"), row.GetInt64("Partitions"), row.GetString("Log")));
    }

    [Fact]
    public async Task Is_the_same_for_all_who_race_to_create_it()
    {
        await using var first = new SimulatedLog();
        var logs = Enumerable.Range(0, 8).Select(_ => first.AnotherProcess()).ToList();

        var layouts = await Task.WhenAll(logs.Select(log => Task.Run(() => log.Store.LayoutAsync(CancellationToken.None).AsTask())));

        Assert.Single(layouts.Distinct());
        Assert.Single(first.Table.Rows("layout"));
        foreach (var log in logs) await log.DisposeAsync();
    }

    [Fact]
    public async Task Is_our_own_when_the_client_sent_it_twice()
    {
        await using var log = new SimulatedLog();
        log.Table.Faults = request => request.Kind == TableOperation.Add ? new TableFault.SentTwice() : null;

        var layout = await log.Store.LayoutAsync(CancellationToken.None);

        Assert.Equal(layout.Log, log.Table.Rows("layout").Single().GetString("Log"));
    }

    [Fact]
    public async Task Is_read_once_and_remembered()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        log.Table.ForgetRequests();

        await log.Store.LayoutAsync(CancellationToken.None);

        Assert.Empty(log.Table.Requests);
    }

    // A host that stops closes the store; a request that was there before may ask only now.
    [Fact]
    public async Task Is_read_also_where_the_store_is_closed_already()
    {
        await using var log = new SimulatedLog(partitions: 4);
        await log.Store.DisposeAsync();

        Assert.Equal(4, (await log.Store.LayoutAsync(CancellationToken.None)).Partitions);
        Assert.IsType<CommandResult<Tally>.Busy>(await log.RunAsync(Tallies.Count("a", "a1")));
    }

    [Fact]
    public async Task Is_read_once_for_all_who_ask_at_once_though_the_first_leaves()
    {
        await using var log = new SimulatedLog();
        using var leaves = new CancellationTokenSource();
        var release = new TaskCompletionSource();
        log.Table.Faults = request => request.Kind == TableOperation.Get ? new TableFault.HeldBack(release.Task) : null;
        var first = log.Store.LayoutAsync(leaves.Token).AsTask();
        var others = Enumerable.Range(0, 8).Select(_ => log.Store.LayoutAsync(CancellationToken.None).AsTask()).ToList();
        leaves.CancelHere();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        release.SetResult();
        Assert.Single((await Task.WhenAll(others)).Distinct());
        Assert.Equal(1, log.Table.Sent(TableOperation.Get));
    }

    [Fact]
    public async Task Is_asked_for_again_after_a_failure()
    {
        await using var log = new SimulatedLog();
        log.Table.Faults = _ => new TableFault.BeforeEffect(TableError.Unreachable);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => log.Store.LayoutAsync(CancellationToken.None).AsTask());
        log.Table.Faults = null;

        Assert.Equal(1, (await log.Store.LayoutAsync(CancellationToken.None)).Partitions);
    }

    [Fact]
    public async Task Stops_whoever_has_another_partition_count()
    {
        await using var log = new SimulatedLog(partitions: 4);
        await log.Store.LayoutAsync(CancellationToken.None);
        await using var other = new SimulatedLog(log.Table, log.Time, partitions: 8);

        var refused = await Assert.ThrowsAsync<LayoutMismatchException>(() => other.Store.LayoutAsync(CancellationToken.None).AsTask());

        Assert.Contains("Outpost__PartitionCount: '8'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("outpost grow --partitions 8", refused.Message, StringComparison.Ordinal);
        Assert.Contains("set it to 4", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<LayoutMismatchException>(() => other.RunAsync(Tallies.Count("a", "a1")));
    }

    [Fact]
    public async Task Stops_whoever_does_not_know_its_schema_version()
    {
        await using var log = new SimulatedLog(new SimulatedTable(new HastyTime()));
        log.Table.Put(new TableEntity("layout", "layout") { ["Schema"] = 3L, ["Partitions"] = 1L, ["Log"] = "k3v9x2ab" });

        var refused = await Assert.ThrowsAsync<LayoutMismatchException>(() => log.Store.LayoutAsync(CancellationToken.None).AsTask());

        Assert.Contains("schema version 3", refused.Message, StringComparison.Ordinal);
    }

    // What docs/restore.md tells whoever restores a backup to do.
    [Fact]
    public async Task Makes_a_restored_table_that_lacks_it_another_log_with_the_same_entries_and_checkpoints()
    {
        await using var lost = new SimulatedLog();
        await lost.DoAsync(Tallies.Count("a", "a1"));
        await using var engine = lost.Engine([new Forwarder("f", new RecordingTarget())]);
        await engine.RunAsync(CancellationToken.None);
        var before = Assert.Single(await lost.EntriesAsync());
        await lost.Table.DeleteEntityAsync("layout", "layout");
        await using var restored = lost.AnotherProcess();
        var target = new RecordingTarget();

        await restored.DoAsync(Tallies.Count("a", "a2"));
        await using var again = restored.Engine([new Forwarder("f", target)], owner: "other");
        await again.RunAsync(CancellationToken.None);

        var entries = await restored.EntriesAsync();
        Assert.Equal([0L, 1L], entries.Select(entry => entry.Offset));
        Assert.Equal((before.Type, before.Subject, before.Timestamp), (entries[0].Type, entries[0].Subject, entries[0].Timestamp));
        Assert.All(entries, entry => Assert.NotEqual(before.Id.Log, entry.Id.Log));
        Assert.Equal([1L], target.Delivered.Select(entry => entry.Offset));
    }

    [Fact]
    public async Task Keeps_a_process_from_writing_to_a_log_that_went_back_while_it_ran()
    {
        await using var log = new SimulatedLog();
        foreach (var step in new[] { "1", "2", "3" }) await log.DoAsync(Tallies.Count(step, step));
        foreach (var row in log.Table.Rows("0000").ToList()) log.Table.Remove("0000", row.RowKey);

        // What became of it cannot be told; then the head is read.
        Assert.IsType<CommandResult<Tally>.Unknown>(await log.RunAsync(Tallies.Count("4", "4")));
        var refusal = await Assert.ThrowsAsync<LayoutMismatchException>(() => log.RunAsync(Tallies.Count("5", "5")));

        Assert.Contains("the head of partition 0000 went back from 3 to 0", refusal.Message, StringComparison.Ordinal);
        await using var restarted = log.AnotherProcess();
        await restarted.DoAsync(Tallies.Count("6", "6"));
    }
}
