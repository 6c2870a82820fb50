namespace Outpost.Tests.Testing.Contract;

// Commands with an idempotency key.
public abstract partial class LogContract
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Does_a_command_with_a_key_once_however_many_send_it_at_once(int processes)
    {
        await using var logs = await StartAsync(partitions: 1, processes);

        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(() => logs[i].DoAsync(Tallies.Count("a", "a1", key: "k")))));

        Assert.Equal(["a1"], await logs[0].StepsAsync());
        Assert.Equal(1, answers.Count(answer => !answer.Replayed));
        Assert.All(answers, answer => Assert.Equal((1, 1L), (answer.State.Count, answer.Version)));
    }

    [Fact]
    public async Task Gives_a_repeat_the_first_answer_although_the_state_has_moved_on()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1", key: "k"));
        await log.DoAsync(Tallies.Count("a", "a2"));

        var repeat = await log.DoAsync(Tallies.Count("a", "a1", key: "k"));

        Assert.Equal((true, 1L), (repeat.Replayed, repeat.Version));
        Assert.Equal(["a1"], repeat.State.Steps);
        Assert.Equal(["a1", "a2"], await log.StepsAsync());
    }

    [Fact]
    public async Task Gives_a_repeat_the_first_answer_although_it_would_be_refused_now()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1", key: "k", max: 1));
        var conditional = Tallies.Count("a", "a2", key: "k2") with { IfMatch = new VersionCondition([1]) };
        await log.DoAsync(conditional);

        Assert.True((await log.DoAsync(Tallies.Count("a", "a1", key: "k", max: 1))).Replayed);
        var stale = await log.DoAsync(conditional);

        Assert.Equal((true, 2L), (stale.Replayed, stale.Version));
        Assert.Equal(["a1", "a2"], await log.StepsAsync());
    }

    [Fact]
    public async Task Gives_a_repeat_the_first_answer_in_another_process()
    {
        await using var logs = await StartAsync(partitions: 1, processes: 2);
        await logs[0].DoAsync(Tallies.Count("a", "a1", key: "k"));

        Assert.True((await logs[1].DoAsync(Tallies.Count("a", "a1", key: "k"))).Replayed);
        Assert.True((await logs[1].DoAsync(Tallies.Count("a", "a1", key: "k") with { LikelyNew = true })).Replayed);
        Assert.Equal(["a1"], await logs[0].StepsAsync());
    }

    [Fact]
    public async Task Refuses_another_request_under_a_used_key()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1", key: "k"));
        var other = Tallies.Count("a", "a2", key: "k") with { Idempotency = new Idempotency("count a", "k", "another body") };

        Assert.IsType<CommandResult<Tally>.KeyReused>(await log.RunAsync(other));
        Assert.IsType<CommandResult<Tally>.KeyReused>(await log.RunAsync(other with { LikelyNew = true }));
        Assert.Equal(["a1"], await log.StepsAsync());
    }

    [Fact]
    public async Task Refuses_another_request_under_a_key_that_is_under_way()
    {
        await using var log = await StartAsync();

        var answers = await Task.WhenAll(
            log.RunAsync(Tallies.Count("a", "a1", key: "k")),
            log.RunAsync(Tallies.Count("a", "a2", key: "k") with { Idempotency = new Idempotency("count a", "k", "another body") }));

        Assert.IsType<CommandResult<Tally>.Done>(answers[0]);
        Assert.IsType<CommandResult<Tally>.KeyReused>(answers[1]);
    }

    [Fact]
    public async Task Knows_a_key_only_in_its_scope()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1", key: "k"));

        Assert.False((await log.DoAsync(Tallies.Count("a", "a2", key: "k") with { Idempotency = new Idempotency("count more", "k", "same") })).Replayed);
    }

    [Fact]
    public async Task Keeps_no_receipt_of_a_refusal()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1"));
        Assert.IsType<CommandResult<Tally>.Refused>(await log.RunAsync(Tallies.Count("a", "a2", key: "k", max: 1)));

        Assert.False((await log.DoAsync(Tallies.Count("a", "a2", key: "k", max: 2))).Replayed);
    }
}
