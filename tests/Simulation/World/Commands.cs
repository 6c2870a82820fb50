namespace Outpost.Tests.Simulation;

/// <summary>What callers ask for. Each depends on the seed only, not on what happened before.</summary>
internal sealed class Commands(World world)
{
    // Well before the receipt of the first is gone.
    private static readonly TimeSpan ReusedWithin = TimeSpan.FromSeconds(25);
    private readonly List<(Asked Asked, TimeSpan At)> _keyed = [];

    /// <summary>One more command.</summary>
    /// <param name="random">Of its caller.</param>
    /// <param name="step">Its name.</param>
    public Asked Next(Random random, string step)
    {
        var (kind, entity, key, events, big) = (random.Next(20), random.Next(world.Plan.Entities), random.Next(6), random.Next(40), random.Next(80));
        var reused = random.Next(25);
        var isLarge = big == 1 && world.Plan.Has(FaultKind.LargePayload);
        var asked = new Asked
        {
            Step = step,
            Kind = kind switch
            {
                < 4 => CommandKind.Create,
                < 7 => CommandKind.CountToMax,
                < 9 => CommandKind.CountIfMatch,
                9 => CommandKind.Nothing,
                _ => CommandKind.Count,
            },
            EntityId = kind < 4 ? Created(kind, step) : kind < 7 ? $"few-{entity}" : $"e-{entity}",
            Events = isLarge ? 1 : events == 0 ? 60 + random.Next(38) : 1 + (events % 3),
            Padding = big == 0 ? 20_000 : isLarge ? Large(random) : 0,
            LikelyNew = kind < 4,
            Idempotency = key == 0 ? null : Idempotency(kind, step),
        };
        _keyed.RemoveAll(one => world.Time.Elapsed - one.At > ReusedWithin);
        if (reused == 0 && world.Plan.Has(FaultKind.KeyReused) && _keyed.Count > 0) asked = WithKeyOf(_keyed[random.Next(_keyed.Count)].Asked, asked);
        else if (asked.Idempotency is not null) _keyed.Add((asked, world.Time.Elapsed));
        if (asked.Kind == CommandKind.CountIfMatch) asked.ExpectedVersion = world.Log.VersionOf(asked.Subject);
        return asked;
    }

    // Up to the largest there is, less what the rest of the event takes.
    private int Large(Random random)
    {
        world.Faults.Fired(FaultKind.LargePayload);
        return random.Next(40_000, Limits.PayloadBytesMax - 200);
    }

    // Whoever creates may name the entity, which is part of the scope then; else its id is made of the key.
    private static string Created(int kind, string step) => kind < 2 ? $"named-{step}" : $"new-{step}";

    private static Idempotency Idempotency(int kind, string step) => kind switch
    {
        < 2 => Naming(step, key: step),
        < 4 => new Idempotency("POST /tallies", step, step),
        _ => new Idempotency("POST /tallies/count", step, step),
    };

    private static Idempotency Naming(string step, string key) => new($"POST /tallies tally/{Created(0, step)}", key, step);

    // Another request under a key that was used before: about the same entity, which is refused, or naming another, which
    // is another command.
    private Asked WithKeyOf(Asked first, Asked asked)
    {
        world.Faults.Fired(FaultKind.KeyReused);
        var names = first.Kind == CommandKind.Create && first.EntityId == Created(0, first.Step);
        return new Asked
        {
            Step = asked.Step,
            Kind = first.Kind == CommandKind.Create ? CommandKind.Create : CommandKind.Count,
            EntityId = names ? Created(0, asked.Step) : first.EntityId,
            Events = 1,
            LikelyNew = first.Kind == CommandKind.Create,
            Idempotency = names ? Naming(asked.Step, first.Idempotency!.Key) : first.Idempotency! with { Fingerprint = asked.Step },
        };
    }
}
