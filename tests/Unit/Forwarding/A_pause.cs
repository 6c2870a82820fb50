using Outpost.Forwarding;
using static Outpost.Tests.Unit.Forwarding.ParkedLog;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_pause
{
    private static readonly TimeSpan OneDelivery = TimeSpan.FromMilliseconds(250);

    [Fact]
    public async Task Stops_a_drain_within_a_second_and_outlives_the_process_until_it_is_resumed()
    {
        await using var log = new SimulatedLog();
        await log.AddManyAsync("a", 500);
        var target = new RecordingTarget();
        target.Before = async (number, _) =>
        {
            log.Time.Advance(OneDelivery);
            if (number == 3) Assert.IsType<OperationResult.Done>(await log.Operators().PauseAsync(Name, null, isPaused: true, CancellationToken.None));
        };

        var run = await log.ForwardAsync(target);

        Assert.InRange(target.Deliveries, 3, 8);
        Assert.Equal(0, run.FailedPartitions);
        var paused = await log.CheckpointAsync();
        Assert.Equal((target.Delivered.Count, null), ((int)paused.NextOffset, paused.Owner));
        target.Before = null;
        await using var later = log.AnotherProcess();
        Assert.Equal(0, (await later.ForwardAsync(target)).Delivered);

        await later.Operators().PauseAsync(Name, null, isPaused: false, CancellationToken.None);
        await later.ForwardAsync(target);

        Assert.Equal(Enumerable.Range(0, 500), target.Offsets());
    }

    [Fact]
    public async Task May_be_of_one_partition_only()
    {
        await using var log = new SimulatedLog(partitions: 2);
        for (var i = 0; i < 10; i++) await log.AddAsync($"s{i}");
        var target = new RecordingTarget();
        await using var engine = log.To(target);
        await log.Operators(engine).PauseAsync(Name, 1, isPaused: true, CancellationToken.None);

        await engine.RunAsync(CancellationToken.None);

        Assert.NotEmpty(target.Delivered);
        Assert.All(target.Delivered, entry => Assert.Equal(0, entry.Partition));
        Assert.Equal([false, true], (await log.Operators(engine).StatusAsync(CancellationToken.None)).Forwarders[0].Partitions.Select(p => p.IsPaused));
    }

    [Fact]
    public async Task Is_of_the_forwarder_named_control_too()
    {
        await using var log = await WithAsync("a");
        var target = new RecordingTarget();
        await using var engine = log.Engine([new Forwarder("control", target)]);
        await engine.RunAsync(CancellationToken.None);
        await log.Operators(engine).PauseAsync("control", null, isPaused: true, CancellationToken.None);
        await log.AddAsync("b");
        await engine.RunAsync(CancellationToken.None);

        Assert.Equal([0], target.Offsets());
        var state = await log.Store.ReadPartitionAsync(0, CancellationToken.None);
        Assert.Equal((1L, true), (state.Checkpoints["control"].NextOffset, state.Controls["control"].IsPaused));
    }

    [Fact]
    public async Task Of_a_forwarder_that_there_is_not_is_refused()
    {
        await using var log = await WithAsync("a");

        Assert.IsType<OperationResult.NotFound>(await log.Operators().PauseAsync("nobody", null, isPaused: true, CancellationToken.None));
        Assert.DoesNotContain(log.Table.Rows("0000"), row => row.RowKey.StartsWith("c|", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Written_twice_by_the_client_is_one()
    {
        await using var log = await WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        log.Table.Faults = request => request.Kind is TableOperation.Add or TableOperation.Update ? new TableFault.SentTwice() : null;

        Assert.IsType<OperationResult.Done>(await log.Operators().PauseAsync(Name, null, isPaused: true, CancellationToken.None));
        Assert.IsType<OperationResult.Done>(await log.Operators().PauseAsync(Name, null, isPaused: false, CancellationToken.None));
    }

    [Fact]
    public async Task A_hundred_times_with_replays_during_a_drain_loses_nothing_and_moves_no_checkpoint()
    {
        await using var log = new SimulatedLog();
        await log.AddManyAsync("a", 2000);
        var target = new RecordingTarget { Before = (_, _) => { log.Time.Advance(OneDelivery / 10); return Task.CompletedTask; } };
        await using var engine = log.To(target);
        var operators = log.Operators(engine);
        await log.ForwardAsync(new RecordingTarget { Before = (number, _) => number > 10 ? throw new InvalidOperationException() : Task.CompletedTask });
        var ids = new List<string>();
        var next = (await log.CheckpointAsync()).NextOffset;
        Assert.Equal(100, next);

        for (var i = 0; i < 100; i++)
        {
            await operators.PauseAsync(Name, null, isPaused: true, CancellationToken.None);
            if (await operators.ReplayAsync(Name, 0, i, i + 4, CancellationToken.None) is OperationResult.Done { ReplayId: { } id }) ids.Add(id);
            await operators.PauseAsync(Name, null, isPaused: false, CancellationToken.None);
            if (i % 10 == 0) await engine.RunAsync(CancellationToken.None);
        }

        // A run ends after a while, with replays perhaps still waiting.
        for (var i = 0; i < 100 && await log.CheckpointAsync() is { } at && (at.NextOffset < 2000 || at.RequestDone < 100); i++) await engine.RunAsync(CancellationToken.None);

        Assert.Equal(Enumerable.Range(100, 1900), target.Offsets());
        Assert.Equal(100, ids.Distinct().Count());
        Assert.Equal(
            Enumerable.Range(0, 100).SelectMany(i => Enumerable.Range(i, 5).Select(offset => (ids[i], (long)offset))), target.Replayed);
        Assert.Equal(100, (await log.CheckpointAsync()).RequestDone);
    }
}
