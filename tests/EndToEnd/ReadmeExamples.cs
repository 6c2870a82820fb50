using System.Text.RegularExpressions;

namespace Outpost.Tests.EndToEnd;

/// <summary>What the README shows, run as it stands there.</summary>
public sealed partial class ReadmeExamples
{
    [Fact]
    public async Task The_first_result_of_the_README_comes_as_it_says()
    {
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync();
        var readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"));
        var examples = Example().Matches(readme).ToDictionary(m => m.Groups["name"].Value, m => m.Groups["script"].Value);

        var placed = await RunAsync(examples["place"], app, services);
        var again = await RunAsync(examples["place"], app, services);
        var read = await RunAsync(examples["read"], app, services);
        var received = await RunAsync(examples["receive"], app, services);

        Assert.Contains("HTTP/1.1 201 Created", placed, StringComparison.Ordinal);
        Assert.Contains("ETag: \"1\"", placed, StringComparison.Ordinal);
        Assert.Contains("\nLocation: orders/o-", placed, StringComparison.Ordinal);
        Assert.Contains("\nLocation: orders/o-…", readme, StringComparison.Ordinal);
        Assert.Contains("\"state\":\"placed\",\"lines\":[{\"sku\":\"a\",\"quantity\":2,\"unitPrice\":9.5}],\"total\":19.0,\"version\":1}", placed, StringComparison.Ordinal);
        Assert.Contains("Idempotency-Replayed: true", again, StringComparison.Ordinal);
        Assert.Contains("Next-Offset: 1", read, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"OrderPlaced\"", read, StringComparison.Ordinal);
        Assert.Contains("\"subject\":\"OrderPlaced\"", received, StringComparison.Ordinal);
    }

    // The README's ports are the defaults; a test has its own.
    private static async Task<string> RunAsync(string script, RunningApp app, LocalServices services)
    {
        var (exitCode, output) = await ChildProcess.RunAsync(
            "bash",
            ["-e", "-o", "pipefail", "-c", script.Replace("http://127.0.0.1:7071", app.Http.BaseAddress!.ToString().TrimEnd('/'), StringComparison.Ordinal)],
            new Dictionary<string, string> { ["ServiceBus"] = services.Bus });
        Assert.True(exitCode == 0, output);
        return output;
    }

    [GeneratedRegex("<!-- example: (?<name>[a-z]+) -->\n```sh\n(?<script>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
