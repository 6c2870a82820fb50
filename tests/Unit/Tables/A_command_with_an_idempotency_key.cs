namespace Outpost.Tests.Unit.Tables;

public sealed class A_command_with_an_idempotency_key
{
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
