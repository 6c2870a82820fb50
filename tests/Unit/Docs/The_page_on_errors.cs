using System.Globalization;
using System.Text.RegularExpressions;
using Outpost.AspNetCore.OpenApi;

namespace Outpost.Tests.Unit.Docs;

public sealed partial class The_page_on_errors
{
    [Fact]
    public void Lists_every_kind_of_problem_with_its_status() =>
        Assert.Equal(
            ProblemTypes.All.Select(type => (type.Status, type.Name)).Order(),
            Pages.Rows("errors.md", "# Errors by code").Select(row => (int.Parse(row[0], CultureInfo.InvariantCulture), row[1])).Order());

    [Fact]
    public void Lists_every_code_of_health()
    {
        var source = Directory.EnumerateFiles(Path.Combine(DocPage.Root(), "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) is "HealthApi.cs" or "Troubles.cs" or "StoreProblems.cs" or "StoreCalls.cs" or "StoreAnswers.cs" or "StoreUnavailableException.cs" or "TableErrors.cs")
            .Select(File.ReadAllText);
        var codes = source.SelectMany(text => Code().Matches(text)).Select(code => code.Groups[1].Value).Distinct().Order().ToList();

        Assert.True(codes.Count > 8, string.Join(", ", codes));
        Assert.Equal(codes, Pages.Rows("errors.md", "## Health").Select(row => row[0]).Order());
    }

    [GeneratedRegex("\"((?:setting|store|table|layout|log|timer|forwarder|entries|request|retention|clock)-[a-z-]+)\"")]
    private static partial Regex Code();
}
