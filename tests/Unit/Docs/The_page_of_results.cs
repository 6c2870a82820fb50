using System.Globalization;
using System.Text.Json.Nodes;
using Outpost.Dev;

namespace Outpost.Tests.Unit.Docs;

public sealed class The_page_of_results
{
    [Theory]
    [InlineData("results", "results-scale.svg", "results-feed.svg")]
    [InlineData("soak", "soak-memory.svg", "soak-heap.svg", "soak-handles.svg", "soak-entries.svg", "soak-p99.svg")]
    public void Is_made_of_the_figures_beside_it_and_of_nothing_else(string name, params string[] images)
    {
        var docs = Path.Combine(DocPage.Root(), "docs");
        var figures = JsonNode.Parse(File.ReadAllText(Path.Combine(docs, $"{name}.json")))!.AsObject();

        Assert.Equal(ResultsPage.Page(figures), File.ReadAllText(Path.Combine(docs, $"{name}.md")));
        var charts = ResultsPage.Charts(figures).ToList();
        Assert.Equal(images, charts.Select(chart => chart.Name));
        Assert.All(charts, chart => Assert.Equal(chart.Svg, File.ReadAllText(Path.Combine(docs, "images", chart.Name))));
    }

    [Fact]
    public void Of_a_soak_has_what_two_processes_said_of_themselves_over_time()
    {
        static JsonArray Process(double growth) => [.. Enumerable.Range(1, 3).Select(minute => new JsonObject
        {
            ["seconds"] = minute * 60,
            ["workingSetMb"] = 100 + (minute * growth),
            ["heapMb"] = 20,
            ["handles"] = 80,
            ["entries"] = 24_000,
            ["p99Ms"] = 12.5,
        })];
        var written = new JsonObject { ["soak.commands"] = 288_000, ["soak.commands.unit"] = "commands", ["soak.samples"] = new JsonArray(Process(0), Process(50)) };
        var figures = JsonNode.Parse(written.ToJsonString())!.AsObject();

        Assert.StartsWith("# A soak\n", ResultsPage.Page(figures), StringComparison.Ordinal);
        Assert.Contains("| `soak.commands` | 288000 commands |", ResultsPage.Page(figures), StringComparison.Ordinal);
        var charts = ResultsPage.Charts(figures).ToDictionary(chart => chart.Name, chart => chart.Svg);
        Assert.Equal(["soak-entries.svg", "soak-handles.svg", "soak-heap.svg", "soak-memory.svg", "soak-p99.svg"], charts.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("process 2", charts["soak-memory.svg"], StringComparison.Ordinal);
        Assert.Contains("<title>3: 250</title>", charts["soak-memory.svg"], StringComparison.Ordinal);
    }

    [Fact]
    public void Gives_the_page_of_four_ways_its_figures()
    {
        var docs = Path.Combine(DocPage.Root(), "docs");
        var figures = JsonNode.Parse(File.ReadAllText(Path.Combine(docs, "results.json")))!.AsObject();
        var page = File.ReadAllText(Path.Combine(docs, "four-ways.md"));

        Assert.Equal(FourWaysTable.With(page, figures), page);
        Assert.Contains($"{figures["latency.commit_to_bus_ms.p50"]} ms median", page, StringComparison.Ordinal);
        // A short run has not all of them: then the page stays as it is.
        Assert.Equal(page, FourWaysTable.With(page, []));
    }

    // The page on cost rounds them. When one fails after a measurement, change the cell on that page.
    [Theory]
    [InlineData("| commits |", 1, "| commands, 64 at once |", 1)]
    [InlineData("| commits |", 2, "| commands, 64 at once |", 2)]
    [InlineData("| commits |", 3, "| commands, one after the other |", 1)]
    [InlineData("| commits |", 4, "| commands, one after the other |", 2)]
    [InlineData("| forwarding: Service Bus |", 1, "| events forwarded ", 1)]
    [InlineData("| forwarding: Service Bus |", 2, "| events forwarded ", 2)]
    [InlineData("| per command with one event, Table Storage |", 1, "| `commit.requests_per_command.c64` |", 1)]
    public void Has_the_figures_that_the_page_on_cost_rounds(string row, int cell, string rowHere, int cellHere)
    {
        var rounded = Cell("cost.md", row, cell);
        var decimals = rounded.Length - rounded.IndexOf('.', StringComparison.Ordinal) - 1;

        Assert.Equal(rounded, decimal.Parse(Cell("results.md", rowHere, cellHere).Split(' ')[0], CultureInfo.InvariantCulture).ToString($"F{decimals}", CultureInfo.InvariantCulture));
    }

    private static string Cell(string page, string row, int cell) =>
        Pages.Text(page).Split('\n').Single(line => line.StartsWith(row, StringComparison.Ordinal)).Split(" | ")[cell].Trim(' ', '|');

    [Fact]
    public void Has_every_figure_that_the_contract_names()
    {
        var page = File.ReadAllText(Path.Combine(DocPage.Root(), "docs", "results.md"));

        Assert.All(
            [
                "commit.requests_per_command.serial", "commit.requests_per_command.c64", "commit.requests_per_command.pay.c64",
                "commit.requests_per_command.hot.c64", "commit.commands_per_s.c64", "commit.commands_per_s.nokey.c64", "commit.commands_per_s.nokey.c64.4p",
                "commit.vs_raw", "commit.vs_naive", "raw.egt_entities_per_s", "raw.send_messages_per_s", "raw.page_entities_per_s",
                "forward.events_per_s", "forward.vs_limit", "forward.vs_naive", "forward.requests_per_event.256k", "forward.requests_per_event.1m",
                "forward.idle_requests_per_partition_tick", "feed.page_ms.1000", "feed.vs_raw", "feed.cached_vs_uncached",
                "latency.commit_to_bus_ms.p50", "latency.commit_to_bus_ms.p99", "latency.commit_to_bus_ms.first",
                "latency.call_to_received.vs_bare.p50", "latency.call_to_received.vs_bare.p99", "commit.p99.vs_raw", "grow.requests.to_4",
                "cpu.us_per_command", "cpu.vs_bare", "alloc.bytes_per_command", "alloc.vs_bare", "start.first_answer_ms", "start.first_command_ms", "micro.transaction.us", "micro.page.bytes",
            ],
            key => Assert.Contains($"| `{key}` |", page, StringComparison.Ordinal));
    }
}
