namespace Outpost.Tests.Unit.Docs;

public sealed class The_index_of_pages
{
    [Fact]
    public void Leads_to_every_page()
    {
        var index = Pages.Text("README.md");

        Assert.All(Pages.All.Where(page => page != "README.md"), page => Assert.Contains($"]({page})", index, StringComparison.Ordinal));
    }

    [Fact]
    public void Sorts_them_by_purpose() =>
        Assert.Equal(
            ["Tutorial", "How to", "Explanation", "Reference", "How it is proved"],
            Pages.Text("README.md").Split('\n').Where(line => line.StartsWith("## ", StringComparison.Ordinal)).Select(line => line[3..]));
}
