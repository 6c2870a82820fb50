using System.Globalization;
using System.Text.RegularExpressions;
using Outpost.Tests.Unit.Docs;

namespace Outpost.Tests.Unit.Agreement;

/// <summary>Which alarms of infra/alerts call. Their queries are told here as sums and maxima; operators and thresholds are read from alerts.bicep.</summary>
internal static partial class Alarms
{
    private static readonly Query[] Queries =
    [
        new("late.kql", "Late", "outpost.late"),
        new("orphaned.kql", "Orphaned", "outpost.orphaned"),
        new("heartbeat.kql", "Runs", "outpost.runs", IsSum: true),
        new("parked.kql", "Parked", "outpost.parked"),
        new("unanswered.kql", "Unanswered", "outpost.commands", IsSum: true, "result", "busy", "unknown", "failed"),
        new("retention-held.kql", "Held", "outpost.retention.held"),
        new("request-blocked.kql", "Blocked", "outpost.blocked"),
        new("clock-off.kql", "ClockOff", "outpost.clock_skew") { Aggregate = "max(abs(valueMax))" },
    ];

    public static IReadOnlyList<string> Calling(IReadOnlyList<WatchedApp.Measured> measured)
    {
        var bicep = File.ReadAllText(Path.Combine(DocPage.Root(), "infra", "modules", "alerts.bicep"));
        return [.. Queries.Where(query => query.Calls(measured, bicep)).Select(query => query.File[..^4]).Order(StringComparer.Ordinal)];
    }

    private sealed record Query(string File, string Column, string Instrument, bool IsSum = false, string? Tag = null, params string[] Values)
    {
        public string Aggregate { get; init; } = IsSum ? "sum(valueSum)" : "max(valueMax)";

        public bool Calls(IReadOnlyList<WatchedApp.Measured> measured, string bicep)
        {
            var text = System.IO.File.ReadAllText(Path.Combine(DocPage.Root(), "infra", "alerts", File));
            Assert.Contains($"'{Instrument}'", text, StringComparison.Ordinal);
            Assert.Contains($"{Column} = {Aggregate}", text, StringComparison.Ordinal);
            Assert.All(Values, value => Assert.Contains($"'{value}'", text, StringComparison.Ordinal));
            var rule = Rule().Matches(bicep).Single(rule => rule.Groups["column"].Value == Column);
            var values = measured.Where(one => one.Instrument == Instrument && (Tag is null || Values.Contains(one.Tags[Tag]))).Select(one => Aggregate.Contains("abs", StringComparison.Ordinal) ? Math.Abs(one.Value) : one.Value).DefaultIfEmpty(0);
            var (value, threshold) = (IsSum ? values.Sum() : values.Max(), double.Parse(rule.Groups["threshold"].Value, CultureInfo.InvariantCulture));
            return rule.Groups["operator"].Value == "LessThan" ? value < threshold : value > threshold;
        }
    }

    [GeneratedRegex(@"measure: '(?<column>\w+)'[^}]*?operator: '(?<operator>\w+)'[^}]*?threshold: (?:json\(')?(?<threshold>[\d.]+)", RegexOptions.Singleline)]
    private static partial Regex Rule();
}
