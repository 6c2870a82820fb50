using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Outpost.Dev;

/// <summary>
/// Names the tests that failed, with the beginning of each message, for the end of a run: the details are thousands of lines above it.
/// </summary>
internal static partial class FailedTests
{
    /// <summary>More failures than this have one cause, and the first ones show it.</summary>
    private const int Most = 40;

    private const int MostCharacters = 300;

    /// <summary>Reads the result file of a .NET test run.</summary>
    public static IReadOnlyList<string> FromTrx(XDocument trx) =>
    [
        .. from result in trx.Descendants()
           where result.Name.LocalName == "UnitTestResult" && result.Attribute("outcome")?.Value is not ("Passed" or "NotExecuted")
           let message = result.Descendants().FirstOrDefault(each => each.Name.LocalName == "Message")?.Value
           select Line(result.Attribute("testName")?.Value ?? "", message ?? ""),
    ];

    /// <summary>Reads the TAP output of Node's test runner. A suite that failed by its tests is not named.</summary>
    public static IReadOnlyList<string> FromTap(string tap) =>
    [
        .. from match in Failure().Matches(tap)
           where match.Groups["type"].Value != "subtestsFailed"
           select Line(match.Groups["name"].Value.Replace("\\#", "#", StringComparison.Ordinal), match.Groups["error"].Value),
    ];

    /// <summary>The lines to print: at most 40 failures, and how many more there are.</summary>
    public static IEnumerable<string> Shown(IReadOnlyCollection<string> failures)
    {
        if (failures.Count == 0) return [];
        var shown = failures.Take(Most).Select(each => $"  {each}").Prepend("Failed:");
        return failures.Count > Most ? shown.Append($"  and {failures.Count - Most} more") : shown;
    }

    private static string Line(string name, string message)
    {
        var text = $"{name}: {Spaces().Replace(message, " ").Trim()}";
        return text.Length > MostCharacters ? text[..MostCharacters] + "…" : text;
    }

    /// <summary>What TAP says of one test: its name, then a block with the kind of failure and a message of one or several lines.</summary>
    [GeneratedRegex(
        """^ *not ok \d+ - (?<name>.*)\n *---\n(?:(?! *\.\.\.\n).*\n)*? *failureType: '(?<type>\w+)'\n *error: (?:\|-\n)?(?<error>(?:(?! *(?:code|name|\.\.\.)).*\n)+)""",
        RegexOptions.Multiline)]
    private static partial Regex Failure();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
