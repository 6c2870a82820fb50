using Outpost.Forwarding;

namespace Outpost.Tests.Testing.Contract;

public abstract partial class LogContract
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Writes_a_checkpoint_where_it_is_as_last_seen()
    {
        await using var log = await ForwardedAsync();

        var first = await log.SaveAsync(Of("servicebus", 3));
        var second = await log.SaveAsync(first! with { NextOffset = 5, Write = 2, LastError = "no", Failures = 2, FailingSince = Noon, Refused = 1, Within = TimeSpan.FromSeconds(7) });
        var stored = await log.CheckpointAsync("servicebus");

        Assert.Equal(second!.Tag, stored!.Tag);
        Assert.Equal((5L, 1L, "me", 2L), (stored.NextOffset, stored.Epoch, stored.Owner, stored.Write));
        Assert.Equal(("no", 2, Noon, 1, TimeSpan.FromSeconds(7)), (stored.LastError, stored.Failures, stored.FailingSince, stored.Refused, stored.Within));
        Assert.InRange(stored.LeaseLeft((await log.StateAsync()).ReadAt), TimeSpan.FromSeconds(5), Checkpoint.LeaseTime + TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Never_overwrites_a_checkpoint_of_somebody_else()
    {
        await using var log = await ForwardedAsync();
        var first = await log.SaveAsync(Of("servicebus", 3));
        var theirs = await log.SaveAsync(first! with { NextOffset = 5, Owner = "them", Write = 2 });

        Assert.Null(await log.SaveAsync(first! with { NextOffset = 5, Write = 2 }, park: [Parked(4)]));
        Assert.Null(await log.SaveAsync(Of("servicebus", 0)));
        Assert.True(theirs!.IsSameWrite((await log.CheckpointAsync("servicebus"))!));
        Assert.Empty(await ParkedAsync(log));
    }

    [Fact]
    public async Task Takes_the_same_write_of_a_checkpoint_twice_for_one()
    {
        await using var log = await ForwardedAsync();
        var first = await log.SaveAsync(Of("servicebus", 3));
        var next = first! with { NextOffset = 4, Write = 2 };

        var once = await log.SaveAsync(next);
        var twice = await log.SaveAsync(next);

        Assert.Equal(once!.Tag, twice!.Tag);
    }

    [Fact]
    public async Task Does_not_make_a_checkpoint_again_that_was_forgotten()
    {
        await using var log = await ForwardedAsync();
        var first = await log.SaveAsync(Of("servicebus", 3), park: [Parked(1), Parked(2)]);
        await log.Forwarding.SaveControlAsync(0, "servicebus", Control.None, null, CancellationToken.None);
        await log.Forwarding.WishAsync(0, "servicebus", new LeaseWish("them", 1), CancellationToken.None);
        Assert.Equal(new LeaseWish("them", 1), (await log.StateAsync()).Wishes["servicebus"]);

        await log.Forwarding.ForgetAsync(0, "servicebus", CancellationToken.None);

        Assert.Null(await log.SaveAsync(first! with { NextOffset = 5, Write = 2 }));
        var state = await log.StateAsync();
        Assert.Equal((0, 0, 0), (state.Checkpoints.Count, state.Controls.Count, state.Wishes.Count));
        Assert.Empty(await ParkedAsync(log));
        await log.Forwarding.ForgetAsync(0, "servicebus", CancellationToken.None);
    }

    [Fact]
    public async Task Keeps_checkpoints_of_partitions_and_forwarders_apart()
    {
        await using var log = await ForwardedAsync(partitions: 2);

        await log.SaveAsync(Of("servicebus", 3), park: [Parked(1)]);
        await log.SaveAsync(Of("servicebus", 4), partition: 1);
        await log.SaveAsync(Of("refunds", 5));

        Assert.Equal((3L, 5L), ((await log.CheckpointAsync("servicebus"))!.NextOffset, (await log.CheckpointAsync("refunds"))!.NextOffset));
        Assert.Equal(4, (await log.CheckpointAsync("servicebus", 1))!.NextOffset);
        Assert.Empty(await log.Forwarding.ReadParkedAsync(1, "servicebus", 0, 10, CancellationToken.None));
        Assert.Empty(await log.Forwarding.ReadParkedAsync(0, "refunds", 0, 10, CancellationToken.None));
    }

    [Fact]
    public async Task Parks_and_unparks_together_with_the_checkpoint_and_gives_parked_ones_in_order()
    {
        await using var log = await ForwardedAsync();
        var first = await log.SaveAsync(Of("servicebus", 12), park: [Parked(10), Parked(2), Parked(7) with { Behind = 2, Attempts = 0 }]);

        Assert.Equal([Parked(2), Parked(7) with { Behind = 2, Attempts = 0 }, Parked(10)], await ParkedAsync(log));
        Assert.Equal([7L, 10], (await ParkedAsync(log, from: 3)).Select(entry => entry.Offset));
        Assert.Equal([2L, 7], (await ParkedAsync(log, limit: 2)).Select(entry => entry.Offset));

        await log.SaveAsync(first! with { Write = 2, Parked = 2 }, park: [Parked(10) with { Attempts = 3 }], unpark: [2, 7]);

        Assert.Equal([Parked(10) with { Attempts = 3 }], await ParkedAsync(log));
    }

    [Fact]
    public async Task Writes_what_operators_ask_where_nobody_else_did()
    {
        await using var log = await ForwardedAsync();
        var request = new ControlRequest(1, ControlRequestKind.Replay, 0, 2, "r1") { At = Noon, By = "me", Reason = "why" };

        Assert.True(await log.Forwarding.SaveControlAsync(0, "servicebus", Control.None with { IsPaused = true, Requests = [request], Last = 1 }, null, CancellationToken.None));
        Assert.False(await log.Forwarding.SaveControlAsync(0, "servicebus", Control.None, null, CancellationToken.None));

        var stored = (await log.StateAsync()).ControlOf("servicebus");
        Assert.Equal((true, 1L, request), (stored.IsPaused, stored.Last, Assert.Single(stored.Requests)));
        Assert.True(await log.Forwarding.SaveControlAsync(0, "servicebus", stored with { IsPaused = false }, null, CancellationToken.None));
        Assert.False((await log.StateAsync()).ControlOf("servicebus").IsPaused);
    }

    [Fact]
    public async Task Begins_a_forwarder_once()
    {
        await using var log = await ForwardedAsync();
        var state = await log.StateAsync();

        var first = await log.Forwarding.BeginAsync(state, Of("servicebus", 0), CancellationToken.None);

        Assert.Equal(first!.Tag, (await log.CheckpointAsync("servicebus"))!.Tag);
        Assert.Null(await log.Forwarding.BeginAsync(await log.StateAsync(), Of("servicebus", 0) with { Owner = "them" }, CancellationToken.None));
    }

    [Fact]
    public async Task Keeps_the_newest_of_what_operators_did_to_each_forwarder()
    {
        await using var log = await ForwardedAsync();
        OperatorAction Action(int i) => new($"{i}", Noon.AddSeconds(i), "servicebus", "pause", "all partitions", "me", "why");
        for (var i = 0; i < OperatorAction.KeptMax + 2; i++) await log.History.SaveAsync(Action(i), CancellationToken.None);
        await log.History.SaveAsync(Action(501) with { Outcome = "done", OutcomeDetail = "more", Request = "r" }, CancellationToken.None);
        await log.History.DeleteAsync(Action(500), CancellationToken.None);
        await log.History.SaveAsync(Action(7) with { Forwarder = "refunds" }, CancellationToken.None);

        var kept = await log.History.ReadAsync("servicebus", OperatorAction.KeptMax, CancellationToken.None);

        Assert.Equal(Action(501) with { Outcome = "done", OutcomeDetail = "more", Request = "r" }, kept[0]);
        Assert.Equal((OperatorAction.KeptMax - 1, Action(499), Action(2)), (kept.Count, kept[1], kept[^1]));
        Assert.Equal(3, (await log.History.ReadAsync("servicebus", 3, CancellationToken.None)).Count);
        Assert.Equal(Action(7) with { Forwarder = "refunds" }, Assert.Single(await log.History.ReadAsync("refunds", 10, CancellationToken.None)));
    }

    [Fact]
    public async Task Gives_the_real_engine_all_it_needs_to_forward_each_entry_and_to_park_one()
    {
        await using var logs = await StartAsync(partitions: 2, processes: 2);
        var target = new RecordingTarget(batchSize: 7) { Refuses = entry => Tallies.StepOf(entry) == "13" };
        for (var i = 0; i < 40; i++) await logs[i].DoAsync(Tallies.Count($"t{i % 10}", $"{i}"));
        var log = logs[1];
        using var metrics = new OutpostMetrics();
        await using var engine = new ForwardingEngine(
            log.Events, log.Forwarding, new PartitionWatch(log.Events, Sources), [new Forwarder("servicebus", target)],
            new ForwardingOptions { Owner = "me", Linger = TimeSpan.Zero }, Sources, metrics,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<ForwardingEngine>.Instance);

        await engine.RunAsync(CancellationToken.None);

        Assert.Equal(Enumerable.Range(0, 40).Except([13, 23, 33]), target.Delivered.Select(entry => int.Parse(Tallies.StepOf(entry))).Order());
        var partition = (await log.Events.LayoutAsync(CancellationToken.None)).PartitionOf("tally/t3");
        var parked = await log.Forwarding.ReadParkedAsync(partition, "servicebus", 0, 10, CancellationToken.None);
        Assert.Equal([null, parked[0].Offset, parked[0].Offset], parked.Select(entry => entry.Behind));
    }

    private static Sources Sources { get; } = new(TimeProvider.System, Guid.NewGuid, Random.Shared.NextDouble);

    private async Task<LogUnderTest> ForwardedAsync(int partitions = 1)
    {
        var log = await StartAsync(partitions);
        for (var i = 0; i < partitions * 8; i++) await log.DoAsync(Tallies.Count($"t{i}", $"{i}", events: 5));
        return log;
    }

    private static Checkpoint Of(string forwarder, long next) => new() { Forwarder = forwarder, NextOffset = next, Epoch = 1, Owner = "me", Write = 1 };

    private static ParkedEntry Parked(long offset) => new(0, offset, "tally/a", "Counted", "It is refused.", null, 1, Noon);

    private static Task<IReadOnlyList<ParkedEntry>> ParkedAsync(LogUnderTest log, long from = 0, int limit = 1000) =>
        log.Forwarding.ReadParkedAsync(0, "servicebus", from, limit, CancellationToken.None);
}
