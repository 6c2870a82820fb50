using System.Reflection;
using System.Text.Json.Nodes;
using Outpost.Tables.Copies;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Outpost.Tests.Unit.Cli;

/// <summary>In a window of 80 columns, names stay whole and sentences wrap at words.</summary>
public sealed class What_the_tool_prints
{
    private const int Columns = 80;

    [Fact]
    public void Has_types_subjects_and_payloads_in_one_piece()
    {
        var text = Print("Events", JsonNode.Parse("""
            [{"partition":0,"offset":41,"type":"PurchaseOrderCancelled","subject":"purchase-order/4711-2026-eu","version":12,
              "timestamp":"2026-11-22T08:00:00.1234567Z","payload":{"reason":"out of stock","by":"customer"}}]
            """)!);

        Assert.Contains("partition 0, offset 41:", text);
        Assert.Contains("PurchaseOrderCancelled of purchase-order/4711-2026-eu", text);
        Assert.Contains("2026-11-22T08:00:00Z", text);
        Assert.Contains("""{"reason":"out of stock","by":"customer"}""", text);
    }

    [Fact]
    public void Has_a_long_name_of_a_forwarder_in_one_piece_and_its_error_once()
    {
        var text = Print("Status", JsonNode.Parse("""
            {"log":"log-1","partitions":[{"partition":0,"oldestOffset":0,"headOffset":120450,"headTimestamp":"2026-11-22T08:00:00.1234567Z"}],
             "problems":[{"code":"target-away","detail":"The bus can't be reached: Connection refused."}],
             "forwarders":[
               {"name":"billing-department-integration","state":"failing","late":75,"parked":1203,"failingSince":"2026-11-22T08:00:00Z",
                "lastError":"Connection refused","partitions":[{"backlog":120400}],
                "requests":[{"id":"5f2c9a01","kind":"replay","partition":0,"state":"running","by":"ada@example.org","reason":"Prices were wrong.","progress":{"done":3,"of":10}}]},
               {"name":"reorders","state":"failing","late":0,"parked":0,"failingSince":null,"lastError":"No such supplier","partitions":[],"requests":[]}]}
            """)!);

        Assert.Contains(" billing-department-integration ", text);
        Assert.Contains("billing-department-integration: failing since 2026-11-22T08:00:00Z", text);
        Assert.Contains("reorders:                       No such supplier", text);
        Assert.Single(text.Split('\n'), line => line.Contains("Connection refused", StringComparison.Ordinal));
        Assert.Contains("replay of billing-department-integration, partition 0, running", text);
        Assert.Contains("Prices were wrong.", text);
    }

    [Fact]
    public void Has_a_reason_of_an_action_on_lines_of_its_own()
    {
        var text = Print("History", JsonNode.Parse("""
            [{"id":"5f2c9a01","at":"2026-11-22T08:00:00.1234567Z","by":"ada@example.org","action":"pause","detail":"all partitions",
              "reason":"The broker moves to another region, and the new one is not ready before noon.","outcome":"done"}]
            """)!);

        Assert.Equal(
            """
            What operators did, the newest first
            2026-11-22T08:00:00Z: pause all partitions, by ada@example.org: done
                                  The broker moves to another region, and the new one is not
                                  ready before noon.
            """.ReplaceLineEndings("\n"),
            text);
    }

    [Fact]
    public void Has_what_a_finding_breaks_before_the_rows_that_show_it()
    {
        var findings = new Findings();
        for (var i = 0; i < 7; i++) findings.Add("hole", "0000", $"e|{i:D19}", $"entry {i} is missing");

        var lines = Print("Verified", new Verified("log-1", [new VerifiedPartition(0, 0, 9, 1, 2, 0, 0)], findings)).Split('\n');

        var first = Array.FindIndex(lines, line => line.StartsWith("hole: 7. ", StringComparison.Ordinal));
        Assert.True(first > 0, string.Join('\n', lines));
        var rows = lines.Skip(first).Where(line => line.Contains("is missing", StringComparison.Ordinal)).Select(line => line.Trim()).ToList();
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"0000 / e|{i:D19}: entry {i} is missing"), rows);
    }

    // Tables is internal, and the tool holds code of dev.cs, which these tests see as well: so by its name.
    private static string Print(string name, object what)
    {
        var shown = (IRenderable)Assembly.Load("Outpost.Cli").GetType("Outpost.Cli.Tables")!.GetMethod(name)!.Invoke(null, [what])!;
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = Columns;
        console.Write(shown);
        var lines = text.ToString().ReplaceLineEndings("\n").Split('\n').Select(line => line.TrimEnd()).ToList();
        Assert.All(lines, line => Assert.InRange(line.Length, 0, Columns));
        return string.Join('\n', lines).TrimEnd();
    }
}
