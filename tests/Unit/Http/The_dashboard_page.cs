using System.Text.RegularExpressions;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class The_dashboard_page
{
    // A browser keeps final pages by their address. When the log is created again at the same address, they are another's.
    [Fact]
    public async Task Asks_the_app_also_for_what_its_browser_has_kept()
    {
        var page = (await AnswerAsync(Request("/api/dashboard"), new DashboardPage())).Text;

        var requests = Regex.Matches(page, @"\bfetch\(.*?\}\)", RegexOptions.Singleline, TimeSpan.FromSeconds(5));

        Assert.NotEmpty(requests);
        Assert.All(requests, request => Assert.Contains("cache: 'no-cache'", request.Value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Knows_where_traces_are_looked_at_where_the_app_says_so()
    {
        Assert.DoesNotContain("trace-url\" content", (await AnswerAsync(Request("/api/dashboard"), new DashboardPage())).Text);
        Assert.Contains(
            "<meta name=\"trace-url\" content=\"https://traces.example/{traceId}?a=1&amp;b=&quot;\">",
            (await AnswerAsync(Request("/api/dashboard"), new DashboardPage("https://traces.example/{traceId}?a=1&b=\""))).Text);
    }
}
