namespace Outpost.Dev;

/// <summary>What <c>bench</c> was asked for.</summary>
internal sealed record BenchOptions
{
    public bool Quick { get; private init; }

    /// <summary>Full path of the file the figures go to.</summary>
    public string? Json { get; private init; }

    /// <summary>How the names of the groups to run begin.</summary>
    public string? Only { get; private init; }

    /// <summary>Full path of the page to make of that file.</summary>
    public string? Page { get; private init; }

    /// <summary>Nothing is measured: the page is made of the figures that the file has already.</summary>
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

    /// <summary>The same for the program that measures.</summary>
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

    // An option where its value should be is a value that was forgotten.
    private static string Value(string name, Queue<string> rest) =>
        rest.TryDequeue(out var value) && value.Length > 0 && !value.StartsWith("--", StringComparison.Ordinal)
            ? value
            : throw new DevException($"{name} needs a value.");
}
