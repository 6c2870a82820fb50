using System.Text.Json;
using System.Text.RegularExpressions;

namespace Outpost.Tests.Integration.Telemetry;

/// <summary>
/// What the workbook and the alerts ask for is what the app tells. Azure Monitor keeps a metric's name and its
/// dimensions as they are (in <c>name</c> and <c>customDimensions</c> of <c>customMetrics</c>), a span's name and tags in
/// <c>dependencies</c>, and a line's category in <c>CategoryName</c> of <c>traces</c>, or of <c>exceptions</c> where it has
/// one.
/// </summary>
[Collection(nameof(ExportingApp))]
public sealed partial class The_workbook_and_the_alerts(ExportingApp app)
{
    public static TheoryData<string> Queries => [.. Query.All.Keys];

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task Ask_for_what_the_app_tells(string name)
    {
        var query = Query.All[name];

        Assert.Null(await app.Collector.UntilAsync(told => query.Missing(told)));
    }

    [Fact]
    public void Ask_for_most_of_what_it_tells() =>
        Assert.True(Query.All.Values.SelectMany(query => query.Names).Distinct().Count() > 10);

    /// <summary>A query, and the names in it: of metrics or spans, of their dimensions, of categories of lines.</summary>
    private sealed partial record Query(string Text)
    {
        public static IReadOnlyDictionary<string, Query> All { get; } = Read();

        public IReadOnlyList<string> Names => [.. Compared().Matches(Text)
            .Concat(Listed().Matches(Text).SelectMany(list => Quoted().Matches(list.Groups["list"].Value)))
            .Select(name => name.Groups["name"].Value)
            .Distinct()];

        private IReadOnlyList<string> Dimensions =>
            [.. Dimension().Matches(Text).Select(each => each.Groups["name"].Value).Distinct()];

        public string? Missing(OtlpCollector told)
        {
            var table = Table().Match(Text).Groups["table"].Value;
            var missing = table switch
            {
                "customMetrics" => Names.SelectMany(metric => told.Instruments.GetValueOrDefault(metric) is { } instrument
                    ? Dimensions.Except(instrument.Dimensions).Select(dimension => $"{metric}: {dimension}")
                    : [metric]),
                "dependencies" => Started().Matches(Text).Select(start => start.Groups["name"].Value)
                    .SelectMany(start => told.Spans.FirstOrDefault(span => span.Name.StartsWith(start, StringComparison.Ordinal)) is { } span
                        ? Dimensions.Except(span.Tags.Keys).Select(tag => $"{start}: {tag}")
                        : [start]),
                "traces" => Started().Matches(Text).Select(start => start.Groups["name"].Value)
                    .Where(start => !told.Lines.Any(line => line.Category.StartsWith(start, StringComparison.Ordinal)))
                    .Concat(Dimensions.Except(["CategoryName"])),
                // Lines, with an exception or without; how the exporter tells of each is in What_Azure_Monitor_is_sent.
                "union" or "exceptions" => Started().Matches(Text).Select(start => start.Groups["name"].Value)
                    .Where(start => !told.Lines.Any(line => line.Category.StartsWith(start, StringComparison.Ordinal)))
                    .Concat(Dimensions.Except(["CategoryName", "EventId", "OriginalFormat"])),
                "requests" => Names.Concat(Dimensions), // the host's own
                _ => [$"a table that this test knows, in: {Text}"],
            };
            return string.Join(", ", missing) is { Length: > 0 } list ? $"missing: {list}" : null;
        }

        private static Dictionary<string, Query> Read()
        {
            var infra = Path.Combine(Repository(), "infra");
            using var workbook = JsonDocument.Parse(File.ReadAllText(Path.Combine(infra, "workbook.json")));
            var all = workbook.RootElement.GetProperty("items").EnumerateArray()
                .Where(item => item.GetProperty("content").TryGetProperty("query", out _))
                .ToDictionary(
                    item => $"workbook: {item.GetProperty("name")}", item => new Query(item.GetProperty("content").GetProperty("query").GetString()!));
            foreach (var file in Directory.GetFiles(Path.Combine(infra, "alerts"), "*.kql"))
                all.Add($"alert: {Path.GetFileNameWithoutExtension(file)}", new Query(Comment().Replace(File.ReadAllText(file), "").TrimStart()));
            return all;
        }

        private static string Repository()
        {
            for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "Functions.sln"))) return folder;
            }

            throw new InvalidOperationException("The tests do not run below the repository.");
        }

        [GeneratedRegex(@"^\s*(?<table>\w+)")]
        private static partial Regex Table();

        [GeneratedRegex(@"^//.*$", RegexOptions.Multiline)]
        private static partial Regex Comment();

        [GeneratedRegex(@"\bname == '(?<name>[^']+)'")]
        private static partial Regex Compared();

        [GeneratedRegex(@"\bname in \((?<list>[^)]+)\)")]
        private static partial Regex Listed();

        [GeneratedRegex("'(?<name>[^']+)'")]
        private static partial Regex Quoted();

        [GeneratedRegex(@"\bstartswith '(?<name>[^']+)'")]
        private static partial Regex Started();

        [GeneratedRegex(@"customDimensions(\.(?<name>\w+)|\['(?<name>[^']+)'\])")]
        private static partial Regex Dimension();
    }
}
