using System.Text.RegularExpressions;

namespace Outpost.Dev;

/// <summary>
/// Finds traces of one machine that do not belong in a repository: its folders, and the package registry that it uses.
/// </summary>
internal static partial class Traces
{
    private static readonly string[] Binary = [".png", ".ico", ".gif", ".jpg", ".woff2", ".zip"];

    public static IReadOnlyList<string> Find(string root, IEnumerable<string> files)
    {
        string[] own = [root, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)];
        return
        [
            .. files.Where(file => !Binary.Contains(Path.GetExtension(file)))
                .SelectMany(file => File.ReadLines(Path.Combine(root, file))
                    .SelectMany((line, index) => InLine(line, own).Select(trace => $"{file}:{index + 1}: {trace}"))),
        ];
    }

    internal static IEnumerable<string> InLine(string line, IEnumerable<string> ownFolders)
    {
        foreach (var folder in ownFolders)
        {
            if (folder.Length > 1 && line.Contains(folder + '/', StringComparison.Ordinal)) yield return folder;
        }

        foreach (Match match in HomeFolder().Matches(line)) yield return match.Value;
        foreach (Match match in RegistryHost().Matches(line)) yield return match.Value;
    }

    [GeneratedRegex(@"(?<![\w.])(/home/|/Users/|[A-Z]:\\Users\\)[\w.-]+")]
    private static partial Regex HomeFolder();

    /// <summary>Matches an address whose host is a package registry.</summary>
    [GeneratedRegex(
        @"https?://(?<host>[\w.-]*(npm|nuget|registry|artifactory|nexus|packages|pypi|feeds)[\w.-]*)",
        RegexOptions.IgnoreCase)]
    private static partial Regex RegistryHost();
}
