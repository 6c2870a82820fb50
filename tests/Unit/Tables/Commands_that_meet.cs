namespace Outpost.Tests.Unit.Tables;

public sealed class Commands_that_meet
{
    [Fact]
    public async Task Go_into_one_transaction_when_they_arrive_while_another_is_under_way()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("z", "z1"));
        using var gate = new Gate(log.Table);
        var first = log.DoAsync(New("a"));
        await gate.Reached;
        var rest = Enumerable.Range(0, 10).Select(number => log.DoAsync(New($"b{number}"))).ToList();
        log.Table.ForgetRequests();

        gate.Open();
        await Task.WhenAll([first, .. rest]);

        Assert.Equal(1, log.Table.Sent(TableOperation.Transaction));
        Assert.Equal(["z1", "a", .. Enumerable.Range(0, 10).Select(number => $"b{number}")], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Cost_one_request_each_when_nobody_else_is_there()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(New("a"));
        log.Table.ForgetRequests();

        await log.DoAsync(New("b"));

        Assert.Equal([TableOperation.Transaction], log.Table.Requests.Select(request => request.Kind));
    }

    [Fact]
    public async Task On_one_entity_are_decided_one_after_the_other()
    {
        await using var log = new SimulatedLog();
        const int Callers = 15;

        var answers = await Task.WhenAll(
            Enumerable.Range(0, Callers).Select(number => Task.Run(() => log.DoAsync(Tallies.Count("hot", $"{number}")))));

        Assert.Equal(Enumerable.Range(1, Callers), answers.Select(answer => (int)answer.Version).Order());
        Assert.Equal(Callers, SoundLog.Check(log.Table).Distinct().Count());
    }

    [Fact]
    public async Task On_one_entity_cost_no_refused_transaction_within_a_process()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("hot", "first"));
        log.Table.ForgetRequests();

        await Task.WhenAll(Enumerable.Range(0, 15).Select(number => Task.Run(() => log.DoAsync(Tallies.Count("hot", $"{number}")))));

        Assert.Equal(15, log.Table.Sent(TableOperation.Transaction));
    }

    [Fact]
    public async Task In_two_processes_are_decided_again_when_the_entity_changed()
    {
        await using var one = new SimulatedLog();
        await using var other = one.AnotherProcess();
        await one.DoAsync(Tallies.Count("a", "a1"));
        await other.DoAsync(Tallies.Count("b", "b1"));
        var decisions = 0;
        var command = Tallies.Count("a", "a3");
        var counted = command with
        {
            Decide = tally =>
            {
                decisions++;
                return command.Decide(tally);
            },
        };
        using var gate = new Gate(one.Table);
        var late = other.DoAsync(counted);
        await gate.Reached;
        await one.DoAsync(Tallies.Count("a", "a2"));

        gate.Open();

        Assert.Equal(3, (await late).Version);
        Assert.Equal(2, decisions);
        Assert.Equal(["a1", "b1", "a2", "a3"], SoundLog.Check(one.Table));
    }

    [Fact]
    public async Task In_two_processes_are_not_decided_again_when_only_the_head_moved()
    {
        await using var one = new SimulatedLog();
        await using var other = one.AnotherProcess();
        await one.DoAsync(Tallies.Count("a", "a1"));
        await other.DoAsync(Tallies.Count("b", "b1"));
        var decisions = 0;
        var command = Tallies.Count("b", "b2");
        var counted = command with
        {
            Decide = tally =>
            {
                decisions++;
                return command.Decide(tally);
            },
        };
        using var gate = new Gate(one.Table);
        var late = other.DoAsync(counted);
        await gate.Reached;
        await one.DoAsync(Tallies.Count("a", "a2"));

        gate.Open();

        Assert.Equal(2, (await late).Version);
        Assert.Equal(1, decisions);
    }

    [Fact]
    public async Task Leave_the_others_of_their_transaction_alone_when_one_is_refused()
    {
        await using var one = new SimulatedLog();
        await using var other = one.AnotherProcess();
        await one.DoAsync(Tallies.Count("a", "a1"));
        await other.DoAsync(Tallies.Count("b", "b1"));
        // What the other process decides on is stale from here on, though it cannot know.
        var stale = await one.Store.ReadEntityAsync(0, "tally", "a", CancellationToken.None);
        await one.DoAsync(Tallies.Count("a", "a2"));
        using var gate = new Gate(one.Table);
        var first = other.DoAsync(Tallies.Count("c", "c1") with { LikelyNew = true });
        await gate.Reached;
        var refused = other.Store.CommitAsync(
            0, new Change("tally", "a", stale, "{}"u8.ToArray(), [new NewEvent("Never", "text/plain", default)], null, null, null), default);
        var fine = other.DoAsync(Tallies.Count("d", "d1") with { LikelyNew = true });

        gate.Open();

        Assert.Equal(CommitResult.EntityChanged, await refused);
        await Task.WhenAll(first, fine);
        Assert.Equal(["a1", "b1", "a2", "c1", "d1"], SoundLog.Check(one.Table));
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(3, 4)]
    public async Task In_several_processes_are_each_in_the_log_once(int processes, int partitions)
    {
        await using var first = new SimulatedLog(partitions: partitions);
        var logs = new List<SimulatedLog> { first };
        while (logs.Count < processes) logs.Add(first.AnotherProcess());

        await Task.WhenAll(logs.SelectMany((log, process) => Enumerable.Range(0, 30).Select(number => Task.Run(
            () => log.DoAsync(Tallies.Count($"t{number % 10}", $"{process}-{number}", key: $"{process}-{number}"))))));

        foreach (var log in logs) await log.DisposeAsync();
        var steps = Enumerable.Range(0, partitions).SelectMany(partition => SoundLog.Check(first.Table, SoundLog.PartitionKey(partition)));
        Assert.Equal(processes * 30, steps.Distinct().Count());
    }

    private static Command<Tally> New(string id) => Tallies.Count(id, id) with { LikelyNew = true };
}

/// <summary>Holds the next transaction until it is opened.</summary>
internal sealed class Gate : IDisposable
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new();

    public Gate(SimulatedTable table, bool effectFirst = false)
    {
        table.Faults = request =>
        {
            if (request.Kind != TableOperation.Transaction || !_reached.TrySetResult()) return null;
            return effectFirst ? new TableFault.SlowAnswer(_open.Task) : new TableFault.HeldBack(_open.Task);
        };
    }

    public Task Reached => _reached.Task;

    public void Open() => _open.TrySetResult();

    public void Dispose() => Open();
}
