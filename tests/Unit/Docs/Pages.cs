using System.Text.RegularExpressions;

namespace Outpost.Tests.Unit.Docs;

/// <summary>The pages below docs that people read: all but the decisions.</summary>
internal static partial class Pages
{
    private static readonly string Folder = Path.Combine(DocPage.Root(), "docs");

    /// <summary>Paths below docs, with forward slashes: <c>faq.md</c>, <c>runbook/late.md</c>.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. Directory.EnumerateFiles(Folder, "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Folder, file).Replace('\\', '/'))
            .Where(page => !page.StartsWith("adr/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    public static string Text(string page) => File.ReadAllText(Path.Combine(Folder, page));

    /// <summary>Fenced blocks with their language.</summary>
    public static IEnumerable<(string Language, string Code)> Blocks(string page) =>
        Fence().Matches(Text(page)).Select(block => (block.Groups["language"].Value, Unindented(block.Groups["code"].Value, block.Groups["indent"].Value)));

    /// <summary>What is between backticks in prose.</summary>
    public static IEnumerable<string> InlineCode(string page) => Code().Matches(Fence().Replace(Text(page), "")).Select(code => code.Groups[1].Value);

    /// <summary>The cells of the table rows below a heading, without code marks, up to the next heading.</summary>
    public static IEnumerable<string[]> Rows(string page, string heading) => Text(page).Split('\n')
        .SkipWhile(line => line != heading)
        .Skip(1)
        .TakeWhile(line => !line.StartsWith('#'))
        .Where(line => line.StartsWith("| ", StringComparison.Ordinal) || line.StartsWith("|--", StringComparison.Ordinal))
        .SkipWhile(line => !line.StartsWith("|--", StringComparison.Ordinal))
        .Where(line => !line.StartsWith("|--", StringComparison.Ordinal))
        .Select(line => line.Trim('|').Split(" | ").Select(cell => cell.Replace("`", "", StringComparison.Ordinal).Trim()).ToArray());

    private static string Unindented(string code, string indent) =>
        indent.Length == 0 ? code : string.Join('\n', code.Split('\n').Select(line => line.StartsWith(indent, StringComparison.Ordinal) ? line[indent.Length..] : line));

    [GeneratedRegex("^(?<indent> *)```(?<language>[a-z]*)\n(?<code>.*?)^ *```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
