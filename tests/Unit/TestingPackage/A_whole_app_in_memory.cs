using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Testing;

namespace Outpost.Tests.Unit.TestingPackage;

public sealed class A_whole_app_in_memory
{
    [Fact]
    public async Task Answers_over_HTTP_from_the_log_in_memory_although_a_table_is_set()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration["TableStorage"] = "UseDevelopmentStorage=true";
        builder.AddOutpost();
        builder.Services.UseInMemoryLog(partitions: 2);
        await using var app = builder.Build();
        var routes = app.MapOutpost();
        routes.Feed.AllowAnonymous();
        await app.StartAsync();
        await app.Services.GetRequiredService<EventLog>().ExecuteAsync(Tallies.Count("a", "a1"), CancellationToken.None);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };

        var partitions = await http.GetStringAsync("/api/partitions");
        var health = await http.GetStringAsync("/api/health");

        Assert.StartsWith("""{"log":"inmemory","partitions":[{"partition":0,""", partitions, StringComparison.Ordinal);
        Assert.Contains("\"headOffset\":1", partitions, StringComparison.Ordinal);
        Assert.DoesNotContain("store-", health, StringComparison.Ordinal);
        await app.StopAsync();
    }
}
