using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Outpost.Dev;

/// <summary>How many tests passed, failed and were skipped.</summary>
internal sealed partial record TestTally(int Passed, int Failed, int Skipped)
{
    public static TestTally None { get; } = new(0, 0, 0);

    /// <summary>One failure: the count of a run that ended before it could count, or that does not say what went wrong.</summary>
    public static TestTally Broken { get; } = new(0, 1, 0);

    public bool IsGood => Failed == 0 && Passed > 0;

    public static TestTally operator +(TestTally left, TestTally right) =>
        new(left.Passed + right.Passed, left.Failed + right.Failed, left.Skipped + right.Skipped);

    /// <summary>Reads the result file of a .NET test run.</summary>
    public static TestTally FromTrx(XDocument trx)
    {
        var counters = trx.Descendants().FirstOrDefault(each => each.Name.LocalName == "Counters");
        if (counters is null) return Broken;
        var total = Count("total");
        var passed = Count("passed");
        var skipped = total - Count("executed");
        return new TestTally(passed, total - passed - skipped, skipped);

        int Count(string name) => int.TryParse(counters.Attribute(name)?.Value, out var count) ? count : 0;
    }

    /// <summary>Reads the summary at the end of the TAP output of Node's test runner.</summary>
    public static TestTally FromTap(string tap)
    {
        var counts = Summary().Matches(tap).ToLookup(
            match => match.Groups["name"].Value, match => int.Parse(match.Groups["count"].Value));
        if (!counts.Contains("pass")) return Broken;
        return new TestTally(
            counts["pass"].Last(),
            counts["fail"].LastOrDefault() + counts["cancelled"].LastOrDefault(),
            counts["skipped"].LastOrDefault() + counts["todo"].LastOrDefault());
    }

    /// <summary>The count of a run that ended in this way.</summary>
    public TestTally After(bool succeeded) => succeeded || Failed > 0 ? this : this + Broken;

    public override string ToString() => $"{Passed} passed, {Failed} failed, {Skipped} skipped";

    [GeneratedRegex(@"^# (?<name>pass|fail|cancelled|skipped|todo) (?<count>\d+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Summary();
}
