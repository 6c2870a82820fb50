using Outpost.Client;

namespace Outpost.Tests.Simulation;

/// <summary>
/// Programs with the .NET client, each with a database of its own: at least once, or exactly once. They are killed and
/// started again, their network loses requests and answers, their database and their handlers fail.
/// </summary>
internal sealed class Consumers(World world)
{
    private static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(3);

    // Beyond the client's longest pause after many failures, and a request or two.
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(15);

    public Task RunAsync() => Task.WhenAll(Enumerable.Range(0, world.Plan.Consumers).Select(RunAsync));

    private async Task RunAsync(int consumer)
    {
        var random = world.Plan.Random($"consumer {consumer}");
        var database = new ConsumerDatabase(world, random, $"consumer {consumer}", isExact: random.Next(2) == 0);
        for (var run = 0; !world.Judge.IsOver; run++)
        {
            var process = new VirtualProcess(world.Time, world.Table, random, $"consumer {consumer}.{run}", world.Plan.Partitions);
            using var stop = new CancellationTokenSource();
            var token = stop.Token;
            using var http = new HttpClient(new ConsumerHttp(world, random)) { BaseAddress = new Uri("http://outpost/"), Timeout = Timeout.InfiniteTimeSpan };
            var running = process.Start(() => ReadAsync(new FeedReader(http, process.Time, random, Options(random)), database, token));
            var isAtEnd = await RunsUntilAsync(running, database, random);
            if (isAtEnd) stop.CancelHere();
            else if (!running.IsCompleted) process.Kill();
            if (isAtEnd && await Task.WhenAny(running, Task.Delay(StopsWithin, world.Time)) != running) world.Judge.Wrong("a reader that was stopped goes on");
            process.Metrics.Dispose();
            if (running.IsCompleted && await running is { } gone) database.Decide(gone);
            else if (isAtEnd) return;
        }
    }

    private static FeedReaderOptions Options(Random random) => new()
    {
        Limit = random.Next(3) == 0 ? 7 : 100,
        Wait = TimeSpan.FromSeconds(random.Next(3)),
        PollInterval = TimeSpan.FromMilliseconds(700),
        RequestTimeout = RequestPatience,
        StoreEachEntry = random.Next(2) == 0,
    };

    // What it must not go on from; null: it was stopped.
    private async Task<FeedException?> ReadAsync(FeedReader reader, ConsumerDatabase database, CancellationToken stop)
    {
        try
        {
            await (database.IsExact ? reader.RunAsync(database.LoadAsync, database.HandlePageAsync, stop) : reader.RunAsync(database, database.HandleAsync, stop));
            if (!stop.IsCancellationRequested) world.Judge.Wrong("a reader ended by itself");
        }
        catch (FeedException e)
        {
            return e;
        }
        catch (Exception e)
        {
            world.Judge.Wrong($"a reader failed: {e}");
        }

        return null;
    }

    // True: nothing happens any more, and it has everything; false: it is killed now, or has ended.
    private async Task<bool> RunsUntilAsync(Task running, ConsumerDatabase database, Random random)
    {
        var kill = world.Time.Elapsed + TimeSpan.FromSeconds(25 * random.NextDouble());
        for (var end = TimeSpan.MaxValue; !running.IsCompleted;)
        {
            await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(random.NextDouble()), world.Time));
            if (world.IsAtRest && database.HasAll) return true;
            if (world.IsAtRest && end == TimeSpan.MaxValue) end = world.Time.Elapsed + EndsWithin + (world.Faults[FaultKind.PullRetryAfter] > 0 ? Backoff.RetryAfterMax : TimeSpan.Zero);
            if (world.Time.Elapsed > end)
            {
                world.Judge.Wrong($"{database.Name} does not get everything");
                return true;
            }

            if (world.IsCalm || !world.Plan.Has(FaultKind.ConsumerKilled) || world.Time.Elapsed < kill) continue;
            world.Fired(FaultKind.ConsumerKilled);
            return false;
        }

        return false;
    }
}
