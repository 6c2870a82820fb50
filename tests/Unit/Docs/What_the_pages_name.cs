using System.Text.Json;
using System.Text.RegularExpressions;

namespace Outpost.Tests.Unit.Docs;

/// <summary>Files, tests, examples and commands that pages name are there. Links are checked with the prose.</summary>
public sealed partial class What_the_pages_name
{
    private const string NeverRun = "never-run-in-azure.md";
    private static readonly string[] DevCommands = ["up", "test", "bench", "simulate", "prove", "check", "doctor"];

    public static TheoryData<string> Names() => [.. Pages.All];

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_JSON_where_it_says_so(string page)
    {
        foreach (var (_, code) in Pages.Blocks(page).Where(block => block.Language == "json")) using (JsonDocument.Parse(code)) Assert.NotEmpty(code);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_a_file_of_this_repository(string page)
    {
        foreach (var path in Pages.InlineCode(page).Where(code => Source().IsMatch(code)))
            Assert.True(Path.Exists(Path.Combine(DocPage.Root(), path)) || path.Contains('*', StringComparison.Ordinal), $"{page}: there is no {path}.");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_a_test(string page)
    {
        foreach (var name in Pages.InlineCode(page).Where(code => Test().IsMatch(code)).Select(code => code.Split('.')[0].TrimEnd('…')).Where(name => name.Length > 0))
            Assert.True(Classes.Value.Any(known => known == name || known.StartsWith(name, StringComparison.Ordinal)), $"{page}: no test is called {name}.");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_a_command_of_dev(string page) =>
        Assert.All(Dev().Matches(Pages.Text(page)), command => Assert.Contains(command.Groups[1].Value, DevCommands));

    /// <summary>Nobody has run a command of Azure's from here, and each page that shows one says so.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Was_never_run_where_it_needs_Azure(string page)
    {
        if (Pages.Blocks(page).Any(block => block.Language == "sh" && Azure().IsMatch(block.Code))) Assert.Contains(NeverRun, Pages.Text(page), StringComparison.Ordinal);
    }

    [Fact]
    public void Are_blocks_of_a_language_that_something_checks() =>
        Assert.Empty(Pages.All.SelectMany(page => Pages.Blocks(page).Select(block => block.Language)).Distinct().Except(["sh", "json", "csharp", "cs", "js", "mermaid", "text"]));

    private static readonly Lazy<HashSet<string>> Classes = new(() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(DocPage.Root(), "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(file => Class().Matches(File.ReadAllText(file))).Select(name => name.Groups[1].Value),
    ]);

    [GeneratedRegex(@"^(src|tests|eng|infra)/[A-Za-z0-9_./*-]+$")]
    private static partial Regex Source();

    [GeneratedRegex(@"^…?(A|An|The|Says|Several|Sends|Readers|Pages|Payloads|What|Where|Which|Turns|Commits|Old|Requests|Answers|Entries|Moving|Feeds|Query|Events|Does)_[a-z_A-Z0-9]+(\.[A-Z][A-Za-z_0-9]*…?)?$")]
    private static partial Regex Test();

    [GeneratedRegex(@"\b(?:class|Task|void) (\w+)")]
    private static partial Regex Class();

    [GeneratedRegex(@"dotnet run dev\.cs ([a-z]+)")]
    private static partial Regex Dev();

    [GeneratedRegex(@"(^|\s|\()(az|azd) [a-z]", RegexOptions.Multiline)]
    private static partial Regex Azure();
}
