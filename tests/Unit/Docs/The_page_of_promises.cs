using System.Text.RegularExpressions;

namespace Outpost.Tests.Unit.Docs;

/// <summary>Each promise of the README is on the page of promises, with tests and variants that exist.</summary>
public sealed partial class The_page_of_promises
{
    private static readonly string Root = DocPage.Root();
    private static readonly string[] Rows = [.. File.ReadAllLines(Path.Combine(Root, "docs", "promises.md")).Where(line => line.StartsWith("| **", StringComparison.Ordinal))];

    [Fact]
    public void Has_the_promises_of_the_README_in_its_order() => Assert.Equal(
        File.ReadAllLines(Path.Combine(Root, "README.md")).Where(line => line.StartsWith("- **", StringComparison.Ordinal) && line.Contains("[Proof]", StringComparison.Ordinal)).Select(Name),
        Rows.Select(Name));

    [Fact]
    public void Has_tests_for_each() => Assert.All(Rows, row =>
    {
        var tests = Test().Matches(row).Select(match => match.Groups["file"].Value).ToList();
        Assert.NotEmpty(tests);
        Assert.All(tests, file => Assert.Matches(@"\[\w*(Fact|Theory)\b", File.ReadAllText(Path.Combine(Root, file))));
    });

    [Fact]
    public void Has_each_variant_that_is_broken_on_purpose_and_no_other()
    {
        var source = File.ReadAllText(Path.Combine(Root, "tests", "Simulation", "Broken", "Broken.cs"));

        Assert.Equal(
            Variant().Matches(source).Select(match => match.Groups["name"].Value).Where(name => name != "Nothing").Order(StringComparer.Ordinal),
            Rows.SelectMany(row => Quoted().Matches(row).Select(match => match.Groups["name"].Value)).Order(StringComparer.Ordinal));
    }

    private static string Name(string line) => Bold().Match(line).Groups["name"].Value;

    [GeneratedRegex(@"\*\*(?<name>[^*]+)\*\*")]
    private static partial Regex Bold();

    [GeneratedRegex(@"\]\(\.\./(?<file>tests/[^)]+\.cs)\)")]
    private static partial Regex Test();

    [GeneratedRegex(@"^    (?<name>[A-Z]\w+),", RegexOptions.Multiline)]
    private static partial Regex Variant();

    [GeneratedRegex(@"`(?<name>[A-Z]\w+)`")]
    private static partial Regex Quoted();
}
