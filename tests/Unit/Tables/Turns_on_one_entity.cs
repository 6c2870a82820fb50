namespace Outpost.Tests.Unit.Tables;

/// <summary>Commands on one entity in one process, while the store takes its time.</summary>
public sealed class Turns_on_one_entity
{
    private readonly VirtualTime _world = new();
    private readonly SimulatedTable _table;

    public Turns_on_one_entity() => _table = new SimulatedTable(_world, exists: false) { Service = new TableService(_world) };

    [Fact]
    public void Are_taken_in_the_order_in_which_they_were_asked_for()
    {
        RunHot(async log =>
        {
            var commands = new List<Task<CommandResult<Tally>>>();
            for (var number = 0; number < 20; number++)
            {
                commands.Add(log.ExecuteAsync(Tallies.Count("hot", $"{number}"), CancellationToken.None));
                await Task.Delay(TimeSpan.FromMilliseconds(1), _world);
            }

            await Task.WhenAll(commands);
        });

        Assert.Equal(["first", "holder", .. Enumerable.Range(0, 20).Select(number => $"{number}")], SoundLog.Check(_table));
    }

    [Fact]
    public void Are_waited_for_by_so_many_and_no_more()
    {
        var answers = RunHot(log => Task.WhenAll(Enumerable.Range(0, Limits.EntityWaitersMax + 2).Select(
            number => log.ExecuteAsync(Tallies.Count("hot", $"{number}"), CancellationToken.None))));

        // The holder's own turn is one of them, so all but two of these wait.
        Assert.Equal(2, answers.Count(answer => answer is CommandResult<Tally>.Busy));
        Assert.Equal(Limits.EntityWaitersMax + 2, SoundLog.Check(_table).Count);
    }

    [Fact]
    public void Are_given_up_after_twenty_seconds_and_go_on_after_that()
    {
        var release = new TaskCompletionSource();
        var waited = TimeSpan.Zero;

        var (late, next) = RunHot(async log =>
        {
            _table.Faults = request => request.Kind == TableOperation.Transaction
                ? new TableFault.HeldBack(release.Task)
                : null;
            var start = _world.Elapsed;
            var late = await log.ExecuteAsync(Tallies.Count("hot", "late"), CancellationToken.None);
            waited = _world.Elapsed - start;
            release.SetResult();
            return (late, await log.ExecuteAsync(Tallies.Count("hot", "next"), CancellationToken.None));
        });

        Assert.IsType<CommandResult<Tally>.Busy>(late);
        Assert.Equal(Limits.QueueWaitMax, waited);
        Assert.IsType<CommandResult<Tally>.Done>(next);
        Assert.Equal(["first", "holder", "next"], SoundLog.Check(_table));
    }

    [Fact]
    public void Go_to_the_next_when_those_in_between_have_left()
    {
        using var leaving = new CancellationTokenSource(TimeSpan.FromMilliseconds(2), _world);

        RunHot(async log =>
        {
            var left = Enumerable.Range(0, 10).Select(number => log.ExecuteAsync(Tallies.Count("hot", $"{number}"), leaving.Token)).ToList();
            var last = log.ExecuteAsync(Tallies.Count("hot", "last"), CancellationToken.None);
            foreach (var command in left) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => command);
            return await last;
        }, holdersTime: TimeSpan.FromMilliseconds(100));

        Assert.Equal(["first", "holder", "last"], SoundLog.Check(_table));
    }

    private void RunHot(Func<EventLog, Task> work) => RunHot(async log =>
    {
        await work(log);
        return true;
    });

    // Runs the work while one command, which has lost a race, holds the turn.
    private T RunHot<T>(Func<EventLog, Task<T>> work, TimeSpan holdersTime = default) => _world.Run(async () =>
    {
        await using var log = new VirtualLog(_world, _table, new Random(1));
        await using var other = new VirtualLog(_world, _table, new Random(2));
        await other.Log.ExecuteAsync(Tallies.Count("hot", "first"), CancellationToken.None);
        await log.Store.LayoutAsync(CancellationToken.None);
        // Taken for new, it is refused once and then has the turn.
        var holder = log.Log.ExecuteAsync(Tallies.Count("hot", "holder") with { LikelyNew = true }, CancellationToken.None);
        while (_table.Requests.Count(request => request.Keys[0] == "d|tally|hot") < 2) await Task.Delay(TimeSpan.FromMilliseconds(1), _world);
        if (holdersTime > TimeSpan.Zero) _table.Faults = _ => new TableFault.HeldBack(Task.Delay(holdersTime, _world));
        var answer = await work(log.Log);
        await holder;
        return answer;
    });
}
