using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_forwarder
{
    [Fact]
    public async Task Delivers_every_entry_once_and_in_order()
    {
        await using var log = await WithEventsAsync(35);
        var target = new RecordingTarget(batchSize: 10);

        var run = await Forwarder(log, target).RunAsync(CancellationToken.None);

        Assert.Equal(new ForwardRun(35, 4, 0), run);
        Assert.Equal(Enumerable.Range(0, 35), target.Delivered.Select(entry => (int)entry.Offset));
        Assert.Equal(35, (await CheckpointAsync(log))!.NextOffset);
    }

    [Fact]
    public async Task Goes_on_where_the_last_run_ended()
    {
        await using var log = await WithEventsAsync(5);
        var target = new RecordingTarget();
        await Forwarder(log, target).RunAsync(CancellationToken.None);
        await AddAsync(log, 3);

        await Forwarder(log, target).RunAsync(CancellationToken.None);

        Assert.Equal(Enumerable.Range(0, 8), target.Delivered.Select(entry => (int)entry.Offset));
    }

    [Fact]
    public async Task Moves_the_checkpoint_at_most_once_for_each_accepted_batch_and_only_then()
    {
        await using var log = await WithEventsAsync(25);
        log.Table.ForgetRequests();
        var seen = new List<long?>();
        var target = new RecordingTarget(batchSize: 10)
        {
            Before = (_, _) =>
            {
                seen.Add(log.Table.Rows("0000").SingleOrDefault(row => row.RowKey == "c|servicebus")?.GetInt64("Next"));
                return Task.CompletedTask;
            },
        };

        await Forwarder(log, target).RunAsync(CancellationToken.None);

        // A checkpoint may be on its way while the next batches are delivered, never ahead of what was.
        Assert.Equal(3, seen.Count);
        Assert.All(seen.Select((next, delivered) => (next, delivered)), at => Assert.InRange(at.next!.Value, 0, 10 * at.delivered));
        // The lease is taken, at most one write for each of three batches, and given back.
        Assert.Equal(1, log.Table.Sent(TableOperation.Transaction));
        Assert.InRange(log.Table.Sent(TableOperation.Update), 2, 4);
    }

    [Fact]
    public async Task Leaves_the_checkpoint_where_it_is_when_the_target_fails()
    {
        await using var log = await WithEventsAsync(25);
        var target = new RecordingTarget(batchSize: 10) { Before = FailAt(2) };

        var run = await Forwarder(log, target).RunAsync(CancellationToken.None);

        Assert.Equal(new ForwardRun(10, 1, 1), run);
        Assert.Equal(10, (await CheckpointAsync(log))!.NextOffset);
    }

    [Fact]
    public async Task Delivers_again_what_a_failing_target_may_have_taken()
    {
        await using var log = await WithEventsAsync(15);
        var target = new RecordingTarget(batchSize: 10)
        {
            After = number => number == 1 ? throw new IOException("The answer got lost.") : Task.CompletedTask,
        };
        await Forwarder(log, target).RunAsync(CancellationToken.None);
        Assert.Equal(0, (await CheckpointAsync(log))!.NextOffset);

        await Forwarder(log, target).RunAsync(CancellationToken.None);

        Assert.Equal([.. Enumerable.Range(0, 10), .. Enumerable.Range(0, 15)], target.Delivered.Select(entry => (int)entry.Offset));
    }

    [Fact]
    public async Task Recognises_its_own_checkpoint_when_the_client_sent_it_twice()
    {
        await using var log = await WithEventsAsync(25);
        log.Table.Faults = request => request.Kind is TableOperation.Transaction or TableOperation.Update ? new TableFault.SentTwice() : null;
        var target = new RecordingTarget(batchSize: 10);

        var run = await Forwarder(log, target).RunAsync(CancellationToken.None);

        Assert.Equal(new ForwardRun(25, 3, 0), run);
        Assert.Equal(25, (await CheckpointAsync(log))!.NextOffset);
    }

    [Fact]
    public async Task Stops_at_once_when_another_process_moved_the_checkpoint()
    {
        await using var log = await WithEventsAsync(50);
        await using var otherLog = log.AnotherProcess();
        var theirs = new RecordingTarget(batchSize: 10) { Before = FailAt(3) };
        var ours = new RecordingTarget(batchSize: 10)
        {
            // This process is paused for longer than its lease, and the other forwards two batches meanwhile.
            After = async number =>
            {
                if (number != 2) return;
                while (log.Table.Rows("0000").Single(row => row.RowKey == "c|servicebus").GetInt64("Next") < 10) await Task.Yield();
                log.Time.Advance(TimeSpan.FromSeconds(16));
                await Forwarder(otherLog, theirs, owner: "other").RunAsync(CancellationToken.None);
            },
        };

        await using (var engine = Forwarder(log, ours)) await engine.RunAsync(CancellationToken.None);

        Assert.Equal(2, ours.Deliveries);
        var checkpoint = await CheckpointAsync(log);
        Assert.Equal((30L, 2L), (checkpoint!.NextOffset, checkpoint.Epoch));
    }

    [Fact]
    public async Task Raises_the_epoch_whenever_it_takes_the_lease()
    {
        await using var log = await WithEventsAsync(5);
        var target = new RecordingTarget();
        await Forwarder(log, target, owner: "one").RunAsync(CancellationToken.None);
        await AddAsync(log, 5);
        await Forwarder(log, target, owner: "one").RunAsync(CancellationToken.None);
        Assert.Equal((2L, 6L), await EpochAndWriteAsync(log));
        await AddAsync(log, 5);

        await Forwarder(log, target, owner: "other").RunAsync(CancellationToken.None);

        Assert.Equal((3L, 9L), await EpochAndWriteAsync(log));
    }

    [Fact]
    public async Task Starts_at_the_oldest_retained_entry()
    {
        await using var log = await WithEventsAsync(10);
        Retain(log, from: 4);
        var target = new RecordingTarget();

        await Forwarder(log, target).RunAsync(CancellationToken.None);

        Assert.Equal(Enumerable.Range(4, 6), target.Delivered.Select(entry => (int)entry.Offset));
    }

    [Fact]
    public async Task Starts_at_the_head_when_told_to_and_remembers_it()
    {
        await using var log = await WithEventsAsync(10);
        var target = new RecordingTarget();
        await Forwarder(log, target, startAt: StartAt.Head).RunAsync(CancellationToken.None);
        await AddAsync(log, 2);

        await Forwarder(log, target, startAt: StartAt.Head).RunAsync(CancellationToken.None);

        Assert.Equal([10, 11], target.Delivered.Select(entry => (int)entry.Offset));
    }

    [Fact]
    public async Task Starts_at_the_head_of_when_it_was_first_seen_although_it_was_paused_before_it_began()
    {
        await using var log = await WithEventsAsync(10);
        var target = new RecordingTarget();
        Forwarder[] forwarders = [new Forwarder(ParkedLog.Name, target) { StartAt = StartAt.Head }];
        await using var engine = log.Engine(forwarders);
        await log.Operators(engine).PauseAsync(ParkedLog.Name, null, true, CancellationToken.None);
        await engine.RunAsync(CancellationToken.None);
        await AddAsync(log, 2);
        await log.Operators(engine).PauseAsync(ParkedLog.Name, null, false, CancellationToken.None);

        await engine.RunAsync(CancellationToken.None);

        Assert.Equal([10, 11], target.Delivered.Select(entry => (int)entry.Offset));
    }

    [Fact]
    public async Task Says_so_when_entries_are_gone_before_it_forwarded_them()
    {
        await using var log = await WithEventsAsync(3);
        var target = new RecordingTarget();
        await Forwarder(log, target).RunAsync(CancellationToken.None);
        await AddAsync(log, 7);
        Retain(log, from: 8);

        var run = await Forwarder(log, target).RunAsync(CancellationToken.None);

        Assert.Equal(new ForwardRun(0, 0, 1), run);
        Assert.Equal(3, (await CheckpointAsync(log))!.NextOffset);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Costs_one_query_per_partition_and_no_write_when_there_is_nothing_to_do(int partitions)
    {
        await using var log = new SimulatedLog(partitions: partitions);
        for (var i = 0; i < 20; i++) await log.DoAsync(Tallies.Count($"t{i}", $"s{i}"));
        var forwarder = Forwarder(log, new RecordingTarget());
        await forwarder.RunAsync(CancellationToken.None);
        log.Table.ForgetRequests();

        var run = await forwarder.RunAsync(CancellationToken.None);

        Assert.Equal(new ForwardRun(0, 0, 0), run);
        Assert.Equal(Enumerable.Repeat(TableOperation.QueryPage, partitions), log.Table.Requests.Select(request => request.Kind));
    }

    [Fact]
    public async Task Stays_awake_after_work_and_finds_what_comes_meanwhile()
    {
        await using var log = await WithEventsAsync(1);
        var target = new RecordingTarget
        {
            After = number => number < 3 ? AddAsync(log, 1) : Task.CompletedTask,
        };

        var run = await Forwarder(log, target, linger: TimeSpan.FromSeconds(1)).RunAsync(CancellationToken.None);

        Assert.Equal(3, run.Delivered);
    }

    [Fact]
    public async Task Ends_its_run_after_the_longest_time_even_when_there_is_always_more()
    {
        await using var log = await WithEventsAsync(1);
        var target = new RecordingTarget
        {
            After = async _ =>
            {
                await AddAsync(log, 1);
                log.Time.Advance(TimeSpan.FromSeconds(1.25));
            },
        };

        var run = await Forwarder(log, target, linger: TimeSpan.FromSeconds(60)).RunAsync(CancellationToken.None);

        // Fifteen seconds at one and a quarter each.
        // What it forwards in the background, before it is counted, is more on a busy machine.
        Assert.InRange(run.Delivered, 11, 16);
    }

    [Fact]
    public async Task Saves_the_checkpoint_of_what_was_delivered_although_it_is_told_to_stop()
    {
        await using var log = await WithEventsAsync(50);
        using var stop = new CancellationTokenSource();
        var target = new RecordingTarget(batchSize: 10) { After = number => number == 2 ? stop.CancelAsync() : Task.CompletedTask };

        var run = await Forwarder(log, target).RunAsync(stop.Token);

        Assert.Equal((20, 0), (run.Delivered, run.FailedPartitions));
        Assert.Equal(20, target.Delivered.Count);
        Assert.Equal(20, (await CheckpointAsync(log))!.NextOffset);
    }

    [Fact]
    public async Task Forwards_the_other_partitions_when_one_of_them_fails()
    {
        await using var log = new SimulatedLog(partitions: 3);
        for (var i = 0; i < 30; i++) await log.DoAsync(Tallies.Count($"t{i}", $"s{i}"));
        var target = new RecordingTarget
        {
            Before = (_, entries) => entries[0].Partition == 1 ? throw new IOException("refused") : Task.CompletedTask,
        };

        var run = await Forwarder(log, target).RunAsync(CancellationToken.None);

        Assert.Equal(1, run.FailedPartitions);
        Assert.Equal([0, 2], target.Delivered.Select(entry => entry.Partition).Distinct().Order());
        Assert.Equal(
            (await log.EntriesAsync(0)).Count + (await log.EntriesAsync(2)).Count, target.Delivered.Count);
    }

    [Fact]
    public async Task Waits_for_an_entry_that_is_not_visible_yet_and_never_skips_it()
    {
        await using var writer = await WithEventsAsync(5);
        await using var log = writer.AnotherProcess();
        var row = log.Table.Rows("0000").Single(row => row.RowKey == "e|0000000000000000002");
        log.Table.Remove("0000", row.RowKey);
        var target = new RecordingTarget();

        await Forwarder(log, target).RunAsync(CancellationToken.None);
        Assert.Equal([0, 1], target.Delivered.Select(entry => (int)entry.Offset));
        log.Table.Put(row);
        await Forwarder(log, target).RunAsync(CancellationToken.None);

        Assert.Equal(Enumerable.Range(0, 5), target.Delivered.Select(entry => (int)entry.Offset));
    }

    // Whatever goes wrong with one request, a later run brings everything, in order, and the checkpoint is never ahead.
    [Theory]
    [InlineData("unreachable")]
    [InlineData("answer lost")]
    [InlineData("sent twice by the client")]
    [InlineData("500")]
    public async Task Loses_nothing_whatever_request_goes_wrong(string kind)
    {
        for (var at = 0; at < 100; at++)
        {
            await using var log = await WithEventsAsync(25);
            var target = new RecordingTarget(batchSize: 10);
            var (first, fired) = (log.Table.Requests.Count + at, false);
            log.Table.Faults = request =>
            {
                if (request.Number != first) return null;
                fired = true;
                return kind switch
                {
                    "unreachable" => new TableFault.BeforeEffect(TableError.Unreachable),
                    "answer lost" => new TableFault.AfterEffect(TableError.ConnectionReset),
                    "500" => new TableFault.AfterEffect(TableError.InternalError),
                    _ => new TableFault.SentTwice(),
                };
            };

            await Forwarder(log, target).RunAsync(CancellationToken.None);
            Assert.InRange((await CheckpointAsync(log))?.NextOffset ?? 0, 0, target.Delivered.Count);
            await Forwarder(log, target).RunAsync(CancellationToken.None);

            Assert.Equal(25, (await CheckpointAsync(log))!.NextOffset);
            Assert.Equal(Enumerable.Range(0, 25), target.Delivered.Select(entry => (int)entry.Offset).Distinct());
            if (fired) continue;
            Assert.InRange(at, 5, 99);
            return;
        }

        Assert.Fail("still faults");
    }

    private static ForwardingEngine Forwarder(
        SimulatedLog log, IForwardTarget target, string owner = "me", StartAt startAt = StartAt.Oldest, TimeSpan? linger = null) =>
        log.Engine([new Forwarder("servicebus", target) { StartAt = startAt }], owner, linger);

    private static Func<int, IReadOnlyList<EventEntry>, Task> FailAt(int delivery) =>
        (number, _) => number == delivery ? throw new IOException("The broker is down.") : Task.CompletedTask;

    private static async Task<SimulatedLog> WithEventsAsync(int count)
    {
        var log = new SimulatedLog();
        await AddAsync(log, count);
        return log;
    }

    private static async Task AddAsync(SimulatedLog log, int count)
    {
        for (var left = count; left > 0; left -= Limits.EventsPerCommandMax)
            await log.DoAsync(Tallies.Count("t", "s", events: Math.Min(left, Limits.EventsPerCommandMax)));
    }

    private static void Retain(SimulatedLog log, int from)
    {
        log.Table.Put(new Azure.Data.Tables.TableEntity("0000", "!oldest") { ["Offset"] = (long)from });
        for (var offset = 0; offset < from; offset++) log.Table.Remove("0000", $"e|{offset:D19}");
    }

    private static async Task<Checkpoint?> CheckpointAsync(SimulatedLog log)
    {
        log.Table.Faults = null;
        return (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Checkpoints.GetValueOrDefault("servicebus");
    }

    private static async Task<(long Epoch, long Write)> EpochAndWriteAsync(SimulatedLog log)
    {
        var checkpoint = await CheckpointAsync(log);
        return (checkpoint!.Epoch, checkpoint.Write);
    }
}
