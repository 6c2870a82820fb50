namespace Outpost.Dev;

/// <summary>The options of <c>bench</c>.</summary>
internal sealed record BenchOptions
{
    public bool Quick { get; private init; }

    /// <summary>Full path of the file that the figures go to.</summary>
    public string? Json { get; private init; }

    /// <summary>How the names of the groups begin that are to run.</summary>
    public string? Only { get; private init; }

    /// <summary>Full path of the page to make from that file.</summary>
    public string? Page { get; private init; }

    /// <summary>Whether to make the page from figures that the file already has, and to measure nothing.</summary>
    public bool PageOnly { get; private init; }

    public static BenchOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BenchOptions();
        var rest = new Queue<string>(arguments.SelectMany(each => each.Split('=', 2)));
        while (rest.TryDequeue(out var name))
        {
            options = name switch
            {
                "--quick" => options with { Quick = true },
                "--json" => options with { Json = Path.GetFullPath(Value(name, rest)) },
                "--page" => options with { Page = Path.GetFullPath(Value(name, rest)) },
                "--page-only" => options with { PageOnly = true },
                "--only" => options with { Only = Value(name, rest) },
                _ => throw new DevException($"bench has no option {name}; dotnet run dev.cs lists them."),
            };
        }

        return options.Page is not null && options.Json is null ? throw new DevException("--page needs --json.") : options;
    }

    /// <summary>These options as arguments of the program that measures.</summary>
    public IEnumerable<string> Arguments()
    {
        if (Quick) yield return "--quick";
        if (Json is not null)
        {
            yield return "--json";
            yield return Json;
        }

        if (Only is null) yield break;
        yield return "--only";
        yield return Only;
    }

    // An option in the place of a value means that the value was forgotten.
    private static string Value(string name, Queue<string> rest) =>
        rest.TryDequeue(out var value) && value.Length > 0 && !value.StartsWith("--", StringComparison.Ordinal)
            ? value
            : throw new DevException($"{name} needs a value.");
}
