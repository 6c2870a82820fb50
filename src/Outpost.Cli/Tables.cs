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
        var forwarders = Table("Forwarders, the worst first", "name", "state", "backlog", "late", "parked", "failing since");
        foreach (var one in worstFirst)
            Row(forwarders, one["name"], one["state"], Items(one, "partitions").Sum(part => (long)part["backlog"]!), one["late"], one["parked"], Time(one["failingSince"]));
        var requests = Table("What operators asked for", "forwarder", "id", "kind", "partition", "state", "done", "by");
        var asked = worstFirst.SelectMany(forwarder => Items(forwarder, "requests").Select(one => (forwarder, one))).ToList();
        foreach (var (forwarder, one) in asked)
            Row(requests, forwarder["name"], one["id"], one["kind"], one["partition"], one["state"], one["progress"] is { } progress ? $"{progress["done"]} of {progress["of"]}" : null, one["by"]);
        var problems = Items(status, "problems").Select(one => ($"{one["code"]}:", $"{one["detail"]}")).ToList();
        // Sentences have lines of their own: in a column of a table they would be a word wide.
        var errors = worstFirst.Where(one => one["lastError"] is { } error && !problems.Any(problem => problem.Item2.Contains($"{error}", StringComparison.Ordinal)))
            .Select(one => ($"{one["name"]}:", $"{one["lastError"]}"));
        var reasons = asked.Where(each => each.one["reason"] is not null).Select(each => ($"{each.one["id"]}:", $"{each.one["reason"]}"));
        return new Rows([Sentences(problems, Color.Red), forwarders, Sentences(errors), .. asked.Count > 0 ? new IRenderable[] { requests, Sentences(reasons) } : [], log]);
    }

    public static IRenderable Events(JsonNode entries)
    {
        var table = Table("Events", "partition", "offset", "type", "subject", "version", "time", "payload");
        foreach (var one in entries.AsArray())
            Row(table, one!["partition"], one["offset"], one["type"], one["subject"], one["version"], Time(one["timestamp"]), Short(one["payload"]?.ToJsonString() ?? "(bytes)"));
        return table;
    }

    // Reasons are sentences, and an operator copies them: in a column of a table they would be a word wide.
    public static IRenderable Parked(JsonNode entries) => new Rows(new Text("Parked"), Sentences(entries.AsArray().Select(one => (
        $"partition {one!["partition"]}, offset {one["offset"]}:",
        $"{one["type"]} of {one["subject"]}, {(one["behind"] is { } behind ? $"behind offset {behind}" : $"attempts: {one["attempts"]}")}, since {Time(one["at"])}. {one["reason"]}"))));

    public static IRenderable Groups(JsonNode groups) => new Rows(new Text("Parked, by reason"), Sentences(groups.AsArray().SelectMany(one => new[]
    {
        ($"{one!["count"]}:", $"{string.Join(", ", one["types"]!.AsArray())}, with {one["followers"]} behind them, since {Time(one["since"])}"),
        ("", $"{one["reason"]}"),
    })));

    public static IRenderable History(JsonNode actions)
    {
        var table = Table("What operators did, the newest first", "when", "who", "what", "of what", "why", "outcome");
        foreach (var one in actions.AsArray())
            Row(table, Time(one!["at"]), one["by"], one["action"], one["detail"], one["reason"], one["outcomeDetail"] is { } more ? $"{one["outcome"]}: {more}" : one["outcome"]);
        return table;
    }

    public static IRenderable Verified(Verified verified)
    {
        var log = Table($"Log {verified.Log ?? "?"}", "partition", "oldest", "head", "entries", "entities", "receipts", "parked");
        foreach (var one in verified.Partitions) Row(log, one.Partition, one.Oldest, one.Head, one.Events, one.Entities, one.Receipts, one.Parked);
        if (verified.Findings.Counts.Count == 0) return new Rows(log, new Markup("[green]Nothing is wrong with this log.[/]"));
        var found = Table("What is wrong with this log", "kind", "how many", "the first ones", "what it breaks, and what to do");
        foreach (var (kind, count) in verified.Findings.Counts.OrderByDescending(one => one.Value))
        {
            var told = verified.Findings.Told.Where(one => one.Kind == kind).ToList();
            Row(found, kind, count, string.Join('\n', told.Take(FoundShown).Select(one => $"{one.PartitionKey} / {one.RowKey}: {one.What}")), told[0].Breaks);
        }

        return new Rows(log, found);
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
        foreach (var column in columns) table.AddColumn(new TableColumn(new Text(column)) { NoWrap = column is "when" or "last commit" or "failing since" or "time" });
        return table;
    }

    private static void Row(Table table, params object?[] cells) => table.AddRow([.. cells.Select(cell => new Text($"{cell}"))]);

    private static string Short(string text) => text.Length <= 80 ? text : text[..79] + "…";
}
