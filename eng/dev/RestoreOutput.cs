using System.Text.RegularExpressions;

namespace Outpost.Dev;

/// <summary>What the lines a restore printed say about the feed.</summary>
internal static partial class RestoreOutput
{
    /// <summary>
    /// NU1101: no such package. NU1102: not in this version. NU1103: only as a prerelease. NU1603: only in another
    /// version, which was taken instead.
    /// </summary>
    private static readonly string[] Missing = ["NU1101", "NU1102", "NU1103", "NU1603"];

    /// <summary>NU1301: a source did not answer. NU1300, NU1302, NU1303: it could not be asked.</summary>
    private static readonly string[] NoAnswer = ["NU1300", "NU1301", "NU1302", "NU1303"];

    public static FeedAnswer Read(bool succeeded, IEnumerable<string> lines)
    {
        var codes = lines.SelectMany(line => Code().Matches(line)).Select(match => match.Value).ToHashSet();

        // While one source is silent, a package missing from the others may still be in that one.
        if (!succeeded && codes.Overlaps(NoAnswer)) return FeedAnswer.Unreachable;
        if (codes.Overlaps(Missing)) return FeedAnswer.Lacking;
        return succeeded ? FeedAnswer.Complete : FeedAnswer.Failed;
    }

    [GeneratedRegex(@"\bNU\d{4}\b")]
    private static partial Regex Code();
}
