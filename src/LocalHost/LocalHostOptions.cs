using System.Globalization;

namespace Outpost.LocalHost;

/// <summary>The command line.</summary>
internal sealed record LocalHostOptions
{
    public const string Usage =
        "Outpost.LocalHost [--root DIR] [--port N] [--data DIR] [--stop-seconds N] [--debug] [--exit-with-stdin]";

    /// <summary>The port to listen at; 0 takes any free one. Default 7071.</summary>
    public int Port { get; init; } = 7071;

    /// <summary>
    /// The folder of the built app: its worker, <c>host.json</c> and <c>local.settings.json</c>. Default: the current
    /// folder.
    /// </summary>
    public string Root { get; init; } = Environment.CurrentDirectory;

    /// <summary>The folder where timers remember their last runs. Default null: a start knows nothing of earlier runs.</summary>
    public string? Data { get; init; }

    /// <summary>How long requests and timers under way may take to end once the host stops. Default 10 s.</summary>
    public TimeSpan StopWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether the host stops when its standard input ends, and so with the process at the other end.</summary>
    public bool ExitWithStdin { get; init; }

    /// <summary>Whether the worker waits until a debugger is attached to it.</summary>
    public bool Debug { get; init; }

    public bool Help { get; init; }

    public static LocalHostOptions Parse(IReadOnlyList<string> args)
    {
        var options = new LocalHostOptions();
        for (var i = 0; i < args.Count; i++)
        {
            options = args[i] switch
            {
                "--port" => options with { Port = Number(args, ref i, 0, 65535) },
                "--root" => options with { Root = ExistingDirectory(args, ref i) },
                "--data" => options with { Data = Path.GetFullPath(Value(args, ref i)) },
                "--stop-seconds" => options with { StopWithin = TimeSpan.FromSeconds(Number(args, ref i, 0, 3600)) },
                "--debug" => options with { Debug = true },
                "--exit-with-stdin" => options with { ExitWithStdin = true },
                "--help" or "-h" => options with { Help = true },
                var unknown => throw new StartException($"Unknown option '{unknown}'. Usage: {Usage}"),
            };
        }
        return options;
    }

    private static string Value(IReadOnlyList<string> args, ref int i) =>
        ++i < args.Count ? args[i] : throw new StartException($"{args[i - 1]} needs a value. Usage: {Usage}");

    private static int Number(IReadOnlyList<string> args, ref int i, int from, int to)
    {
        var option = args[i];
        var text = Value(args, ref i);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= from && number <= to
            ? number
            : throw new StartException($"{option} is '{text}'; it must be a whole number from {from} to {to}.");
    }

    private static string ExistingDirectory(IReadOnlyList<string> args, ref int i)
    {
        var option = args[i];
        var path = Path.GetFullPath(Value(args, ref i));
        return Directory.Exists(path) ? path : throw new StartException($"{option} {path}: there is no such folder.");
    }
}
