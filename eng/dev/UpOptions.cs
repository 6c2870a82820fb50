namespace Outpost.Dev;

/// <summary>The options of <c>up</c>. A port of 0 means any free port.</summary>
internal sealed record UpOptions
{
    private const int PartitionsMax = 256; // as the setting Outpost__PartitionCount

    public int Port { get; private init; } = 7071;

    public int TablesPort { get; private init; } = 10002;

    public int BusPort { get; private init; } = 5672;

    public int Partitions { get; private init; } = 1;

    public string? Data { get; private init; }

    public bool NoBuild { get; init; }

    public static UpOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new UpOptions();
        var rest = new Queue<string>(arguments.SelectMany(each => each.Split('=', 2)));
        while (rest.TryDequeue(out var name))
        {
            options = name switch
            {
                "--port" => options with { Port = Number(name, rest, 0, ushort.MaxValue) },
                "--tables-port" => options with { TablesPort = Number(name, rest, 0, ushort.MaxValue) },
                "--bus-port" => options with { BusPort = Number(name, rest, 0, ushort.MaxValue) },
                "--partitions" => options with { Partitions = Number(name, rest, 1, PartitionsMax) },
                "--data" => options with { Data = Path.GetFullPath(Value(name, rest)) },
                "--no-build" => options with { NoBuild = true },
                _ => throw new DevException($"up has no option {name}; it has --port, --tables-port, --bus-port, --partitions, --data and --no-build."),
            };
        }

        return options;
    }

    /// <summary>The ports to use, each with the option that changes it.</summary>
    public IEnumerable<(string Option, int Port)> Ports() =>
        [("--port", Port), ("--tables-port", TablesPort), ("--bus-port", BusPort)];

    private static int Number(string name, Queue<string> rest, int min, int max)
    {
        var text = Value(name, rest);
        return int.TryParse(text, out var number) && number >= min && number <= max
            ? number
            : throw new DevException($"{name} {text}: a number from {min} to {max} is wanted.");
    }

    private static string Value(string name, Queue<string> rest) =>
        rest.TryDequeue(out var value) ? value : throw new DevException($"{name} needs a value.");
}
