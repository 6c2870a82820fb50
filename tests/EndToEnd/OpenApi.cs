namespace Outpost.Tests.EndToEnd;

/// <summary>The OpenAPI document and the feed, judged by tools from outside.</summary>
public sealed class OpenApi
{
    [Fact]
    public async Task The_document_is_true_of_every_answer_that_can_be_provoked()
    {
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync();
        // Empty is missing, and a missing schedule is what health tells of.
        var failing = await services.StartAppAsync(settings: new Dictionary<string, string> { ["FORWARDER_SCHEDULE"] = "" });

        var (exitCode, output) = await ChildProcess.RunAsync("node",
        [
            "tests/EndToEnd/openapi/live.mjs", "--url", $"{app.Http.BaseAddress}", "--failing-url", $"{failing.Http.BaseAddress}",
            "--tables", services.Tables, "--bus", services.Bus,
        ]);

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task What_the_document_allows_is_taken_and_what_it_forbids_is_refused_and_a_public_linter_passes_it()
    {
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync();
        // As the app gives it: Outpost's part and the app's own.
        var (passes, findings) = await ChildProcess.RunAsync("node", ["tests/EndToEnd/openapi/lint.mjs", $"{app.Http.BaseAddress}api/openapi.json"]);
        Assert.True(passes == 0, findings);
        using (await app.PlaceAsync("there"))
        {
        }

        var (exitCode, output) = await ChildProcess.RunAsync(
            "node", ["--test", "tests/EndToEnd/openapi/limits.mjs"], new Dictionary<string, string> { ["OUTPOST_URL"] = $"{app.Http.BaseAddress}" });

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task The_feed_of_two_processes_is_confirmed_by_caches_and_by_the_CloudEvents_SDK()
    {
        await using var services = await LocalServices.StartAsync();
        var (one, other) = (await services.StartAppAsync(), await services.StartAppAsync());

        var (exitCode, output) = await ChildProcess.RunAsync("node", ["--test", "tests/EndToEnd/openapi/conformance.mjs"], new Dictionary<string, string>
        {
            ["OUTPOST_URL"] = $"{one.Http.BaseAddress}",
            ["OUTPOST_OTHER_URL"] = $"{other.Http.BaseAddress}",
        });

        Assert.True(exitCode == 0, output);
    }
}
