using System.Text.RegularExpressions;

namespace Outpost.Tests.Integration.Telemetry;

/// <summary>What docs/metrics.md lists is what a collector is told, neither more nor less.</summary>
[Collection(nameof(ExportingApp))]
public sealed partial class The_page_on_metrics(ExportingApp app)
{
    [Fact]
    public async Task Lists_every_instrument_with_its_unit_and_dimensions()
    {
        var listed = Rows("Instruments").ToDictionary(row => row[0], row => (Unit: row[1], Dimensions: Names(row[2])));
        Assert.True(listed.Count > 10, $"only {listed.Count} instruments are listed");

        Assert.Null(await app.Collector.UntilAsync(told => Missing(listed.Keys.Except(told.Instruments.Keys))));
        Assert.Null(await app.Collector.UntilAsync(told => Missing(
            from each in listed
            from dimension in each.Value.Dimensions.Except(told.Instruments[each.Key].Dimensions)
            select $"{each.Key}: {dimension}")));

        var told = app.Collector.Instruments.Where(each => each.Key.StartsWith("outpost.", StringComparison.Ordinal));
        Assert.Equal(
            listed.Select(each => Line(each.Key, each.Value.Unit, each.Value.Dimensions)).Order(),
            told.Select(each => Line(each.Key, each.Value.Unit, each.Value.Dimensions)).Order());

        static string Line(string name, string unit, IEnumerable<string> dimensions) => $"{name} in {unit} by {string.Join(", ", dimensions.Order())}";
    }

    [Fact]
    public async Task Lists_every_span_with_its_tags()
    {
        // {…} stands for a name.
        var listed = Rows("Spans").ToDictionary(row => new Regex($"^{Placeholder().Replace(row[0], "[^ ]+")}$"), row => Names(row[1]));
        Assert.NotEmpty(listed);

        Assert.Null(await app.Collector.UntilAsync(told => Missing(
            listed.Keys.Where(name => !Own(told).Any(span => name.IsMatch(span.Name))).Select(name => $"{name}"))));

        Assert.All(Own(app.Collector), span => Assert.Equal(
            listed.Single(row => row.Key.IsMatch(span.Name)).Value.Order(), span.Tags.Keys.Order()));

        static IEnumerable<Span> Own(OtlpCollector told) => told.Spans.Where(span => span.Source == OutpostMetrics.Name);
    }

    [Fact]
    public async Task Is_right_that_a_delivery_leads_to_the_request_it_came_from()
    {
        Assert.Null(await app.Collector.UntilAsync(told =>
            Forwards(told).Any(link => link is { TraceId: ExportingApp.TraceId, SpanId: ExportingApp.CallerSpanId })
                ? null
                : $"no delivery is linked to the caller's span, but to {string.Join(", ", Forwards(told))}"));

        // The command is below the host's span of the request, and that below the caller's.
        var command = Assert.Single(app.Collector.Spans, span => span.Name == "command order" && span.TraceId == ExportingApp.TraceId);
        var request = Assert.Single(app.Collector.Spans, span => span.SpanId == command.ParentId);
        Assert.Equal(ExportingApp.CallerSpanId, request.ParentId);
    }

    [Fact]
    public async Task Is_right_that_a_delivery_leads_to_the_host_s_span_above_a_command_whose_caller_said_nothing_of_a_trace() =>
        Assert.Null(await app.Collector.UntilAsync(told =>
        {
            var command = told.Spans.FirstOrDefault(span => span.Tags.GetValueOrDefault("outpost.subject") == "order/untraced");
            var request = told.Spans.FirstOrDefault(span => span.SpanId == command?.ParentId);
            return request is not null && Forwards(told).Any(link => (link.TraceId, link.SpanId) == (request.TraceId, request.ParentId))
                ? null
                : $"no delivery is linked to what is above {request} and {command}";
        }));

    [Fact]
    public async Task Is_right_that_log_lines_are_sent_as_well() =>
        Assert.Null(await app.Collector.UntilAsync(told =>
            told.Lines.Any(line => line.Category == "Outpost.Forwarding.ForwardingEngine") ? null : "no line of the forwarder's"));

    private static IEnumerable<SpanLink> Forwards(OtlpCollector told) =>
        told.Spans.Where(span => span.Name == "forward servicebus").SelectMany(span => span.Links);

    private static string? Missing(IEnumerable<string> names) => string.Join(", ", names) is { Length: > 0 } missing ? $"missing: {missing}" : null;

    private static string[] Names(string cell) => cell == "–" ? [] : [.. cell.Split(", ").Select(name => name.Split(' ')[0])];

    // The cells of the first table below that heading, without code marks.
    private static IEnumerable<string[]> Rows(string heading) => File.ReadLines(Page())
        .SkipWhile(line => line != $"## {heading}")
        .SkipWhile(line => !line.StartsWith('|'))
        .TakeWhile(line => line.StartsWith('|'))
        .Skip(2)
        .Select(line => line.Trim('|').Split('|').Select(cell => cell.Replace("`", "", StringComparison.Ordinal).Trim()).ToArray());

    private static string Page()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Functions.sln"))) return Path.Combine(folder, "docs", "metrics.md");
        }

        throw new InvalidOperationException("The tests do not run below the repository.");
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Placeholder();
}
