using System.Globalization;

namespace Outpost.Tests.Simulation;

/// <summary>What <c>simulate</c> was asked for.</summary>
internal sealed record RunOptions
{
    /// <summary>How many seeds; default 1,000, or as many as fit into the minutes.</summary>
    public int? Seeds { get; private init; }

    /// <summary>The first seed, or the only one.</summary>
    public int Seed { get; private init; }

    public bool OneSeed { get; private init; }

    public double? Minutes { get; private init; }

    /// <summary>How the plan differs from the seed's own: <c>callers=1,no=Crash</c>.</summary>
    public string Plan { get; private init; } = "";

    /// <summary>All orders of a small case to this depth, instead.</summary>
    public int? Exhaustive { get; private init; }

    /// <summary>How many seeds each broken variant takes, instead.</summary>
    public bool Broken { get; private init; }

    public static RunOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new RunOptions();
        var rest = new Queue<string>(arguments);
        var seed = false;
        while (rest.TryDequeue(out var name))
        {
            string Value() => rest.TryDequeue(out var value) ? value : throw new FormatException($"{name} needs a value.");
            switch (name)
            {
                case "--seeds":
                    options = options with { Seeds = int.Parse(Value(), CultureInfo.InvariantCulture) };
                    break;
                case "--seed":
                    seed = true;
                    options = options with { Seed = int.Parse(Value(), CultureInfo.InvariantCulture) };
                    break;
                case "--minutes":
                    options = options with { Minutes = double.Parse(Value(), CultureInfo.InvariantCulture) };
                    break;
                case "--plan":
                    options = options with { Plan = Value() };
                    break;
                case "--exhaustive":
                    options = options with { Exhaustive = int.Parse(Value(), CultureInfo.InvariantCulture) };
                    break;
                case "--broken":
                    options = options with { Broken = true };
                    break;
                default:
                    throw new FormatException($"there is no option {name}; dotnet run dev.cs lists them.");
            }
        }

        return options with { OneSeed = seed && options.Seeds is null && options.Minutes is null };
    }
}
