using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Outpost.Tests.EndToEnd;

/// <summary>
/// What a stranger does with the packages alone: a new app from the template, a second entity and a handler as the
/// tutorial says, its tests, and `outpost up` from the packed tool. No file of this repository is copied.
/// </summary>
public sealed partial class A_new_app_from_packages
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Runs_and_records_forwards_and_handles_what_the_tutorial_adds()
    {
        var version = $"0.1.0-e2e{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}";
        using var folder = new TemporaryFolder(version);
        await PackAsync(folder, version);
        var app = await NewAppAsync(folder, version);
        await AddStockAsync(app);
        await RunAsync(folder.Path, "dotnet", "test", Path.Combine(app, "tests", "Lending.Tests"), "-v", "quiet", "-nologo", "-p:_FunctionsBuildEnabled=false");
        var ordered = folder.PathOf("ordered");

        await using var up = ChildProcess.Start(
            folder.PathOf("tools", "outpost"),
            ["up", "--port", "0", "--tables-port", "0", "--bus-port", "0"],
            new Dictionary<string, string> { ["OUTPOST_HOME"] = folder.PathOf("home"), ["SUPPLIER_FILE"] = ordered },
            Path.Combine(app, "src", "Lending"));
        var bus = await up.LineAsync("Service Bus: ");
        using var http = new HttpClient { BaseAddress = new Uri(await up.LineAsync("Ready: ")) };

        using var lent = await http.PostAsJsonAsync("/api/loans/b-1/lend", new { member = "m-1" });
        using var refused = await http.PostAsJsonAsync("/api/loans/b-1/lend", new { member = "m-2" });
        using var received = await http.PostAsJsonAsync("/api/stock/a-17/receive", new { quantity = 12 });
        using var taken = await http.PostAsJsonAsync("/api/stock/a-17/take", new { quantity = 5 });
        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.Conflict, HttpStatusCode.OK, HttpStatusCode.OK],
            new[] { lent, refused, received, taken }.Select(answer => answer.StatusCode));
        Assert.Equal("""{"sku":"a-17","onHand":7}""", await taken.Content.ReadAsStringAsync());

        string[] types = ["BookLent", "StockReceived", "StockTaken"];
        var feed = await http.GetFromJsonAsync<JsonElement>("/api/events?offset=0");
        Assert.Equal(types, feed.EnumerateArray().Select(entry => entry.GetProperty("type").GetString()));
        var sent = await new BusReader(bus, "events", types.Length, TimeSpan.FromSeconds(30)).ReadAsync("all");
        Assert.Equal(types.Length, sent.Count);
        await HandledAsync(ordered);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/api/dashboard")).StatusCode);
        Assert.Equal("""{"status":"ok","problems":[]}""", await http.GetStringAsync("/api/health"));
        await OperatedByToolAsync(folder, http.BaseAddress);
        Assert.Equal(0, await up.StopAsync());
    }

    // In a copy: a build of another version beside the other tests would replace what they run.
    private static async Task PackAsync(TemporaryFolder folder, string version)
    {
        var copy = folder.PathOf("source");
        var listed = await RunAsync(Repository.Root, "git", "ls-files", "--cached", "--others", "--exclude-standard", "src", "infra", "eng/dev", "docs/images", ".editorconfig", "*.props", "*.sln", "*.json", "LICENSE");
        foreach (var file in listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(file => File.Exists(Path.Combine(Repository.Root, file))))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(copy, file))!);
            File.Copy(Path.Combine(Repository.Root, file), Path.Combine(copy, file));
        }

        // As a workflow of the repository that publishes them says it.
        var publisher = new Dictionary<string, string> { ["GITHUB_SERVER_URL"] = "https://git.example", ["GITHUB_REPOSITORY"] = "example/outpost" };
        await RunAsync(copy, publisher, "dotnet", "pack", "src/Packages.slnf", "-c", "Release", "-o", folder.PathOf("packages"), "-v", "quiet", "-nologo", "-nodeReuse:false", $"-p:Version={version}");
        Assert.Contains("<projectUrl>https://git.example/example/outpost</projectUrl>", await NuspecAsync(folder, "Outpost", version), StringComparison.Ordinal);
        // Packages that share internals fit only those of the same minor version.
        Assert.Contains($"id=\"Outpost\" version=\"[{version}, 0.2.0)\"", await NuspecAsync(folder, "Outpost.Tables", version), StringComparison.Ordinal);
    }

    private static async Task<string> NuspecAsync(TemporaryFolder folder, string id, string version)
    {
        using var package = await ZipFile.OpenReadAsync(folder.PathOf("packages", $"{id}.{version}.nupkg"));
        using var nuspec = new StreamReader(await package.GetEntry($"{id}.nuspec")!.OpenAsync());
        return await nuspec.ReadToEndAsync();
    }

    private static async Task<string> NewAppAsync(TemporaryFolder folder, string version)
    {
        var packages = folder.PathOf("packages");
        await File.WriteAllTextAsync(
            folder.PathOf("nuget.config"), $"""<configuration><packageSources><add key="packed" value="{packages}" /></packageSources></configuration>""");
        // Templates are installed for a user: this one is of the test's own.
        var home = new Dictionary<string, string> { ["DOTNET_CLI_HOME"] = folder.PathOf("templates") };
        await RunAsync(folder.Path, home, "dotnet", "new", "install", Path.Combine(packages, $"Outpost.Templates.{version}.nupkg"));
        await RunAsync(folder.Path, home, "dotnet", "new", "outpost-functions", "-n", "Lending", "-o", "Lending");
        await RunAsync(folder.Path, "dotnet", "tool", "install", "Outpost.Cli", "--tool-path", "tools", "--version", version);
        return folder.PathOf("Lending");
    }

    // The blocks of the tutorial, pasted.
    private static async Task AddStockAsync(string app)
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "your-own-domain.md"));
        var blocks = Block().Matches(page).ToDictionary(block => block.Groups["name"].Value, block => block.Groups["code"].Value);
        var source = Path.Combine(app, "src", "Lending");
        await File.WriteAllTextAsync(Path.Combine(source, "Stock.cs"), $$"""
            using Microsoft.AspNetCore.Http;
            using Microsoft.Azure.Functions.Worker;
            using Outpost;
            using Outpost.AspNetCore;
            using Outpost.Forwarding;

            namespace Lending;

            {{blocks["state"]}}
            {{blocks["decide"]}}
            {{blocks["function"]}}
            {{blocks["handler"]}}
            public interface ISupplier
            {
                Task OrderAsync(string sku, int quantity, string key, CancellationToken stop);
            }

            public sealed class FileSupplier : ISupplier
            {
                public Task OrderAsync(string sku, int quantity, string key, CancellationToken stop) =>
                    File.AppendAllTextAsync(Environment.GetEnvironmentVariable("SUPPLIER_FILE")!, $"{quantity} of {sku}\n", stop);
            }
            """);
        var program = Path.Combine(source, "Program.cs");
        var text = await File.ReadAllTextAsync(program);
        await File.WriteAllTextAsync(program, text
            .Replace("using Outpost;", "using Lending;\nusing Microsoft.Extensions.DependencyInjection;\nusing Outpost;", StringComparison.Ordinal)
            .Replace(
                ".AddServiceBus();",
                ".AddServiceBus().AddHandler<StockTaken, ReorderHandler>(\"reorders\", within: TimeSpan.FromMinutes(5));\nbuilder.Services.AddSingleton<ISupplier, FileSupplier>();",
                StringComparison.Ordinal));
    }

    // What an operator does from a shell, with the same tool.
    private static async Task OperatedByToolAsync(TemporaryFolder folder, Uri address)
    {
        var environment = new Dictionary<string, string> { ["OUTPOST_URL"] = $"{address}" };
        Task<string> ToolAsync(params string[] arguments) => RunAsync(folder.Path, environment, folder.PathOf("tools", "outpost"), arguments);
        async Task<string> RefusedAsync(params string[] arguments)
        {
            var (exitCode, output) = await ChildProcess.RunAsync(folder.PathOf("tools", "outpost"), arguments, environment, Patience, folder.Path);
            Assert.Equal(1, exitCode);
            return output;
        }

        Assert.Contains("reorders", await ToolAsync("status"), StringComparison.Ordinal);
        Assert.Contains("BookLent", await ToolAsync("events", "--types", "BookLent"), StringComparison.Ordinal);
        Assert.Equal(3, JsonDocument.Parse(await ToolAsync("events", "--json")).RootElement.GetArrayLength());
        await ToolAsync("pause", "reorders", "--why", "a test");
        var status = JsonDocument.Parse(await ToolAsync("status", "--json")).RootElement;
        var paused = status.GetProperty("forwarders").EnumerateArray().Single(one => one.GetProperty("name").GetString() == "reorders").GetProperty("partitions")[0];
        Assert.Equal("a test", paused.GetProperty("pausedReason").GetString());
        await ToolAsync("resume", "reorders");
        Assert.Contains("count: 3", await ToolAsync("replay", "reorders", "--from", "2026-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z", "--types", "StockTaken", "--subject", "stock/a-17"), StringComparison.Ordinal);
        Assert.Equal("[]", (await ToolAsync("parked", "servicebus", "--by-reason", "--json")).Trim());
        Assert.Contains("count: 0", await ToolAsync("retry", "servicebus", "--all"), StringComparison.Ordinal);
        Assert.Contains("say which", await RefusedAsync("discard", "servicebus"), StringComparison.Ordinal);
        Assert.Contains("404: There is no forwarder 'nobody'.", await RefusedAsync("forget", "nobody"), StringComparison.Ordinal);
        Assert.Contains("does not answer", await RefusedAsync("status", "--url", "http://127.0.0.1:1"), StringComparison.Ordinal);
    }

    private static async Task HandledAsync(string ordered)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!File.Exists(ordered) || !(await File.ReadAllTextAsync(ordered, late.Token)).EndsWith('\n')) await Task.Delay(50, late.Token);
        Assert.Equal("100 of a-17\n", await File.ReadAllTextAsync(ordered, late.Token));
    }

    private static Task<string> RunAsync(string folder, string program, params string[] arguments) =>
        RunAsync(folder, new Dictionary<string, string>(), program, arguments);

    private static async Task<string> RunAsync(string folder, IReadOnlyDictionary<string, string> environment, string program, params string[] arguments)
    {
        var (exitCode, output) = await ChildProcess.RunAsync(program, arguments, environment, Patience, folder);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)}\n{output}");
        return output;
    }

    [GeneratedRegex("<!-- code: (?<name>[a-z]+) -->\n```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    private sealed class TemporaryFolder(string version) : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("outpost-new-").FullName;

        public string PathOf(params string[] names) => System.IO.Path.Combine([Path, .. names]);

        public void Dispose()
        {
            Directory.Delete(Path, recursive: true);
            // NuGet keeps what it has unpacked, for good.
            var kept = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
                ?? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
            foreach (var package in Directory.Exists(kept) ? Directory.GetDirectories(kept, "outpost*") : [])
            {
                if (Directory.Exists(System.IO.Path.Combine(package, version))) Directory.Delete(System.IO.Path.Combine(package, version), recursive: true);
            }
        }
    }
}
