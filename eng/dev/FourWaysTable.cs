using System.Text;
using System.Text.Json.Nodes;

namespace Outpost.Dev;

/// <summary>The figures on docs/four-ways.md: some of those on the page of results, between two marks. A test makes them again and compares.</summary>
internal static class FourWaysTable
{
    private const string Begin = "<!-- figures: made by bench --page -->\n";
    private const string End = "<!-- end of figures -->\n";

    // A figure between braces is a key of docs/results.json.
    private static readonly (string What, string Figure)[] Rows =
    [
        ("the commit, with the event in it", "{commit.requests_per_command.serial} request alone, {commit.requests_per_command.c64} with 64 callers. The event costs no request of its own"),
        ("a forwarder while nothing happens", "{forward.idle_requests_per_partition_tick} request per partition and tick, whatever the number of handlers and forwarders"),
        ("a backlog to Service Bus", "{forward.requests_per_event.256k} requests per event with batches of 256 KB, {forward.requests_per_event.1m} with 1 MB; {forward.vs_limit} of what bare reads and sends can do"),
        ("a backlog to RabbitMQ", "{forward.rabbitmq.events_per_s} events per second, {forward.rabbitmq.vs_limit} of bare confirmed publishes; of one single subject {forward.rabbitmq.events_per_s.one_subject}"),
        ("a backlog to Kafka", "{forward.kafka.vs_limit} of bare produce on the mock cluster; of one single subject {forward.kafka.events_per_s.one_subject} events per second"),
        ("from the commit to the broker", "{latency.commit_to_bus_ms.p50} ms median, {latency.commit_to_bus_ms.p99} ms at the 99th percentile; {latency.commit_to_bus_ms.first} ms after quiet"),
        ("the event API", "a page of 1,000 in {feed.page_ms.1000} ms uncached; a full page is read once for all who ask for it"),
        ("1,000 waiting readers", "{feed.waiting.requests_per_s.c1000} requests per second to the table, all together"),
    ];

    /// <summary>The page with these figures between the marks; the page as it is where they do not have all that it shows.</summary>
    public static string With(string page, JsonObject figures)
    {
        var (begin, end) = (page.IndexOf(Begin, StringComparison.Ordinal), page.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin) throw new DevException($"four-ways.md lacks its marks: {Begin.Trim()} and {End.Trim()}");
        var table = new StringBuilder("| what | figure |\n|---|---|\n");
        foreach (var (what, figure) in Rows)
        {
            var parts = figure.Split('{', '}');
            for (var i = 1; i < parts.Length; i += 2)
            {
                if (figures[parts[i]] is not { } value) return page;
                parts[i] = value.ToJsonString();
            }

            table.Append("| ").Append(what).Append(" | ").AppendJoin("", parts).Append(" |\n");
        }

        return $"{page[..(begin + Begin.Length)]}\n{table}\n{page[end..]}";
    }
}
