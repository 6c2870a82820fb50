using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Outpost.Dev;

/// <summary>
/// Which families are stand-ins on this machine, and the mark by which it is known that the choice was made for these
/// package versions and not changed since.
/// </summary>
internal sealed partial record PackageChoice(IReadOnlyList<string> StandIns, string Mark)
{
    public static PackageChoice Of(IEnumerable<string> standIns, string packagesFile)
    {
        string[] names = [.. standIns];
        var text = Encoding.UTF8.GetBytes($"{string.Join(';', names)}\n{packagesFile}");
        return new PackageChoice(names, Convert.ToHexStringLower(SHA256.HashData(text))[..16]);
    }

    /// <summary>The families a choice file names, if that is still the choice for this list of packages.</summary>
    public static PackageChoice? Read(string file, string packagesFile)
    {
        var match = Form().Match(file);
        if (!match.Success) return null;
        var choice = Of(match.Groups["names"].Value.Split(';', StringSplitOptions.RemoveEmptyEntries), packagesFile);
        return choice.Mark == match.Groups["mark"].Value ? choice : null;
    }

    public string Write() => $"""
        <Project>
          <!-- Written by dev.cs for this machine's package feed; delete it to have the feed asked again. {Mark} -->
          <PropertyGroup><StandIns>{string.Join(';', StandIns)}</StandIns></PropertyGroup>
        </Project>

        """;

    public override string ToString() => StandIns.Count == 0
        ? "real packages"
        : $"stand-ins for {string.Join(", ", StandIns)}, which this machine's package feed lacks";

    [GeneratedRegex(@"(?<mark>[0-9a-f]{16}) -->\s*<PropertyGroup><StandIns>(?<names>[\w;]*)</StandIns>")]
    private static partial Regex Form();
}
