using System.Text.Json;
using System.Text.RegularExpressions;

namespace Outpost.Tests.EndToEnd;

/// <summary>The readers of the event API that docs/feed-readers.md shows, as they stand there.</summary>
public sealed class Readers
{
    [Theory]
    [InlineData("shell", "sh")]
    [InlineData("javascript", "node")]
    public async Task The_reader_of_the_docs_goes_on_where_it_was_killed_and_stops_where_it_must_not_go_on(string example, string program)
    {
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync();
        using var folder = new Folder();
        var position = Path.Combine(folder.Path, "position");
        var script = Path.Combine(folder.Path, "reader.mjs");
        await File.WriteAllTextAsync(script, Example(example).Match(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "feed-readers.md"))).Groups["script"].Value);
        var log = JsonDocument.Parse(await app.Http.GetStringAsync("/api/partitions")).RootElement.GetProperty("log").GetString()!;
        ChildProcess Start() => ChildProcess.Start(program, [script], new Dictionary<string, string>
        {
            ["API"] = app.Http.BaseAddress!.ToString().TrimEnd('/'),
            ["POSITION"] = position,
            ["PAUSE"] = "1",
        });
        async Task<int> StoppedAtAsync(string stored, string why)
        {
            await File.WriteAllTextAsync(position, stored + "\n");
            await using var stopped = Start();
            var exitCode = await stopped.ExitAsync();
            Assert.Contains(why, stopped.Output, StringComparison.Ordinal);
            Assert.Equal(stored, (await File.ReadAllTextAsync(position)).Trim());
            return exitCode;
        }

        for (var i = 0; i < 3; i++) await app.PlaceAsync($"o-{i}");
        var first = Start();
        await using (first) await StoredAsync(position, $"{log} 3", first);
        await app.PlaceAsync("o-3");
        var second = Start();
        await using (second)
        {
            await StoredAsync(position, $"{log} 4", second);
            // While it waits.
            await app.PlaceAsync("o-4");
            await StoredAsync(position, $"{log} 5", second);
        }

        Assert.Equal([0, 1, 2], Offsets(first.Output, log));
        Assert.Equal([3, 4], Offsets(second.Output, log));
        Assert.NotEqual(0, await StoppedAtAsync($"{log} 9", "offset-beyond-head"));
        Assert.NotEqual(0, await StoppedAtAsync("zzzzzzzz 2", "another log"));
    }

    private static async Task StoredAsync(string path, string position, ChildProcess reader)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!File.Exists(path) || (await File.ReadAllTextAsync(path, CancellationToken.None)).Trim() != position)
        {
            Assert.False(patience.IsCancellationRequested, reader.Output);
            await Task.Delay(50, CancellationToken.None);
        }
    }

    private static IEnumerable<long> Offsets(string output, string log) => Regex.Matches(output, log + "-0000-([0-9]{19})")
        .Select(id => long.Parse(id.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture));

    private static Regex Example(string name) => new($"<!-- example: {name} -->\n```[a-z]+\n(?<script>.*?)```", RegexOptions.Singleline);

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("outpost-reader-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
