using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Outpost.Tests.Unit.Docs;

/// <summary>What the README says of this repository. Its commands run in the end-to-end tests; its length is checked with the prose.</summary>
public sealed partial class The_README
{
    private static readonly string Text = File.ReadAllText(Path.Combine(DocPage.Root(), "README.md"));

    [Fact]
    public void Has_a_test_for_each_promise()
    {
        var promises = Section("What you can rely on").Split('\n').Where(line => line.StartsWith("- **", StringComparison.Ordinal)).ToList();

        Assert.Equal(10, promises.Count);
        Assert.All(promises, promise =>
        {
            var proof = Proof().Match(promise).Groups["file"].Value;
            Assert.Matches(@"\[(Fact|Theory)\b", File.ReadAllText(Path.Combine(DocPage.Root(), proof)));
        });
    }

    [Fact]
    public void Installs_the_version_that_is_built()
    {
        var version = XDocument.Load(Path.Combine(DocPage.Root(), "Directory.Build.props")).Descendants("Version").Single().Value;

        Assert.Contains($"packages/Outpost.Templates.{version}.nupkg", Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_what_was_never_run_before_it_says_how_to_run() => Assert.InRange(
        Text.IndexOf("docs/never-run-in-azure.md", StringComparison.Ordinal), 0, Text.IndexOf("```", StringComparison.Ordinal));

    private static string Section(string heading) => Text.Split("\n## ").Single(part => part.StartsWith(heading + "\n", StringComparison.Ordinal));

    [GeneratedRegex(@"\[Proof\]\((?<file>[^)]+)\)$")]
    private static partial Regex Proof();
}
