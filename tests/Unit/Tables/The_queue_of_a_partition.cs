namespace Outpost.Tests.Unit.Tables;

public sealed class The_queue_of_a_partition
{
    [Fact]
    public async Task Is_bounded_and_says_so_at_once()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        using var gate = new Gate(log.Table);
        var first = log.DoAsync(New("b"));
        await gate.Reached;
        var waiting = Enumerable.Range(0, Limits.QueuedCommandsMax).Select(number => log.RunAsync(New($"w{number}"))).ToList();

        var tooMany = await log.RunAsync(New("too-many"));

        Assert.IsType<CommandResult<Tally>.Busy>(tooMany);
        gate.Open();
        await first;
        Assert.All(await Task.WhenAll(waiting), answer => Assert.IsType<CommandResult<Tally>.Done>(answer));
        var steps = SoundLog.Check(log.Table);
        Assert.Equal(Limits.QueuedCommandsMax + 2, steps.Count);
        Assert.DoesNotContain("too-many", steps);
    }

    // Reads work and writes fail: each batch tries for 30 seconds, and those behind it wait for all of them.
    [Fact]
    public async Task Lets_nobody_wait_for_minutes_when_writing_fails()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        using var gate = new Gate(log.Table);
        var first = log.DoAsync(New("b"));
        await gate.Reached;
        var waiting = Enumerable.Range(0, 500).Select(number => log.RunAsync(New($"w{number}"))).ToList();
        var start = log.Time.GetTimestamp();

        log.Table.Faults = request => request.Kind == TableOperation.Transaction ? new TableFault.BeforeEffect(TableError.Busy) : null;
        gate.Open();
        await first;
        await Task.WhenAll(waiting);

        Assert.InRange(log.Time.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Is_first_in_first_out()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        using var gate = new Gate(log.Table);
        var first = log.DoAsync(New("b"));
        await gate.Reached;
        var waiting = Enumerable.Range(0, 150).Select(number => log.DoAsync(New($"w{number:D3}"))).ToList();

        gate.Open();
        await Task.WhenAll([first, .. waiting]);

        Assert.Equal(["a1", "b", .. Enumerable.Range(0, 150).Select(number => $"w{number:D3}")], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Forgets_who_gave_up_and_leaves_the_neighbours_alone()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        using var gate = new Gate(log.Table);
        using var cancellation = new CancellationTokenSource();
        var first = log.DoAsync(New("b"));
        await gate.Reached;
        var before = log.DoAsync(New("c"));
        var givesUp = log.RunAsync(New("d"), cancellation.Token);
        var after = log.DoAsync(New("e"));

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givesUp);
        gate.Open();
        await Task.WhenAll(first, before, after);

        Assert.Equal(["a1", "b", "c", "e"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Commits_what_was_sent_already_although_its_caller_gave_up()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        using var gate = new Gate(log.Table);
        using var cancellation = new CancellationTokenSource();
        var givesUp = log.RunAsync(New("b"), cancellation.Token);
        await gate.Reached;

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givesUp);
        gate.Open();
        await log.DoAsync(New("c"));

        Assert.Equal(["a1", "b", "c"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Is_finished_before_the_store_closes()
    {
        var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        using var gate = new Gate(log.Table);
        var accepted = Enumerable.Range(0, 120).Select(number => log.DoAsync(New($"w{number:D3}"))).ToList();
        await gate.Reached;

        var closing = log.DisposeAsync();
        Assert.False(closing.IsCompleted);
        gate.Open();
        await closing;

        Assert.All(accepted, command => Assert.True(command.IsCompletedSuccessfully || !command.IsFaulted));
        Assert.Equal(121, SoundLog.Check(log.Table).Count);
        await Task.WhenAll(accepted);
        Assert.IsType<CommandResult<Tally>.Busy>(await log.RunAsync(New("too-late")));
    }

    [Fact]
    public async Task Is_each_partition_s_own()
    {
        await using var log = new SimulatedLog(partitions: 2);
        var (inFirst, inSecond) = (IdIn(0), IdIn(1));
        using var gate = new Gate(log.Table);
        var held = log.DoAsync(New(inFirst));
        await gate.Reached;

        await log.DoAsync(New(inSecond));

        Assert.False(held.IsCompleted);
        gate.Open();
        await held;
    }

    private static string IdIn(int partition) =>
        Enumerable.Range(0, 100).Select(number => $"t{number}").First(id => LogLayout.PartitionOf($"tally/{id}", 2) == partition);

    private static Command<Tally> New(string id) => Tallies.Count(id, id) with { LikelyNew = true };
}
