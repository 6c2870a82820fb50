using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Outpost.Dev;

/// <summary>
/// Makes the page of figures (docs/results.md) and its charts from the JSON that a run of the benchmarks wrote. Nothing
/// on the page is written by hand; a test makes it again and compares.
/// </summary>
internal static partial class ResultsPage
{
    private static readonly string[] Machine = ["date", "machine", "versions", "azurite"];
    private static readonly (string Name, string Key)[] Scaling = [("with a key each", "scale.partitions"), ("without keys", "scale.partitions.nokey")];
    private static readonly (string Name, string Key, string Title)[] Soak =
    [
        ("memory", "workingSetMb", "Working set, MB"), ("heap", "heapMb", "Managed memory after a collection, MB"),
        ("handles", "handles", "Open files and sockets"), ("entries", "entries", "Entries in the table"), ("p99", "p99Ms", "What a command takes, 99th percentile, ms"),
    ];
    private static readonly string[] Kinds = ["uncached", "cached"];
    private static readonly int[] Clients = [1, 8, 64];
    private static readonly string[] ForCosts = ["commit.requests_per_command.c64", "commit.requests_per_command.serial", "forward.requests_per_event.256k"];
    private static readonly string[] Groups = ["commit", "forward", "feed", "latency", "scale", "grow", "soak", "cpu", "alloc", "memory", "start", "micro", "raw"];

    private const string OfAll = """
        # Results

        What the product does per request, per second and per byte, beside the bare loops that limit it. Ratios and counts of
        requests carry over to Azure. Times and rates do not: Azurite and the emulator stand for Azure here.

        Figures are medians, with their range. [Commits](adr/0008-what-limits-a-commit.md), [forwarding](adr/0013-what-limits-forwarding.md)
        and the [feed](adr/0015-what-limits-the-feed.md) explain what limits them. Nothing here is written by hand: this page is made by
        `dotnet run dev.cs bench --json docs/results.json --page docs/results.md`.


        """;

    private const string OfSoak = """
        # A soak

        Eight hours' worth of events, at ten a second, as fast as the machine takes them, or as many as it takes in twelve minutes. Two
        processes commit, forward, and delete what is older than a minute. A process that runs for long must not grow: memory, handles,
        the table and what a command takes stay where they are. All of it shares one machine: both processes, Azurite, the emulator and
        the receiver.

        Callers wait while the table has more than 15,000 entries. So a table of that size shows that retention keeps up with what was
        committed, but not that it could keep up with more. What a command takes does not include that wait.

        This page is made by `dotnet run dev.cs bench --only soak --json docs/soak.json --page docs/soak.md`.


        """;

    /// <summary>Writes the page, the charts that it shows to <c>images/</c> beside it, and beside <c>results.md</c> the figures on <c>four-ways.md</c>.</summary>
    public static void Write(string jsonFile, string pageFile)
    {
        var figures = JsonNode.Parse(File.ReadAllText(jsonFile))!.AsObject();
        var folder = Path.GetDirectoryName(pageFile)!;
        Directory.CreateDirectory(Path.Combine(folder, "images"));
        File.WriteAllText(pageFile, Page(figures));
        foreach (var (name, svg) in Charts(figures)) File.WriteAllText(Path.Combine(folder, "images", name), svg);
        var fourWays = Path.Combine(folder, "four-ways.md");
        if (Path.GetFileName(pageFile) == "results.md" && File.Exists(fourWays)) File.WriteAllText(fourWays, FourWaysTable.With(File.ReadAllText(fourWays), figures));
    }

    /// <summary>The page as Markdown.</summary>
    public static string Page(JsonObject figures)
    {
        var page = new StringBuilder(figures.ContainsKey("soak.samples") ? OfSoak : OfAll);
        Row(page, "", "");
        Row(page, "---", "---");
        foreach (var key in Machine.Where(figures.ContainsKey)) Row(page, key, Text(figures[key]!));
        var numbers = figures.Where(figure => figure.Value is JsonValue value && value.GetValueKind() == JsonValueKind.Number).Select(figure => figure.Key).ToList();
        Section(page, "Ratios, measured within each round", numbers.Where(key => IsRatio(figures, key)), figures);
        Section(page, "Requests", numbers.Where(key => Unit(figures, key).StartsWith("requests", StringComparison.Ordinal)), figures);
        if (Costs(figures) is { Length: > 0 } costs) page.Append('\n').Append(costs);
        foreach (var group in Groups)
        {
            Section(page, Title(group), numbers.Where(key => key.StartsWith($"{group}.", StringComparison.Ordinal)
                && !IsRatio(figures, key) && !Unit(figures, key).StartsWith("requests", StringComparison.Ordinal)), figures);
        }

        if (figures["scale.instances"] is JsonArray instances) page.Append(Instances(instances, OptionalText(figures, "scale.instances.limit")));
        page.Append("\n## Charts\n");
        foreach (var (name, _) in Charts(figures)) page.Append(CultureInfo.InvariantCulture, $"\n![{name[..^4]}](images/{name})\n");
        return page.ToString();
    }

    /// <summary>Makes a chart for each figure that is a list, and one for readers of the feed.</summary>
    public static IEnumerable<(string Name, string Svg)> Charts(JsonObject figures)
    {
        var scale = Scaling
            .Where(line => figures.ContainsKey(line.Key))
            .Select(line => new ChartLine(line.Name, [.. figures[line.Key]!.AsArray().Select(point =>
                (Number(point!["partitions"]!), Number(point["commandsPerSecond"]!)))]))
            .ToList();
        if (scale.Count > 0) yield return ("results-scale.svg", Chart.Lines("Commands per second over partitions (simulated, Azure's limits)", "partitions", scale));
        var feed = Kinds
            .Select(kind => new ChartLine($"{kind} pages", [.. Clients
                .Where(clients => figures.ContainsKey($"feed.pages_per_s.{kind}.c{clients}"))
                .Select(clients => ((double)clients, Number(figures[$"feed.pages_per_s.{kind}.c{clients}"]!)))]))
            .Where(line => line.Points.Count > 0)
            .ToList();
        if (feed.Count > 0) yield return ("results-feed.svg", Chart.Lines("Pages of 100 entries per second over clients, HTTP", "clients", feed));
        if (figures["soak.samples"] is not JsonArray processes) yield break;
        foreach (var (name, key, title) in Soak)
            yield return ($"soak-{name}.svg", Chart.OverTime(title, "minutes", [.. processes.Select((samples, number) => OverTime(samples!.AsArray(), key, number))]));
    }

    // These are the prices of docs/cost.md, which says where they come from and what they leave out.
    private static string Costs(JsonObject figures)
    {
        const double TablePerMillion = 0.036;
        const double BusPerMillion = 0.80;
        const int RowsPerCommand = 3;
        const int UnitsPerBatch = 4; // an operation of Service Bus is 64 KB
        if (!ForCosts.All(figures.ContainsKey) || BatchSize().Match(OptionalText(figures, $"{ForCosts[2]}.limit")) is not { Success: true } size) return "";
        var busy = Number(figures["commit.requests_per_command.c64"]!);
        var alone = Number(figures["commit.requests_per_command.serial"]!);
        var batches = 1 / double.Parse(size.Groups[1].Value, CultureInfo.InvariantCulture); // of an event
        var forward = (Number(figures["forward.requests_per_event.256k"]!) - batches) * TablePerMillion;
        var text = new StringBuilder("""
            ### What that costs

            Requests per million times the list price. In the US in 2026 a million table transactions cost 0.036 dollars, and a million
            Service Bus operations 0.80 ([cost](cost.md)). Sources differ on whether a batch is billed as one operation, or by its rows
            and messages, so both are here. A Service Bus operation is 64 KB, so a batch of 256 KB is four.


            """);
        Row(text, "dollars per million", "a batch is one", "each row or message");
        Row(text, "---", "---", "---");
        Row(text, "commands, 64 at once", Dollars(busy * TablePerMillion), Dollars((busy + RowsPerCommand) * TablePerMillion));
        Row(text, "commands, one after the other", Dollars(alone * TablePerMillion), Dollars((alone + RowsPerCommand) * TablePerMillion));
        Row(text, "events forwarded (a backlog, batches of 256 KB)", Dollars(forward + (batches * UnitsPerBatch * BusPerMillion)), Dollars(forward + BusPerMillion));
        return text.ToString();
    }

    private static ChartLine OverTime(JsonArray samples, string key, int number) =>
        new($"process {number + 1}", [.. samples.Select(sample => (Number(sample!["seconds"]!) / 60, Number(sample[key]!)))]);

    private static string Instances(JsonArray instances, string limit)
    {
        var text = new StringBuilder($"\n## Instances\n\nProcesses that write to one partition: {limit}.\n\n");
        Row(text, "processes", "callers of each", "commands/s", "p99", "longest wait", "lost races per commit");
        Row(text, "---", "---", "---", "---", "---", "---");
        foreach (var one in instances)
        {
            Row(text, Text(one!["processes"]!), $"{Text(one["callers"]!)}{(one["pauses"]!.GetValue<bool>() ? ", with pauses" : "")}", Text(one["commandsPerSecond"]!),
                $"{Text(one["p99Ms"]!)} ms", $"{Text(one["longestMs"]!)} ms", Text(one["lostRacesPerCommit"]!));
        }

        return text.ToString();
    }

    private static void Section(StringBuilder page, string title, IEnumerable<string> keys, JsonObject figures)
    {
        var list = keys.ToList();
        if (list.Count == 0) return;
        page.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n");
        Row(page, "figure", "", "range", "limited by");
        Row(page, "---", "---", "---", "---");
        foreach (var key in list)
            Row(page, $"`{key}`", $"{Text(figures[key]!)} {Unit(figures, key)}".Trim(), OptionalText(figures, $"{key}.range"), OptionalText(figures, $"{key}.limit"));
    }

    private static void Row(StringBuilder page, params string[] cells) => page.Append("| ").AppendJoin(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");

    private static bool IsRatio(JsonObject figures, string key) => Unit(figures, key) is "times" or "of raw";

    private static string Unit(JsonObject figures, string key) => OptionalText(figures, $"{key}.unit");

    private static string OptionalText(JsonObject figures, string key) => figures[key]?.GetValue<string>() ?? "";

    private static string Title(string group) => group switch
    {
        "cpu" => "Processor",
        "alloc" => "Allocation",
        "raw" => "Bare loops",
        "micro" => "Hot paths, without I/O",
        _ => $"{char.ToUpperInvariant(group[0])}{group[1..]}",
    };

    private static string Text(JsonNode node) => node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString();

    private static string Dollars(double value) => value.ToString(value < 0.01 ? "0.0000" : "0.00", CultureInfo.InvariantCulture);

    private static double Number(JsonNode node) => node.GetValue<double>();

    [GeneratedRegex("a batch takes ([0-9]+) events")]
    private static partial Regex BatchSize();
}
