using System.Text.Json.Nodes;
using Outpost.Tables.Copies;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Outpost.Cli;

/// <summary>Shows answers as tables, for people.</summary>
internal static class Tables
{
    private const int FoundShown = 5;

    public static IRenderable Status(JsonNode status)
    {
        var log = Table($"Log {status["log"]}", "partition", "oldest", "head", "last commit");
        foreach (var one in Items(status, "partitions")) Row(log, one["partition"], one["oldestOffset"], one["headOffset"], Time(one["headTimestamp"]));
        var worstFirst = Items(status, "forwarders").OrderBy(one => Rank($"{one["state"]}")).ToList();
        var forwarders = Table("Forwarders, the worst first", "name", "state", "backlog", "late", "parked");
        foreach (var one in worstFirst)
            Row(forwarders, one["name"], one["state"], Items(one, "partitions").Sum(part => (long)part["backlog"]!), one["late"], one["parked"]);
        // Sentences have lines of their own: in a column of a table they would be a word wide.
        var problems = Items(status, "problems").Select(one => ($"{one["code"]}:", $"{one["detail"]}")).ToList();
        var failing = worstFirst.Select(one => ($"{one["name"]}:", Text: Failing(one, problems))).Where(one => one.Text.Length > 0);
        var requests = worstFirst.SelectMany(forwarder => Items(forwarder, "requests").Select(one => ($"{one["id"]}:", Request(forwarder, one)))).ToList();
        return new Rows([Sentences(problems, Color.Red), forwarders, Sentences(failing), .. requests.Count > 0 ? new IRenderable[] { new Text("What operators asked for"), Sentences(requests) } : [], log]);
    }

    // Each entry has lines of its own: in a table for 80 columns, types and payloads would be cut into pieces.
    public static IRenderable Events(JsonNode entries) => new Rows(new Text("Events"), Sentences(entries.AsArray().Select(one => (
        $"partition {one!["partition"]}, offset {one["offset"]}:",
        $"{one["type"]} of {one["subject"]}, version {one["version"]}, {Time(one["timestamp"])}\n{Short(one["payload"]?.ToJsonString() ?? "(bytes)")}"))));

    // Reasons are sentences, and an operator copies them: in a column of a table they would be a word wide.
    public static IRenderable Parked(JsonNode entries) => new Rows(new Text("Parked"), Sentences(entries.AsArray().Select(one => (
        $"partition {one!["partition"]}, offset {one["offset"]}:",
        $"{one["type"]} of {one["subject"]}, {(one["behind"] is { } behind ? $"behind offset {behind}" : $"attempts: {one["attempts"]}")}, since {Time(one["at"])}. {one["reason"]}"))));

    public static IRenderable Groups(JsonNode groups) => new Rows(new Text("Parked, by reason"), Sentences(groups.AsArray().SelectMany(one => new[]
    {
        ($"{one!["count"]}:", $"{string.Join(", ", one["types"]!.AsArray())}, with {one["followers"]} behind them, since {Time(one["since"])}"),
        ("", $"{one["reason"]}"),
    })));

    public static IRenderable History(JsonNode actions) => new Rows(new Text("What operators did, the newest first"), Sentences(actions.AsArray().Select(one => (
        $"{Time(one!["at"])}:",
        $"{one["action"]} {one["detail"]}{After(", by ", one["by"])}: {one["outcome"]}{After(", ", one["outcomeDetail"])}{After("\n", one["reason"])}"))));

    public static IRenderable Verified(Verified verified)
    {
        var log = Table($"Log {verified.Log ?? "?"}", "partition", "oldest", "head", "entries", "entities", "receipts", "parked");
        foreach (var one in verified.Partitions) Row(log, one.Partition, one.Oldest, one.Head, one.Events, one.Entities, one.Receipts, one.Parked);
        if (verified.Findings.Counts.Count == 0) return new Rows(log, new Markup("[green]Nothing is wrong with this log.[/]"));
        var found = verified.Findings.Counts.OrderByDescending(one => one.Value).SelectMany(one =>
        {
            var told = verified.Findings.Told.Where(each => each.Kind == one.Key).ToList();
            return told.Take(FoundShown).Select(each => ("", $"{each.PartitionKey} / {each.RowKey}: {each.What}")).Prepend(($"{one.Key}:", $"{one.Value}. {told[0].Breaks}"));
        });
        return new Rows(log, new Text("What is wrong with this log, with the first of each kind"), Sentences(found, Color.Red));
    }

    // A problem may tell the error already.
    private static string Failing(JsonNode forwarder, List<(string, string Text)> problems)
    {
        var error = $"{forwarder["lastError"]}";
        var isTold = problems.Any(problem => problem.Text.Contains(error, StringComparison.Ordinal));
        return (After("failing since ", Time(forwarder["failingSince"])) + (isTold ? "" : After("\n", error))).Trim();
    }

    private static string Request(JsonNode forwarder, JsonNode one)
    {
        var progress = one["progress"] is { } done ? $" ({done["done"]} of {done["of"]})" : "";
        return $"{one["kind"]} of {forwarder["name"]}, partition {one["partition"]}, {one["state"]}{progress}{After(", by ", one["by"])}{After("\n", one["reason"])}";
    }

    private static int Rank(string state) => state switch { "orphaned" => 0, "failing" => 1, "paused" => 2, "running" => 3, _ => 4 };

    private static IEnumerable<JsonNode> Items(JsonNode node, string name) => (node[name]?.AsArray() ?? []).OfType<JsonNode>();

    // A name, then sentences that wrap at words, each line below the first word.
    private static Grid Sentences(IEnumerable<(string Name, string Text)> lines, Color? color = null)
    {
        var style = new Style(color);
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().Padding(0, 0, 1, 0)).AddColumn(new GridColumn().Padding(0, 0, 0, 0));
        foreach (var (name, text) in lines) grid.AddRow(new Text(name, style), new Text(text, style));
        return grid;
    }

    // To the second: fractions make a column too wide for a terminal.
    private static string Time(JsonNode? time) => $"{time}" is { Length: > 20 } text && text[19] == '.' && text[^1] == 'Z' ? $"{text[..19]}Z" : $"{time}";

    private static Table Table(string title, params string[] columns)
    {
        var table = new Table { Title = new TableTitle(Markup.Escape(title)), Border = TableBorder.Rounded };
        foreach (var column in columns) table.AddColumn(new TableColumn(new Text(column)) { NoWrap = column is "last commit" });
        return table;
    }

    private static void Row(Table table, params object?[] cells) => table.AddRow([.. cells.Select(cell => new Text($"{cell}"))]);

    private static string After(string before, object? value) => $"{value}" is { Length: > 0 } text ? before + text : "";

    private static string Short(string text) => text.Length <= 200 ? text : text[..199] + "…";
}
