using System.Globalization;
using System.Text.RegularExpressions;

namespace Outpost.Tests.Unit.Docs;

public sealed partial class The_page_on_log_events
{
    [Theory]
    [InlineData("## Of an app", false)]
    [InlineData("## Of a reader or consumer", true)]
    public void Lists_every_event_with_its_level(string heading, bool isClient)
    {
        var src = Path.Combine(DocPage.Root(), "src");
        var logged = Directory.EnumerateDirectories(src, "Outpost*")
            .Where(folder => Path.GetFileName(folder).StartsWith("Outpost.Client", StringComparison.Ordinal) == isClient)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(file => Logged().Matches(File.ReadAllText(file)))
            .Select(line => (Number(line.Groups["id"].Value), line.Groups["level"].Value))
            .Order()
            .ToList();

        Assert.True(logged.Count > 5);
        Assert.Equal(logged, Pages.Rows("log-events.md", heading).Select(row => (Number(row[0]), row[1])));
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\[LoggerMessage\((?<id>\d+), LogLevel\.(?<level>\w+)")]
    private static partial Regex Logged();
}
