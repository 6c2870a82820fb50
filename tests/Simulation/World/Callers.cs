namespace Outpost.Tests.Simulation;

/// <summary>
/// Clients of the app. They send a command to any process, wait for a while, give up, and send it again with the same key
/// to another; without a key they leave it at that.
/// </summary>
internal sealed class Callers(World world)
{
    // Receipts are kept for longer than anybody repeats a command.
    private static readonly TimeSpan RepeatsFor = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan AnsweredWithin = TimeSpan.FromSeconds(15);
    private readonly Answers _answers = new(world.Judge, world.Log);
    private readonly Commands _commands = new(world);

    public async Task HistoryAsync(string name, int commands)
    {
        var random = world.Plan.Random(name);
        await Task.WhenAll(Enumerable.Range(0, commands).Select(async number =>
        {
            var asked = _commands.Next(random, $"{name}-{number}");
            await AskAsync(asked, random);
        }));
    }

    public Task ChaosAsync() => Task.WhenAll(Enumerable.Range(0, world.Plan.Callers).Select(ChaosAsync));

    /// <summary>Nothing goes wrong, but for the broker: every command is answered.</summary>
    public async Task FinishAsync()
    {
        var random = world.Plan.Random("finish");
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async number =>
        {
            var asked = _commands.Next(random, $"f-{number}");
            world.Log.Ask(asked);
            var start = world.Time.Elapsed;
            while (!await TryAsync(asked, random, AnsweredWithin))
            {
                if (world.Time.Elapsed - start > AnsweredWithin)
                {
                    world.Judge.Wrong($"{asked.Step} is not answered although only the broker is down");
                    return;
                }

                await Task.Delay(TimeSpan.FromSeconds(1), world.Time);
            }
        }));
    }

    public void CheckEnd() => _answers.CheckEnd();

    private async Task ChaosAsync(int caller)
    {
        var random = world.Plan.Random($"caller {caller}");
        for (var number = 0; number < world.Plan.CommandsPerCaller; number++)
        {
            await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * random.NextDouble() * 1.2), world.Time);
            var asked = _commands.Next(random, $"{caller}-{number}");
            var twice = asked.Idempotency is not null && world.Plan.Has(FaultKind.CallerSendsTwice) && random.Next(12) == 0;
            if (twice) world.Fired(FaultKind.CallerSendsTwice);
            await Task.WhenAll(AskAsync(asked, random), twice ? AskAsync(asked, random) : Task.CompletedTask);
        }
    }

    private async Task AskAsync(Asked asked, Random random)
    {
        world.Log.Ask(asked);
        var start = world.Time.Elapsed;
        while (true)
        {
            var patience = !world.IsCalm && !world.IsHistory && world.Plan.Has(FaultKind.CallerGivesUp) && random.Next(10) == 0
                ? TimeSpan.FromMilliseconds(100 * random.NextDouble())
                : TimeSpan.FromSeconds(2 + (6 * random.NextDouble()));
            if (await TryAsync(asked, random, patience) || asked.Idempotency is null || world.Time.Elapsed - start > RepeatsFor) return;
            world.Faults.Fired(FaultKind.CallerRepeats);
            await Task.Delay(TimeSpan.FromSeconds(random.NextDouble()), world.Time);
        }
    }

    // True: no need to ask again.
    private async Task<bool> TryAsync(Asked asked, Random random, TimeSpan patience)
    {
        var node = world.AnyNode(random);
        var before = _answers.Before(asked);
        using var leaves = new CancellationTokenSource();
        using var answered = new CancellationTokenSource();
        if (world.Judge.IsTraced) world.Judge.Note($"{asked.Step} ({asked.Kind} {asked.Subject} key {asked.Idempotency?.Key}) asked of {node.Process.Name}");
        // The token is the request's: it may be gone by the time the process looks at it.
        var token = leaves.Token;
        var answer = node.Process.Start(async () =>
        {
            await node.Opened;
            return await world.Bounds.HoldAsync(node.Process, ExecuteAsync(node.Process, asked, token), Bounds.Command, asked.Step);
        });
        await Task.WhenAny(answer, Task.Delay(patience, world.Time, answered.Token));
        answered.CancelHere();
        if (answer.IsCompleted) return _answers.Answered(asked, before, await answer);
        if (world.Plan.Has(FaultKind.CallerGivesUp)) world.Faults.Fired(FaultKind.CallerGivesUp);
        if (random.Next(2) == 0) leaves.CancelHere();
        return _answers.Answered(asked, before, new Answer.None("gave up"));
    }

    /// <summary>Runs a command in a process.</summary>
    public static async Task<Answer> ExecuteAsync(VirtualProcess process, Asked asked, CancellationToken cancellationToken)
    {
        try
        {
            return new Answer.Result(await process.Log.ExecuteAsync(asked.Command(), cancellationToken));
        }
        catch (StoreUnavailableException e)
        {
            return new Answer.NothingWritten(e.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new Answer.None("left");
        }
        catch (Exception e)
        {
            return new Answer.Failed(e);
        }
    }
}
