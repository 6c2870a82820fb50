namespace Outpost.Tests.Unit.Tables;

public sealed class A_command_with_an_idempotency_key
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Happens_once_however_many_send_it_at_once(int processes)
    {
        await using var log = new SimulatedLog();
        var logs = new List<SimulatedLog> { log };
        while (logs.Count < processes) logs.Add(log.AnotherProcess());

        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(number =>
            Task.Run(() => logs[number % processes].DoAsync(Tallies.Count("a", "a1", key: "k")))));

        Assert.Equal(["a1"], SoundLog.Check(log.Table));
        Assert.Equal(1, answers.Count(answer => !answer.Replayed));
        Assert.All(answers, answer => Assert.Equal((1, 1L), (answer.State.Count, answer.Version)));
        foreach (var other in logs) await other.DisposeAsync();
    }

    [Fact]
    public async Task Gets_the_answer_it_had_although_the_state_has_moved_on()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1", key: "k"));
        await log.DoAsync(Tallies.Count("a", "a2"));

        var repeat = await log.DoAsync(Tallies.Count("a", "a1", key: "k"));

        Assert.Equal((true, 1L), (repeat.Replayed, repeat.Version));
        Assert.Equal(["a1"], repeat.State.Steps);
        Assert.Equal(["a1", "a2"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Gets_the_answer_it_had_although_it_would_be_refused_now()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1", key: "k", max: 1));

        var repeat = await log.DoAsync(Tallies.Count("a", "a1", key: "k", max: 1));

        Assert.True(repeat.Replayed);
        Assert.Equal(["a1"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Is_not_committed_by_a_process_that_was_suspended_for_longer_than_receipts_may_live()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        log.Table.Faults = request =>
        {
            if (request.Kind == TableOperation.Get && request.Keys[0].StartsWith("d|", StringComparison.Ordinal)) log.Time.Advance(TimeSpan.FromHours(1));
            return null;
        };

        Assert.IsType<CommandResult<Tally>.Busy>(await log.RunAsync(Tallies.Count("a", "a2", key: "k")));

        log.Table.Faults = null;
        Assert.False((await log.DoAsync(Tallies.Count("a", "a2", key: "k"))).Replayed);
        Assert.Equal(["a1", "a2"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Gets_the_answer_it_had_although_its_If_Match_is_stale_now()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var command = Tallies.Count("a", "a2", key: "k") with { IfMatch = new VersionCondition([1]) };
        await log.DoAsync(command);

        var repeat = await log.DoAsync(command);

        Assert.Equal((true, 2L), (repeat.Replayed, repeat.Version));
    }

    [Fact]
    public async Task Gets_the_answer_it_had_from_another_process()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1", key: "k"));
        await using var other = log.AnotherProcess();

        Assert.True((await other.DoAsync(Tallies.Count("a", "a1", key: "k"))).Replayed);
        Assert.True((await other.DoAsync(Tallies.Count("a", "a1", key: "k") with { LikelyNew = true })).Replayed);
        Assert.Equal(["a1"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Is_refused_when_the_key_came_with_another_request_before()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1", key: "k"));

        var other = Tallies.Count("a", "a2", key: "k") with { Idempotency = new Idempotency("count a", "k", "another body") };

        Assert.IsType<CommandResult<Tally>.KeyReused>(await log.RunAsync(other));
        Assert.IsType<CommandResult<Tally>.KeyReused>(await log.RunAsync(other with { LikelyNew = true }));
        Assert.Equal(["a1"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Is_refused_when_the_same_key_is_under_way_with_another_request()
    {
        await using var log = new SimulatedLog();
        var answers = await Task.WhenAll(
            log.RunAsync(Tallies.Count("a", "a1", key: "k")),
            log.RunAsync(Tallies.Count("a", "a2", key: "k") with { Idempotency = new Idempotency("count a", "k", "another body") }));

        Assert.IsType<CommandResult<Tally>.Done>(answers[0]);
        Assert.IsType<CommandResult<Tally>.KeyReused>(answers[1]);
    }

    [Fact]
    public async Task Has_a_key_that_means_something_only_in_its_scope()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1", key: "k"));
        var elsewhere = Tallies.Count("a", "a2", key: "k") with { Idempotency = new Idempotency("count more", "k", "same") };

        Assert.False((await log.DoAsync(elsewhere)).Replayed);
    }

    [Fact]
    public async Task May_be_sent_again_after_a_refusal_which_leaves_no_receipt()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        Assert.IsType<CommandResult<Tally>.Refused>(await log.RunAsync(Tallies.Count("a", "a2", key: "k", max: 1)));

        Assert.False((await log.DoAsync(Tallies.Count("a", "a2", key: "k", max: 2))).Replayed);
    }

    [Fact]
    public async Task Answers_its_repeat_although_its_own_caller_gave_up()
    {
        await using var log = new SimulatedLog();
        var slow = new TaskCompletionSource();
        log.Table.Faults = request => request.Kind == TableOperation.Transaction ? new TableFault.SlowAnswer(slow.Task) : null;
        using var cancellation = new CancellationTokenSource();
        var first = log.RunAsync(Tallies.Count("a", "a1", key: "k") with { LikelyNew = true }, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        var repeat = log.DoAsync(Tallies.Count("a", "a1", key: "k"));
        log.Table.Faults = null;
        slow.SetResult();

        Assert.Equal(1, (await repeat).Version);
        Assert.Equal(["a1"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Lets_its_repeat_wait_for_ten_seconds_and_no_longer()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        var slow = new TaskCompletionSource();
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        log.Table.Faults = request =>
        {
            if (request.Kind == TableOperation.Transaction) sent.TrySetResult();
            // Nor is its outcome told.
            return request.Kind == TableOperation.Transaction ? new TableFault.SlowAnswer(slow.Task)
                : sent.Task.IsCompleted ? new TableFault.HeldBack(slow.Task)
                : null;
        };
        var first = log.RunAsync(Tallies.Count("a", "a1", key: "k") with { LikelyNew = true });
        await sent.Task;
        var repeat = log.RunAsync(Tallies.Count("a", "a1", key: "k"));

        log.Time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(repeat.IsCompleted);
        log.Time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.IsType<CommandResult<Tally>.Busy>(await repeat);
        slow.SetResult();
        Assert.IsType<CommandResult<Tally>.Done>(await first);
    }
}
