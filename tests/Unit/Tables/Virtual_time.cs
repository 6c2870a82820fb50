using System.Threading.Channels;

namespace Outpost.Tests.Unit.Tables;

public sealed class Virtual_time
{
    [Fact]
    public void Passes_only_when_nothing_is_left_to_do()
    {
        var world = new VirtualTime();
        var trace = new List<string>();

        world.Run(() => Task.WhenAll(
            SayAsync(world, trace, "late", TimeSpan.FromDays(2)),
            SayAsync(world, trace, "early", TimeSpan.FromSeconds(1)),
            SayAsync(world, trace, "now", TimeSpan.Zero)));

        Assert.Equal(["now at 0", "early at 1", "late at 172800"], trace);
    }

    [Fact]
    public void Keeps_the_order_of_timers_of_one_moment()
    {
        var world = new VirtualTime();
        var trace = new List<string>();

        world.Run(() => Task.WhenAll(Enumerable.Range(0, 5).Select(number => SayAsync(world, trace, $"{number}", TimeSpan.FromSeconds(1)))));

        Assert.Equal(["0 at 1", "1 at 1", "2 at 1", "3 at 1", "4 at 1"], trace);
    }

    [Fact]
    public void Is_the_same_again_with_the_same_seed_and_another_with_another()
    {
        var (first, again, other) = (Meeting(1), Meeting(1), Meeting(2));

        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.Equal(first.Order(), other.Order());
    }

    [Fact]
    public void Runs_everything_on_the_caller_s_thread_whatever_is_awaited()
    {
        var world = new VirtualTime();
        var threads = new HashSet<int>();
        var channel = Channel.CreateBounded<int>(1);
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var never = new TaskCompletionSource();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(3), world);

        async Task StepAsync(Func<Task> wait)
        {
            threads.Add(Environment.CurrentManagedThreadId);
            await wait();
            threads.Add(Environment.CurrentManagedThreadId);
        }

        world.Run(async () =>
        {
            var waiting = new[]
            {
                StepAsync(async () => await channel.Reader.ReadAsync()),
                StepAsync(() => source.Task),
                StepAsync(() => Assert.ThrowsAsync<TimeoutException>(() => never.Task.WaitAsync(TimeSpan.FromSeconds(1), world))),
                StepAsync(() => Assert.ThrowsAnyAsync<OperationCanceledException>(() => never.Task.WaitAsync(TimeSpan.FromDays(1), world, deadline.Token))),
                StepAsync(() => Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(TimeSpan.FromDays(1), world, deadline.Token))),
                StepAsync(async () => await Task.Yield()),
            };
            await Task.Delay(TimeSpan.FromSeconds(1), world);
            source.SetResult();
            await channel.Writer.WriteAsync(1);
            await Task.WhenAll(waiting);
        });

        Assert.Equal([Environment.CurrentManagedThreadId], threads);
        Assert.Equal(TimeSpan.FromSeconds(3), world.Elapsed);
    }

    [Fact]
    public void Repeats_a_periodic_timer_until_it_is_disposed()
    {
        var world = new VirtualTime();
        var fired = new List<double>();
        var timer = world.CreateTimer(_ => fired.Add(world.Elapsed.TotalSeconds), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

        world.Run(async () =>
        {
            await Task.Delay(TimeSpan.FromSeconds(6), world);
            await timer.DisposeAsync();
            await Task.Delay(TimeSpan.FromSeconds(6), world);
        });

        Assert.Equal([1, 3, 5], fired);
    }

    [Fact]
    public void Says_when_nothing_can_ever_go_on()
    {
        var world = new VirtualTime();

        var deadlock = Assert.Throws<InvalidOperationException>(() => world.Run(async () =>
        {
            await Task.Delay(TimeSpan.FromSeconds(5), world);
            await new TaskCompletionSource().Task;
        }));

        Assert.StartsWith("Deadlock at 00:00:05, after ", deadlock.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ends_work_that_never_ends()
    {
        var world = new VirtualTime(stepsMax: 100);

        var endless = Assert.Throws<InvalidOperationException>(() => world.Run(async () =>
        {
            while (true) await Task.Delay(TimeSpan.FromSeconds(1), world);
        }));

        Assert.StartsWith("Not done after 100 steps", endless.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fails_as_its_work_fails() =>
        Assert.Equal("broken", Assert.Throws<NotSupportedException>(() => new VirtualTime().Run(async () =>
        {
            await Task.Yield();
            throw new NotSupportedException("broken");
        })).Message);

    [Fact]
    public void Tells_on_work_that_goes_to_the_thread_pool()
    {
        var world = new VirtualTime();

        using var ticked = new ManualResetEventSlim();

        async Task TickAsync()
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), world);
                ticked.Set();
            }
        }

        var escaped = Assert.Throws<InvalidOperationException>(() => world.Run(async () =>
        {
            var pool = Task.Run(ticked.Wait);
            await Task.WhenAny(TickAsync(), WaitForAsync(pool));
        }));

        Assert.StartsWith("Work left this world for the thread pool", escaped.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Carries_a_whole_log_and_is_the_same_again_to_the_last_request()
    {
        var (first, again) = (Trace(1), Trace(1));

        Assert.Equal(first, again);
        Assert.NotEqual(first, Trace(2));
    }

    [Fact]
    public void Carries_commands_that_may_be_cancelled()
    {
        var world = new VirtualTime();
        var table = new SimulatedTable(world, exists: false) { Service = new TableService(world) };
        using var cancellation = new CancellationTokenSource();

        world.Run(async () =>
        {
            await using var log = new VirtualLog(world, table, new Random(1));
            await log.Store.LayoutAsync(cancellation.Token);
            await Task.WhenAll(Enumerable.Range(0, 5).Select(number => log.Log.ExecuteAsync(Tallies.Count($"{number}", "step"), cancellation.Token)));
        });

        Assert.Equal(5, SoundLog.Check(table).Count);
    }

    [Fact]
    public void Carries_reads_and_commands_that_queue_for_one_entity()
    {
        var world = new VirtualTime(new Random(1));
        var table = new SimulatedTable(world, exists: false) { Service = new TableService(world) };

        var entries = world.Run(async () =>
        {
            await using var log = new VirtualLog(world, table, new Random(1));
            await log.Store.LayoutAsync(CancellationToken.None);
            await Task.WhenAll(Enumerable.Range(0, 50).Select(
                number => log.Log.ExecuteAsync(Tallies.Count("hot", $"{number}"), CancellationToken.None)));
            Assert.Equal(50, (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Head);
            return await log.Store.ReadEventsAsync(0, 0, Limits.PageEntriesMax, CancellationToken.None);
        });

        Assert.Equal(SoundLog.Check(table), entries.Select(Tallies.StepOf));
    }

    private static List<string> Trace(int seed)
    {
        var work = new BusyProcesses { Processes = 3, Callers = 4, Seconds = 0.5 }.Run(seed);
        return [.. work.Table.Requests.Select(request => $"{request.Kind} {string.Join(' ', request.Keys)}"),
            .. work.Table.Rows("0000").Select(row => $"{row.RowKey} {row.Timestamp:O} {row.ETag} {row.GetString("Commit")}")];
    }

    private static List<string> Meeting(int seed)
    {
        var world = new VirtualTime(new Random(seed));
        var trace = new List<string>();
        world.Run(() => Task.WhenAll(Enumerable.Range(0, 6).Select(async number =>
        {
            for (var step = 0; step < 3; step++)
            {
                await Task.Yield();
                trace.Add($"{number} does {step}");
            }
        })));
        return trace;
    }

    private static async Task WaitForAsync(Task task) => await task;

    private static async Task SayAsync(VirtualTime world, List<string> trace, string what, TimeSpan after)
    {
        await Task.Delay(after, world);
        trace.Add($"{what} at {world.Elapsed.TotalSeconds}");
    }
}
