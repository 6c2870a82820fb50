using System.Text.Json.Nodes;
using Outpost.Dev;

namespace Outpost.Tests.Unit.Docs;

public sealed class The_page_of_results
{
    [Fact]
    public void Is_made_of_the_figures_beside_it_and_of_nothing_else()
    {
        var docs = Path.Combine(DocPage.Root(), "docs");
        var figures = JsonNode.Parse(File.ReadAllText(Path.Combine(docs, "results.json")))!.AsObject();

        Assert.Equal(ResultsPage.Page(figures), File.ReadAllText(Path.Combine(docs, "results.md")));
        var charts = ResultsPage.Charts(figures).ToList();
        Assert.Equal(["results-scale.svg", "results-feed.svg"], charts.Select(chart => chart.Name));
        Assert.All(charts, chart => Assert.Equal(chart.Svg, File.ReadAllText(Path.Combine(docs, "images", chart.Name))));
    }

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
                "cpu.us_per_command", "cpu.vs_bare", "alloc.bytes_per_command", "alloc.vs_bare", "start.first_answer_ms", "start.first_command_ms", "micro.transaction.us", "micro.page.bytes",
            ],
            key => Assert.Contains($"| `{key}` |", page, StringComparison.Ordinal));
    }
}
