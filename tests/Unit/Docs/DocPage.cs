using System.Text.RegularExpressions;

namespace Outpost.Tests.Unit.Docs;

/// <summary>Holds the C# that a page shows against the code that is compiled and run here.</summary>
internal static partial class DocPage
{
    /// <summary>Each part between marks in the code is a block of the page, in order, and the page has no others.</summary>
    public static void AssertShows(string page, params string[] code)
    {
        var text = File.ReadAllText(Path.Combine(Root(), "docs", page));
        var compiled = code.SelectMany(file => Part().Matches(File.ReadAllText(Path.Combine(Root(), "tests", file))))
            .Select(part => (part.Groups["name"].Value, Dedented(part.Groups["code"].Value)));
        var shown = Block().Matches(text).Select(block => (block.Groups["name"].Value, block.Groups["code"].Value)).ToList();

        Assert.Equal(compiled, shown);
        Assert.Equal(shown.Count, text.Split("```csharp").Length - 1);
    }

    private static string Dedented(string code)
    {
        var lines = code.TrimEnd().Split('\n');
        var indent = lines.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Concat(lines.Select(line => (line.Length > 0 ? line[indent..] : "") + "\n"));
    }

    /// <summary>The repository.</summary>
    public static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Functions.sln"))) return folder;
        }

        throw new InvalidOperationException($"No folder with Functions.sln above {AppContext.BaseDirectory}.");
    }

    [GeneratedRegex("^ *// <(?<name>[a-z]+)>\n(?<code>.*?)^ *// </\\k<name>>$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Part();

    [GeneratedRegex("<!-- code: (?<name>[a-z]+) -->\n```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
