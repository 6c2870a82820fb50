using System.Globalization;

namespace Outpost.Tests.Simulation;

/// <summary>
/// What one seed does. Each thing that is left to chance has a random source of its own, so that leaving one thing out
/// changes the others as little as possible: that is how a failing plan is made smaller.
/// </summary>
internal sealed record Plan
{
    private const double KindChance = 0.65;

    /// <summary>One seed in so many is crowded. Each process looks at each partition, so such a seed takes ten times as long.</summary>
    public const int CrowdedOneIn = 200;

    private Plan(int seed) => Seed = seed;

    public int Seed { get; }

    public int Partitions { get; init; }

    /// <summary>The counts that the log grows to meanwhile, one after the other.</summary>
    public IReadOnlyList<int> Growths { get; init; } = [];

    /// <summary>How many partitions there are in the end.</summary>
    public int PartitionsInTheEnd => Growths.Count > 0 ? Growths[^1] : Partitions;

    /// <summary>Processes at any time.</summary>
    public int Processes { get; init; }

    /// <summary>More processes than one partition serves well.</summary>
    public bool IsCrowded => Processes >= 16;

    public int Callers { get; init; }

    /// <summary>Of each caller, while things go wrong.</summary>
    public int CommandsPerCaller { get; init; }

    /// <summary>Written before anything goes wrong, long ago.</summary>
    public int History { get; init; }

    /// <summary>Clients that pull.</summary>
    public int Readers { get; init; }

    /// <summary>Programs with the .NET client.</summary>
    public int Consumers { get; init; }

    /// <summary>Domain entities that commands are about: few of them meet often.</summary>
    public int Entities { get; init; }

    /// <summary>A forwarder to the bus; with two also a local handler.</summary>
    public int Forwarders { get; init; }

    /// <summary>Whether a process goes on at once with what it waited for; in a few seeds that too is left to chance.</summary>
    public bool RunsOn { get; init; }

    /// <summary>Part of the requests that go wrong.</summary>
    public double FaultRate { get; init; }

    /// <summary>Faults of this seed. Not all at once: some hide what others would bring to light.</summary>
    public IReadOnlySet<FaultKind> Kinds { get; init; } = new HashSet<FaultKind>();

    public Broken Broken { get; init; }

    public int Commands => History + (Callers * CommandsPerCaller);

    public static Plan Of(int seed, Broken broken = Broken.Nothing)
    {
        var random = new Plan(seed).Random("plan");
        var callers = 6 + random.Next(7);
        var partitions = 1 + random.Next(3);
        var growth = new Plan(seed).Random("growth");
        var crowd = new Plan(seed).Random("crowd");
        // By its number, so that each block of seeds has its share.
        var isCrowded = seed % CrowdedOneIn == CrowdedOneIn / 2;
        if (isCrowded) callers = 24;
        return new Plan(seed)
        {
            Partitions = partitions,
            // Looking at many partitions is most of what a process does then.
            Growths = growth.Next(10) == 0 ? [4, growth.Next(6) == 0 ? 64 : 5 + growth.Next(3)] : [partitions + 1 + growth.Next(2)],
            Processes = isCrowded ? 16 + crowd.Next(33) : 2 + random.Next(3),
            Callers = callers,
            CommandsPerCaller = (162 + callers - 1) / callers,
            History = 36,
            Readers = 1 + random.Next(2),
            Entities = random.Next(3) == 0 ? 3 : 8 + random.Next(30),
            Forwarders = random.Next(3) == 0 ? 2 : 1,
            RunsOn = random.Next(48) > 0,
            FaultRate = 0.01 + (0.05 * random.NextDouble()),
            Kinds = Enum.GetValues<FaultKind>().Where(kind => random.NextDouble() < Chance(kind)).ToHashSet(),
            Consumers = 1,
            Broken = broken,
        };
    }

    // What is to be forgotten holds retention, and so keeps it out of other trouble.
    private static double Chance(FaultKind kind) => kind switch
    {
        FaultKind.OperatorForgets => 0.2,
        FaultKind.PullRetryAfter => 0.12,
        // It reads all there is.
        FaultKind.OperatorBacksUp => 0.3,
        _ => KindChance,
    };

    /// <summary>A random source for one purpose.</summary>
    public Random Random(string purpose)
    {
        // FNV-1a: the same everywhere and always.
        var hash = 2166136261u;
        foreach (var c in purpose) hash = (hash ^ c) * 16777619u;
        return new Random(unchecked((int)((uint)Seed * 2654435761u ^ hash)));
    }

    public bool Has(FaultKind kind) => Kinds.Contains(kind);

    /// <summary>How this plan differs from its seed's, as <see cref="With"/> reads it; empty: not at all.</summary>
    public string Difference()
    {
        var own = Of(Seed);
        var parts = new List<string>();
        Add("partitions", Partitions, own.Partitions);
        Add("processes", Processes, own.Processes);
        Add("callers", Callers, own.Callers);
        Add("commands", CommandsPerCaller, own.CommandsPerCaller);
        Add("history", History, own.History);
        Add("readers", Readers, own.Readers);
        Add("consumers", Consumers, own.Consumers);
        Add("forwarders", Forwarders, own.Forwarders);
        if (Growths.Count < own.Growths.Count) parts.Add(string.Create(CultureInfo.InvariantCulture, $"growths={Growths.Count}"));
        if (Broken != Broken.Nothing) parts.Add($"broken={Broken}");
        parts.AddRange(own.Kinds.Except(Kinds).Order().Select(kind => $"no={kind}"));
        return string.Join(',', parts);

        void Add(string name, int now, int before)
        {
            if (now != before) parts.Add(string.Create(CultureInfo.InvariantCulture, $"{name}={now}"));
        }
    }

    /// <summary>This plan, changed as a text says: <c>callers=1,no=Crash</c>.</summary>
    public Plan With(string difference) =>
        difference.Split(',', StringSplitOptions.RemoveEmptyEntries).Aggregate(this, (plan, part) =>
        {
            var (name, value) = part.Split('=') is [var n, var v] ? (n, v) : throw new FormatException($"'{part}' is not name=value.");
            return name switch
            {
                "no" => plan with { Kinds = plan.Kinds.Where(kind => kind != Enum.Parse<FaultKind>(value)).ToHashSet() },
                "broken" => plan with { Broken = Enum.Parse<Broken>(value) },
                "partitions" => plan with { Partitions = Number(value) },
                "growths" => plan with { Growths = [.. plan.Growths.Take(Number(value))] },
                "processes" => plan with { Processes = Number(value) },
                "callers" => plan with { Callers = Number(value) },
                "commands" => plan with { CommandsPerCaller = Number(value) },
                "history" => plan with { History = Number(value) },
                "readers" => plan with { Readers = Number(value) },
                "consumers" => plan with { Consumers = Number(value) },
                "forwarders" => plan with { Forwarders = Number(value) },
                _ => throw new FormatException($"A plan has no '{name}'."),
            };
        });

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
