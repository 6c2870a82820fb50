namespace Outpost.Tests.Testing;

/// <summary>What several processes got done in the same partitions, and what it cost.</summary>
/// <param name="Commands">Commands done, by process.</param>
/// <param name="Seconds">In how many seconds.</param>
/// <param name="Waits">How long each command took, in order.</param>
/// <param name="Commits">Transactions that went through.</param>
/// <param name="LostRaces">Transactions refused because another process was first.</param>
/// <param name="Failures">What commands were answered other than done.</param>
/// <param name="Table">What they wrote.</param>
internal sealed record Work(
    IReadOnlyList<int> Commands,
    double Seconds,
    IReadOnlyList<TimeSpan> Waits,
    int Commits,
    int LostRaces,
    IReadOnlyList<string> Failures,
    SimulatedTable Table)
{
    public int Requests => Table.Requests.Count;

    public double PerSecond => Commands.Sum() / Seconds;

    /// <summary>What the slowest got, as a part of an equal share.</summary>
    public double SmallestShare => Commands.Min() / (Commands.Sum() / (double)Commands.Count);
}

/// <summary>Processes whose callers each place one order after the other, on virtual time and with Azure's limits.</summary>
internal sealed record BusyProcesses
{
    /// <summary>Each with a store of its own, on one table.</summary>
    public int Processes { get; init; } = 1;

    /// <summary>Per process; each sends its next command when the last is answered, and keeps to one partition.</summary>
    public required int Callers { get; init; }

    public int Partitions { get; init; } = 1;

    /// <summary>Whether commands have an idempotency key: three rows each instead of two.</summary>
    public bool WithKeys { get; init; } = true;

    /// <summary>Longest pause of a caller between two commands, on average half of it; null: none.</summary>
    public TimeSpan? Pause { get; init; }

    /// <summary>How much later each process begins than the one before it.</summary>
    public TimeSpan Apart { get; init; }

    public TimeSpan RoundTrip { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Whether every request takes exactly as long as any other.</summary>
    public bool Steady { get; init; }

    /// <summary>How many entities the whole account takes each second; far fewer than Azure's make a store whose every request waits for all others.</summary>
    public int AccountEntitiesPerSecond { get; init; } = 20_000;

    /// <summary>When counting starts, in virtual seconds: before it the service lives on what its buckets hold.</summary>
    public double WarmUpSeconds { get; init; }

    /// <summary>For how many virtual seconds it counts.</summary>
    public double Seconds { get; init; } = 10;

    /// <summary>Lets them work.</summary>
    /// <param name="seed">Of everything that is left to chance.</param>
    public Work Run(int seed)
    {
        var random = new Random(seed);
        var world = new VirtualTime();
        var table = new SimulatedTable(world, exists: false)
        {
            Service = new TableService(world, Steady ? null : random) { RoundTrip = RoundTrip, AccountEntitiesPerSecond = AccountEntitiesPerSecond },
        };
        var answers = new List<Answer>();
        world.Run(async () =>
        {
            var logs = Enumerable.Range(0, Processes).Select(_ => new VirtualLog(world, table, random, Partitions)).ToList();
            await Task.WhenAll(logs.SelectMany((log, process) => Enumerable.Range(0, Callers).Select(
                caller => CallAsync(new Caller(world, log, process, caller, random), answers))));
            foreach (var log in logs) await log.DisposeAsync();
        });

        var counted = answers.Where(answer => answer.At.TotalSeconds >= WarmUpSeconds && answer.At.TotalSeconds < WarmUpSeconds + Seconds).ToList();
        // Whoever loses a race reads the head and the first event row it would have written, to be sure of it.
        var lost = table.Requests.Count(request => request.Kind == TableOperation.Get && request.Keys[0].StartsWith("e|", StringComparison.Ordinal));
        return new Work(
            [.. Enumerable.Range(0, Processes).Select(process => counted.Count(answer => answer.Process == process && answer.Failure is null))],
            Seconds,
            [.. counted.Select(answer => answer.Took).Order()],
            table.Sent(TableOperation.Transaction) - lost,
            lost,
            [.. answers.Select(answer => answer.Failure).OfType<string>()],
            table);
    }

    private async Task CallAsync(Caller caller, List<Answer> answers)
    {
        var world = caller.World;
        await Task.Delay(Apart * caller.Process, world);
        for (var number = 0; world.Elapsed.TotalSeconds < WarmUpSeconds + Seconds; number++)
        {
            if (Pause is { } pause) await Task.Delay(pause * caller.Random.NextDouble(), world);
            var id = NewId(caller, number);
            var start = world.Elapsed;
            string? failure = null;
            try
            {
                var command = Tallies.Count(id, id, WithKeys ? id : null) with { LikelyNew = true };
                var result = await caller.Log.Log.ExecuteAsync(command, CancellationToken.None);
                if (result is not CommandResult<Tally>.Done) failure = $"{id}: {result}";
            }
            catch (StoreUnavailableException e)
            {
                failure = $"{id}: {e.InnerException!.Message}";
            }

            answers.Add(new Answer(caller.Process, world.Elapsed, world.Elapsed - start, failure));
        }
    }

    private string NewId(Caller caller, int number)
    {
        for (var attempt = 0; ; attempt++)
        {
            var id = $"{caller.Process}-{caller.Number}-{number}-{attempt}";
            if (LogLayout.PartitionOf($"tally/{id}", Partitions) == caller.Number % Partitions) return id;
        }
    }

    private sealed record Caller(VirtualTime World, VirtualLog Log, int Process, int Number, Random Random);

    private sealed record Answer(int Process, TimeSpan At, TimeSpan Took, string? Failure);
}
