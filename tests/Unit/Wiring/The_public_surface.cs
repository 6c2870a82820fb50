using System.Text.RegularExpressions;
using System.Xml.Linq;
using Outpost.Tests.Unit.Docs;

namespace Outpost.Tests.Unit.Wiring;

/// <summary>What the packages offer, as their files PublicAPI.Unshipped.txt list it, is what somebody has a use for.</summary>
public sealed partial class The_public_surface
{
    private static readonly string Source = Path.Combine(DocPage.Root(), "src");

    private static readonly string[] Surface = [.. Directory.GetFiles(Source, "PublicAPI.*.txt", SearchOption.AllDirectories)
        .SelectMany(File.ReadAllLines).Where(line => line.Length > 0 && line != "#nullable enable")];

    public static TheoryData<string> Types => [.. Surface.Where(line => Type().IsMatch(line))];

    [Theory]
    [MemberData(nameof(Types))]
    public void Has_no_type_that_neither_docs_nor_examples_nor_other_types_name(string type)
    {
        var name = Type().Match(type).Groups["name"].Value;
        // The worker's generated code names the classes of functions.
        if (type.StartsWith("Outpost.AzureFunctions.", StringComparison.Ordinal)) return;
        string[] names = [name, name.Replace("Attribute", "", StringComparison.Ordinal), .. Surface
            .Where(line => line.StartsWith($"static {type}.", StringComparison.Ordinal))
            .Select(line => line[$"static {type}.".Length..].Split('(', '<')[0])];
        var others = Surface.Where(line => !Own(line).StartsWith(type, StringComparison.Ordinal));

        Assert.True(
            names.Any(one => Words.Contains(one)) || others.Any(line => Word().Matches(line).Any(word => word.Value == name)),
            $"{type} is public, and nobody says what for: make it internal, or show its use in the docs.");
    }

    [Fact]
    public void Is_all_that_examples_and_the_code_of_the_docs_see()
    {
        var seeing = Directory.GetFiles(Source, "*.*proj", SearchOption.AllDirectories).Append(Path.Combine(Source, "Directory.Build.props"))
            .SelectMany(file => XDocument.Load(file).Descendants("InternalsVisibleTo"))
            .SelectMany(item => ((string)item.Attribute("Include")!).Split(';')).ToList();

        Assert.Contains("Outpost.Tables", seeing);
        Assert.Empty(seeing.Intersect(["Outpost.Functions", "Outpost.Orders", "Outpost.Shipping", "Outpost.Tests.DocsCode", "Outpost.Tests.SampleApp"]));
    }

    private static readonly HashSet<string> Words = [.. new[] { "README.md", "docs", "src/Functions", "src/Orders", "src/Shipping", "src/Outpost.Templates/content" }
        .Select(place => Path.Combine(DocPage.Root(), place))
        .SelectMany(place => File.Exists(place) ? [place] : Directory.GetFiles(place, "*.*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".md" or ".cs" && !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/adr/", StringComparison.Ordinal)))
        .SelectMany(file => Word().Matches(File.ReadAllText(file)).Select(word => word.Value))];

    // A member's own type, before its signature.
    private static string Own(string line) => Modifiers().Replace(line, "");

    [GeneratedRegex(@"^Outpost[\w.]*?\.(?<name>\w+)(<\w+>)?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Type();

    [GeneratedRegex(@"^~?((static|abstract|virtual|override|readonly|const) )*", RegexOptions.ExplicitCapture)]
    private static partial Regex Modifiers();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
