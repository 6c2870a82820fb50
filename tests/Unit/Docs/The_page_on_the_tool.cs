using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Outpost.Tests.Unit.Docs;

/// <summary>docs/cli.md, and each command line of the tool that any page shows, held against the tool's own parser.</summary>
public sealed partial class The_page_on_the_tool
{
    // Commands is internal, and the tool holds code of dev.cs, which these tests see as well: so by its name.
    internal static readonly RootCommand Tool = (RootCommand)Assembly.Load("Outpost.Cli").GetType("Outpost.Cli.Commands")!
        .GetMethod("Root", BindingFlags.Public | BindingFlags.Static)!.Invoke(null, null)!;

    [Fact]
    public void Lists_every_command_with_its_options()
    {
        var listed = Pages.Rows("cli.md", "## Commands for a running app").Concat(Pages.Rows("cli.md", "## Commands for a table"))
            .Select(row => $"{row[0]}: {Options(row[2])}");
        // up has options of its own, which docs/run-locally.md lists.
        var known = Tool.Subcommands.Where(command => command.Name != "up").Select(command =>
            $"{string.Join(' ', new[] { command.Name }.Concat(command.Arguments.Select(argument => argument.Name.ToUpperInvariant())))}: {string.Join(' ', command.Options.Select(option => option.Name).Where(name => name.StartsWith("--", StringComparison.Ordinal)))}");

        Assert.Equal(known.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        Assert.Equal(
            Tool.Options.Select(option => option.Name).Except(["--help", "--version"]),
            Pages.Rows("cli.md", "## Options of every command").Select(row => row[0]));
    }

    // The packages are not published: an install that names no folder fails.
    [Fact]
    public void Installs_the_tool_from_the_folder_of_built_packages()
    {
        string[] others = [File.ReadAllText(Path.Combine(DocPage.Root(), "README.md")), File.ReadAllText(Path.Combine(DocPage.Root(), "src/Outpost.Templates/content/outpost-functions/README.md"))];
        var installs = Pages.All.Select(Pages.Text).Concat(others).SelectMany(text => text.Split('\n')).Where(line => line.Contains("tool install", StringComparison.Ordinal)).ToList();

        Assert.True(installs.Count >= 4);
        Assert.All(installs, line => Assert.EndsWith(" Outpost.Cli --add-source packages", line, StringComparison.Ordinal));
    }

    public static IEnumerable<object[]> Shown() => Pages.All
        .SelectMany(page => Pages.Blocks(page).Where(block => block.Language == "sh").SelectMany(block => block.Code.ReplaceLineEndings("\n").Replace("\\\n", " ", StringComparison.Ordinal).Split('\n'))
            .Concat(Pages.InlineCode(page))
            .Select(line => line.Trim())
            .Where(line => line.StartsWith("outpost ", StringComparison.Ordinal) && line.Split(' ').Length > 1)
            .Distinct()
            .Select(line => new object[] { page, line }));

    [Theory]
    [MemberData(nameof(Shown))]
    public void Understands_what_the_pages_show(string page, string line)
    {
        var words = Word().Matches(line.Split(" #")[0]).Select(word => word.Value.Trim('"')).Skip(1).ToArray();
        // In prose, a command's name stands for it: what it needs besides is not shown.
        var isNameAlone = words.Length == 1 && Tool.Subcommands.Any(command => command.Name == words[0]);

        if (!isNameAlone && words is not ["up", ..]) Assert.True(Tool.Parse(words).Errors.Count == 0, $"{page}: {line}: {string.Join(' ', Tool.Parse(words).Errors)}");
    }

    private static string Options(string cell) => string.Join(' ', Option().Matches(cell).Select(option => option.Value));

    [GeneratedRegex("--[a-z-]+")]
    private static partial Regex Option();

    [GeneratedRegex("\"[^\"]*\"|[^ ]+")]
    private static partial Regex Word();
}
