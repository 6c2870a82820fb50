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
            EntityId = kind < 4 ? $"new-{step}" : kind < 7 ? $"few-{entity}" : $"e-{entity}",
            Events = events == 0 ? 60 + random.Next(38) : 1 + (events % 3),
            Padding = big == 0 ? 20_000 : 0,
            LikelyNew = kind < 4,
            Idempotency = key == 0 ? null : Idempotency(step, kind < 4),
        };
        _keyed.RemoveAll(one => world.Time.Elapsed - one.At > ReusedWithin);
        if (reused == 0 && world.Plan.Has(FaultKind.KeyReused) && _keyed.Count > 0) asked = WithKeyOf(_keyed[random.Next(_keyed.Count)].Asked, asked);
        else if (asked.Idempotency is not null) _keyed.Add((asked, world.Time.Elapsed));
        if (asked.Kind == CommandKind.CountIfMatch) asked.ExpectedVersion = world.Log.VersionOf(asked.Subject);
        return asked;
    }

    // Whoever creates may choose the id: the key alone leads to another partition.
    private static Idempotency Idempotency(string step, bool creates) => creates
        ? new Idempotency("POST /tallies", step, step) { HomeSubject = $"tally/{step}" }
        : new Idempotency("POST /tallies/count", step, step);

    // Another request under a key that was used before: about the same entity, or (creating) about another.
    private Asked WithKeyOf(Asked first, Asked asked)
    {
        world.Faults.Fired(FaultKind.KeyReused);
        var creates = first.Kind == CommandKind.Create;
        return new Asked
        {
            Step = asked.Step,
            Kind = creates ? CommandKind.Create : CommandKind.Count,
            EntityId = creates ? $"new-{asked.Step}" : first.EntityId,
            Events = 1,
            LikelyNew = creates,
            Idempotency = first.Idempotency! with { Fingerprint = asked.Step },
        };
    }
}
