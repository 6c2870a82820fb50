using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Retention;

namespace Outpost.Tests.Testing.Contract;

public abstract partial class LogContract
{
    [Fact]
    public async Task Traces_which_entries_came_from_one_commit_and_which_have_receipts()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1", events: 2, key: "k"));
        await log.DoAsync(Tallies.Count("b", "b1"));

        var traces = await log.Retention.ReadTracesAsync(0, 0, 100, CancellationToken.None);

        Assert.Equal([0L, 1, 2], traces.Select(trace => trace.Offset));
        Assert.Equal((await log.EntriesAsync()).Select(entry => entry.Timestamp), traces.Select(trace => trace.At));
        Assert.Equal((traces[0].Commit, traces[0].Receipt, null), (traces[1].Commit, traces[1].Receipt, traces[2].Receipt));
        Assert.NotNull(traces[0].Receipt);
        Assert.NotEqual(traces[0].Commit, traces[2].Commit);
        Assert.Equal([1L], (await log.Retention.ReadTracesAsync(0, 1, 1, CancellationToken.None)).Select(trace => trace.Offset));
    }

    [Fact]
    public async Task Moves_the_oldest_offset_where_nobody_else_did_and_then_deletes()
    {
        await using var log = await ForwardedAsync();

        var moved = await log.Retention.SaveOldestAsync(0, 4, new Trimmed(0, 0, null), CancellationToken.None);
        await log.Retention.DeleteEventsAsync(0, 0, 3, CancellationToken.None);
        await log.Retention.DeleteEventsAsync(0, 0, 4, CancellationToken.None);
        var again = await log.Retention.SaveOldestAsync(0, 4, moved! with { Rows = 4 }, CancellationToken.None);

        Assert.Null(await log.Retention.SaveOldestAsync(0, 9, moved!, CancellationToken.None));
        Assert.Null(await log.Retention.SaveOldestAsync(0, 9, new Trimmed(0, 0, null), CancellationToken.None));
        var state = await log.StateAsync();
        Assert.Equal((4L, 40L, 4L, again!.Tag), (state.Oldest, state.Head, state.Trimmed.Rows, state.Trimmed.Tag));
        Assert.Empty(await log.Retention.ReadTracesAsync(0, 3, 10, CancellationToken.None));
        Assert.Equal(4, (await log.Retention.ReadTracesAsync(0, 4, 10, CancellationToken.None))[0].Offset);
    }

    [Fact]
    public async Task Lets_a_command_be_new_again_once_its_receipt_is_deleted_and_never_deletes_the_one_that_took_its_place()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "first", key: "k"));
        var before = await log.StateAsync();
        var late = await log.Retention.ReadTracesAsync(0, 0, 100, CancellationToken.None);

        var trimmed = await log.Retention.DeleteReceiptsAsync(0, before.Oldest, before.Trimmed with { Receipts = 1 }, late, CancellationToken.None);
        Assert.False((await log.DoAsync(Tallies.Count("a", "second", key: "k"))).Replayed);

        Assert.Null(await log.Retention.DeleteReceiptsAsync(0, before.Oldest, before.Trimmed with { Receipts = 1 }, late, CancellationToken.None));
        Assert.Equal((1L, trimmed!.Tag), ((await log.StateAsync()).Trimmed.Receipts, (await log.StateAsync()).Trimmed.Tag));
        Assert.True((await log.DoAsync(Tallies.Count("a", "second", key: "k"))).Replayed);
    }

    [Fact]
    public async Task Lets_a_forwarder_begin_only_with_what_retention_has_left()
    {
        await using var log = await ForwardedAsync();
        var before = await log.StateAsync();
        var moved = await log.Retention.SaveOldestAsync(0, 4, before.Trimmed, CancellationToken.None);

        Assert.Null(await log.Forwarding.BeginAsync(before, Of("servicebus", 0), CancellationToken.None));
        Assert.NotNull(await log.Forwarding.BeginAsync(await log.StateAsync(), Of("servicebus", 4), CancellationToken.None));

        // And retention that had looked before has to look again.
        Assert.Null(await log.Retention.SaveOldestAsync(0, 9, moved!, CancellationToken.None));
        Assert.Equal(4, (await log.StateAsync()).Oldest);
    }

    [Fact]
    public async Task Takes_a_replay_only_of_what_retention_has_left()
    {
        await using var log = await ForwardedAsync();
        var before = await log.StateAsync();
        var moved = await log.Retention.SaveOldestAsync(0, 4, before.Trimmed, CancellationToken.None);

        Assert.False(await log.Forwarding.SaveControlAsync(0, "servicebus", Control.None with { IsPaused = true }, before, CancellationToken.None));
        Assert.Empty((await log.StateAsync()).Controls);
        Assert.True(await log.Forwarding.SaveControlAsync(0, "servicebus", Control.None with { IsPaused = true }, await log.StateAsync(), CancellationToken.None));
        Assert.Null(await log.Retention.SaveOldestAsync(0, 9, moved!, CancellationToken.None));
    }

    [Fact]
    public async Task Gives_the_real_retention_all_it_needs_to_delete_what_everybody_has()
    {
        await using var log = await StartAsync();
        for (var i = 0; i < 250; i++) await log.DoAsync(Tallies.Count($"t{i}", $"{i}", key: "k"));
        using var metrics = new OutpostMetrics();
        var watch = new PartitionWatch(log.Events, Sources);
        await using var engine = new ForwardingEngine(
            log.Events, log.Forwarding, watch, [new Forwarder("servicebus", new RecordingTarget(batchSize: 100))],
            new ForwardingOptions { Owner = "me", Linger = TimeSpan.Zero }, Sources, metrics, NullLogger<ForwardingEngine>.Instance);
        await engine.RunAsync(CancellationToken.None);
        await log.DoAsync(Tallies.Count("last", "250", key: "k"));
        // Old at once: no store's clock has to move.
        var old = TimeSpan.FromSeconds(-10);
        var retention = new RetentionRunner(
            log.Events, log.Retention, log.Forwarding, watch, engine, new RetentionOptions(old, old), Sources, metrics,
            NullLogger<RetentionRunner>.Instance);

        await retention.RunAsync(CancellationToken.None);

        // The last one is forwarded nowhere yet.
        var state = await log.StateAsync();
        Assert.Equal((250L, 251L, 250L), (state.Oldest, state.Head, state.Trimmed.Rows));
        Assert.Empty(await log.Retention.ReadTracesAsync(0, 249, 10, CancellationToken.None));
        Assert.False((await log.DoAsync(Tallies.Count("t0", "again", key: "k"))).Replayed);
    }

    [Fact]
    public async Task Keeps_one_heartbeat_for_each_process()
    {
        await using var log = await StartAsync();
        await log.Events.LayoutAsync(CancellationToken.None);
        var one = new Heartbeat("one", Noon, Noon, TimeSpan.FromSeconds(10), ["servicebus", "refunds"], IsStopped: false);
        await log.Heartbeats.SaveAsync(one with { At = Noon.AddMinutes(-1) }, CancellationToken.None);
        await log.Heartbeats.SaveAsync(one, CancellationToken.None);
        await log.Heartbeats.SaveAsync(one with { Process = "two", TimerAt = null, Forwarders = [], IsStopped = true }, CancellationToken.None);

        var read = await log.Heartbeats.ReadAsync(CancellationToken.None);
        await log.Heartbeats.DeleteAsync("one", CancellationToken.None);

        Assert.Equal([("one", Noon, false), ("two", Noon, true)], read.Select(beat => (beat.Process, beat.At, beat.IsStopped)).Order());
        Assert.Equal(["servicebus", "refunds"], read.Single(beat => beat.Process == "one").Forwarders);
        Assert.Null(read.Single(beat => beat.Process == "two").TimerAt);
        Assert.Equal(["two"], (await log.Heartbeats.ReadAsync(CancellationToken.None)).Select(beat => beat.Process));
        await log.Heartbeats.DeleteAsync("one", CancellationToken.None);
    }
}
