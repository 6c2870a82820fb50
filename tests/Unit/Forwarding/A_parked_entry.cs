using Outpost.Forwarding;
using static Outpost.Tests.Unit.Forwarding.ParkedLog;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_parked_entry
{
    [Fact]
    public async Task Is_delivered_when_retried_and_then_its_followers_in_order_and_what_came_meanwhile()
    {
        await using var log = await ParkedAtFirstAsync("a", "a", "b", "a");
        var target = new RecordingTarget(batchSize: 2);
        // While each of the next deliveries is under way, one more entry of the subject is committed.
        target.Before = (number, _) => number < 4 ? log.AddAsync("a") : Task.CompletedTask;

        Assert.IsType<OperationResult.Done>(await log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None));
        await log.ForwardAsync(target);

        Assert.Equal([0, 1, 3, 4, 5, 6], target.Offsets());
        Assert.Empty(await log.ParkedAsync());
        Assert.Equal((7L, 0), ((await log.CheckpointAsync()).NextOffset, (await log.CheckpointAsync()).Parked));
    }

    [Fact]
    public async Task Stays_with_one_more_attempt_when_it_is_refused_again()
    {
        await using var log = await ParkedAtFirstAsync("a", "a");
        await log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None);
        var target = new RecordingTarget { Refuses = Only(0) };

        await log.ForwardAsync(target);
        await log.ForwardAsync(target);

        Assert.Equal([(0L, 2, null), (1L, 0, 0L)], (await log.ParkedAsync()).Select(entry => (entry.Offset, entry.Attempts, entry.Behind)));
        Assert.Equal((1, 2), (target.Deliveries, (await log.CheckpointAsync()).Parked));
    }

    [Fact]
    public async Task Is_given_up_when_discarded_and_its_followers_are_delivered()
    {
        await using var log = await ParkedAtFirstAsync("a", "a", "b", "a");
        await log.Operators().DiscardAsync(Name, 0, 0, "known", CancellationToken.None);
        var target = new RecordingTarget();

        await log.ForwardAsync(target);

        Assert.Equal([1, 3], target.Offsets());
        Assert.Equal(0, (await log.CheckpointAsync()).Parked);
    }

    [Fact]
    public async Task That_follows_another_cannot_be_retried_or_discarded_by_itself()
    {
        await using var log = await ParkedAtFirstAsync("a", "a");

        Assert.Equal(new OperationResult.Behind(0), await log.Operators().RetryAsync(Name, 0, 1, CancellationToken.None));
        Assert.Equal(new OperationResult.Behind(0), await log.Operators().DiscardAsync(Name, 0, 1, "no", CancellationToken.None));
        Assert.IsType<OperationResult.NotFound>(await log.Operators().RetryAsync(Name, 0, 2, CancellationToken.None));
    }

    [Fact]
    public async Task That_follows_becomes_a_refused_one_when_it_is_refused_itself()
    {
        await using var log = await ParkedAtFirstAsync("a", "a", "a", "a", "a");
        await log.Operators().DiscardAsync(Name, 0, 0, "known", CancellationToken.None);
        var target = new RecordingTarget { Refuses = Only(2) };

        await log.ForwardAsync(target);

        Assert.Equal([1], target.Offsets());
        Assert.Equal([2, 3, 4], (await log.ParkedAsync()).Select(entry => (int)entry.Offset));
        Assert.Equal((null, 1, "It is refused."), ((await log.ParkedAsync())[0].Behind, (await log.ParkedAsync())[0].Attempts, (await log.ParkedAsync())[0].Reason));
        // The one that decides is named, not the one that is gone.
        Assert.Equal(new OperationResult.Behind(2), await log.Operators().RetryAsync(Name, 0, 4, CancellationToken.None));

        target.Refuses = null;
        await log.Operators().RetryAsync(Name, 0, 2, CancellationToken.None);
        await log.ForwardAsync(target);
        Assert.Equal([1, 2, 3, 4], target.Offsets());
    }

    [Fact]
    public async Task That_is_in_the_log_no_more_stays_parked_and_can_be_discarded()
    {
        await using var log = await ParkedAtFirstAsync("a", "a");
        await using var other = log.AnotherProcess();
        log.Table.Remove("0000", $"e|{0:D19}");
        await other.Operators().RetryAsync(Name, 0, 0, CancellationToken.None);
        await other.AddAsync("b");
        var target = new RecordingTarget();

        await other.ForwardAsync(target);
        Assert.Equal([2], target.Offsets());
        Assert.Equal(2, (await log.ParkedAsync())[0].Attempts);

        await other.Operators().DiscardAsync(Name, 0, 0, "gone", CancellationToken.None);
        await other.ForwardAsync(target);
        Assert.Equal([2, 1], target.Offsets());
        Assert.Empty(await log.ParkedAsync());
    }

    [Fact]
    public async Task Whose_retry_the_target_fails_at_holds_up_nothing_that_is_new()
    {
        await using var log = await ParkedAtFirstAsync("a", "a");
        await log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None);
        await log.AddAsync("b", "c", "a");
        var target = new RecordingTarget { Before = (_, entries) => entries[0].Offset == 0 ? throw new IOException("Not now.") : Task.CompletedTask };

        await log.ForwardAsync(target);

        Assert.Equal([2, 3], target.Offsets());
        Assert.Equal([0, 1, 4], (await log.ParkedAsync()).Select(entry => (int)entry.Offset));
        target.Before = null;
        await log.ForwardAsync(target);
        Assert.Equal([2, 3, 0, 1, 4], target.Offsets());
    }

    [Fact]
    public async Task Whose_retry_the_target_fails_at_can_be_given_up()
    {
        await using var log = await ParkedAtFirstAsync("a", "a");
        await log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None);
        var target = new RecordingTarget { Before = (_, entries) => entries[0].Offset == 0 ? throw new IOException("Not now.") : Task.CompletedTask };
        await log.ForwardAsync(target);

        await log.Operators().DiscardAsync(Name, 0, 0, "the service will never answer", CancellationToken.None);
        await log.ForwardAsync(target);

        Assert.Equal([1], target.Offsets());
        Assert.Empty(await log.ParkedAsync());
    }

    // The release is cut short in one of several ways, and nothing new is committed that would wake anybody.
    [Theory]
    [InlineData("the target fails")]
    [InlineData("the process stops")]
    [InlineData("the store fails")]
    public async Task Whose_release_was_cut_short_is_released_to_the_end_by_a_later_run(string how)
    {
        await using var log = await ParkedAtFirstAsync([.. Enumerable.Repeat("a", 60)]);
        using var stop = new CancellationTokenSource();
        await log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None);
        var target = new RecordingTarget(batchSize: 7);
        target.Before = (number, _) =>
        {
            if (number != 4) return Task.CompletedTask;
            if (how == "the target fails") throw new InvalidOperationException("The target is broken.");
            if (how == "the store fails") log.Table.Faults = _ => new TableFault.BeforeEffect(TableError.Unreachable);
            return how == "the process stops" ? stop.CancelAsync() : Task.CompletedTask;
        };

        await using (var engine = log.To(target)) await engine.RunAsync(stop.Token);
        log.Table.Faults = null;
        Assert.InRange((await log.CheckpointAsync()).Parked, 30, 59);
        target.Before = null;
        log.Time.Advance(TimeSpan.FromSeconds(20));
        await log.ForwardAsync(target, owner: "another");

        Assert.Equal(Enumerable.Range(0, 60), target.Offsets().Distinct());
        Assert.Equal((60L, 0), ((await log.CheckpointAsync()).NextOffset, (await log.CheckpointAsync()).Parked));
        // And then there is nothing more to do.
        log.Table.ForgetRequests();
        await log.ForwardAsync(target);
        Assert.Single(log.Table.Requests);
    }

    [Theory]
    [InlineData("unreachable")]
    [InlineData("answer lost")]
    [InlineData("sent twice by the client")]
    [InlineData("500")]
    [InlineData("the process dies")]
    public Task Is_released_with_its_followers_whatever_request_goes_wrong(string kind) => AtEachRequestAsync(kind, async goWrong =>
    {
        await using var log = await ParkedAtFirstAsync("a", "b", "a", "a", "b", "a");
        await log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None);
        var target = new RecordingTarget(batchSize: 2);
        goWrong(log);

        await log.ForwardAsync(target);
        log.Table.Faults = null;
        Assert.Equal((await log.ParkedAsync()).Count, (await log.CheckpointAsync()).Parked);
        log.Time.Advance(TimeSpan.FromSeconds(20));
        await log.ForwardAsync(target, owner: "another");

        Assert.Equal([0, 2, 3, 5], target.Offsets().Distinct());
        Assert.Empty(await log.ParkedAsync());
        var checkpoint = await log.CheckpointAsync();
        Assert.Equal((6L, 0, 1L), (checkpoint.NextOffset, checkpoint.Parked, checkpoint.RequestDone));
    });

    [Fact]
    public async Task Is_not_asked_for_twice_while_the_first_request_waits()
    {
        await using var log = await ParkedAtFirstAsync("a");
        for (var i = 0; i < 200; i++) Assert.IsType<OperationResult.Done>(await log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None));
        var target = new RecordingTarget { Refuses = Only(0) };

        await log.ForwardAsync(target);

        Assert.Equal((1, 2), (target.Deliveries, (await log.ParkedAsync())[0].Attempts));
        // The request was carried out: the next one is another.
        await log.Operators().RetryAsync(Name, 0, 0, CancellationToken.None);
        await log.ForwardAsync(target);
        Assert.Equal(3, (await log.ParkedAsync())[0].Attempts);
    }

    [Theory]
    [InlineData('x')]
    [InlineData('ü')]
    [InlineData('"')]
    public async Task Is_not_asked_for_with_more_than_a_control_row_can_hold(char letter)
    {
        await using var log = await WithAsync([.. Enumerable.Range(0, 120).Select(i => $"s{i}")]);
        // Ten in a row would be too many.
        await log.ForwardAsync(new RecordingTarget(1) { Refuses = entry => entry.Offset % 10 != 0 });
        Assert.Equal(108, (await log.CheckpointAsync()).Parked);
        var results = new List<OperationResult>();
        foreach (var parked in await log.ParkedAsync())
            results.Add(await log.Operators().DiscardAsync(Name, 0, parked.Offset, new string(letter, 500), CancellationToken.None));

        Assert.All(results.TakeWhile(result => result is not OperationResult.TooMany), result => Assert.IsType<OperationResult.Done>(result));
        Assert.InRange(results.Count(result => result is OperationResult.Done), 5, Control.RequestsMax);
        Assert.IsType<OperationResult.TooMany>(results[^1]);
    }

    // A log whose first entry is refused and parked, with all later ones of its subject.
    private static async Task<SimulatedLog> ParkedAtFirstAsync(params string[] ids)
    {
        var log = await WithAsync(ids);
        await log.ForwardAsync(new RecordingTarget(batchSize: 100) { Refuses = Only(0) });
        Assert.Equal(ids.Count(id => id == ids[0]), (await log.CheckpointAsync()).Parked);
        return log;
    }
}
