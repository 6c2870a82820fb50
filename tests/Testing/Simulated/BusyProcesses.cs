namespace Outpost.Tests.Testing;

/// <summary>What several processes got done in the same partitions, and what it cost.</summary>
/// <param name="Commands">Commands done, by process.</param>
/// <param name="Seconds">In how many seconds.</param>
/// <param name="Commits">Transactions that went through.</param>
/// <param name="LostRaces">Transactions refused because another process was first.</param>
/// <param name="Requests">All requests.</param>
/// <param name="Failures">What commands were answered other than done.</param>
/// <param name="Table">What they wrote.</param>
public sealed record Work(
    IReadOnlyList<int> Commands,
    double Seconds,
    int Commits,
    int LostRaces,
    int Requests,
    IReadOnlyList<string> Failures,
    SimulatedTable Table)
{
    public double PerSecond => Commands.Sum() / Seconds;

    /// <summary>What the slowest got, as a part of an equal share.</summary>
    public double SmallestShare => Commands.Min() / (Commands.Sum() / (double)Commands.Count);
}

/// <summary>Processes whose callers each place one order after the other, on virtual time and with Azure's limits.</summary>
public static class BusyProcesses
{
    /// <summary>Lets them work.</summary>
    /// <param name="processes">Each with a store of its own, on one table.</param>
    /// <param name="callers">Per process; each sends its next command when the last is answered.</param>
    /// <param name="seconds">How long, in virtual time.</param>
    /// <param name="seed">Of everything that is left to chance.</param>
    /// <param name="partitions">Callers spread over them.</param>
    /// <param name="withKeys">Whether commands have an idempotency key: three rows each instead of two.</param>
    /// <param name="think">Longest pause of a caller between two commands, mean half of it; null: none.</param>
    public static Work Run(
        int processes,
        int callers,
        double seconds,
        int seed,
        int partitions = 1,
        bool withKeys = true,
        TimeSpan? think = null)
    {
        var random = new Random(seed);
        var world = new VirtualTime();
        var service = new TableService(world, random);
        var table = new SimulatedTable(world, exists: false) { Service = service };
        var done = new int[processes];
        var failures = new List<string>();
        var end = TimeSpan.FromSeconds(seconds);

        async Task CallAsync(VirtualLog log, int process, string caller)
        {
            for (var number = 0; world.Elapsed < end; number++)
            {
                if (think is { } pause) await Task.Delay(pause * random.NextDouble(), world);
                var id = $"{caller}-{number}";
                var command = Tallies.Count(id, id, withKeys ? id : null) with { LikelyNew = true };
                try
                {
                    if (await log.Log.ExecuteAsync(command, CancellationToken.None) is not CommandResult<Tally>.Done)
                        failures.Add($"{id}: not done");
                    else if (world.Elapsed <= end)
                        done[process]++;
                }
                catch (StoreUnavailableException e)
                {
                    failures.Add($"{id}: {e.InnerException!.Message}");
                }
            }
        }

        world.Run(async () =>
        {
            var logs = Enumerable.Range(0, processes).Select(_ => new VirtualLog(world, table, random, partitions)).ToList();
            await Task.WhenAll(logs.SelectMany((log, process) =>
                Enumerable.Range(0, callers).Select(caller => CallAsync(log, process, $"{process}-{caller}"))));
            foreach (var log in logs) await log.DisposeAsync();
        });

        // Whoever loses a race reads the head and the first event row it would have written, to be sure of it.
        var lost = table.Requests.Count(request => request.Kind == TableOperation.Get && request.Keys[0].StartsWith("e|", StringComparison.Ordinal));
        return new Work(done, seconds, table.Sent(TableOperation.Transaction) - lost, lost, table.Requests.Count, failures, table);
    }
}
