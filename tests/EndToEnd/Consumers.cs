using System.Text.RegularExpressions;
using Outpost.Forwarding;
using Outpost.Tests.Testing;

namespace Outpost.Tests.EndToEnd;

/// <summary>The consumer that docs/consumers.md shows, as it stands there.</summary>
public sealed partial class Consumers
{
    [Fact]
    public async Task The_session_consumer_of_the_docs_handles_each_event_once_and_in_order_although_all_of_it_comes_twice()
    {
        const int Orders = 20;
        var topic = await ServiceBusEmulator.NewTopicAsync(duplicateDetection: false);
        await using var log = await TestLog.CreateAsync();
        for (var i = 0; i < Orders; i++)
        {
            await log.PlaceAsync($"o-{i}");
            await log.PayAsync($"o-{i}");
        }

        await using var target = await TestLog.ServiceBusTargetAsync(topic);
        // Two forwarders: the same messages, and no duplicate detection to drop them.
        await using var engine = log.Engine([new Forwarder("one", target), new Forwarder("two", target)]);
        await engine.RunAsync(CancellationToken.None);

        var handled = await ConsumeAsync(topic);
        await log.CancelAsync("o-3");
        await engine.RunAsync(CancellationToken.None);
        var later = await ConsumeAsync(topic);

        Assert.Equal(2 * Orders, handled.Count);
        Assert.Equal(2 * Orders, handled.DistinctBy(line => line.Id).Count());
        var entries = (await log.ReadAllAsync()).ToDictionary(entry => entry.Id.ToString());
        Assert.All(
            handled.GroupBy(line => entries[line.Id].Subject),
            order => Assert.Equal(["OrderPlaced", "OrderPaid"], order.Select(line => line.Type)));
        // A second run goes on where the session's own state says.
        Assert.Equal("OrderCancelled", Assert.Single(later).Type);
    }

    private static async Task<List<(string Id, string Type)>> ConsumeAsync(string topic)
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "consumers.md"));
        // Below the tests' folder, where Node finds the official client.
        var script = Path.Combine(AppContext.BaseDirectory, $"consumer-{topic}.mjs");
        await File.WriteAllTextAsync(script, Example().Match(page).Groups["script"].Value);
        var (exitCode, output) = await ChildProcess.RunAsync("node", [script], new Dictionary<string, string>
        {
            ["ServiceBus"] = await ServiceBusEmulator.ConnectionStringAsync(),
            ["TOPIC"] = topic,
        });
        Assert.True(exitCode == 0, output);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).Select(words => (words[0], words[1]))];
    }

    [GeneratedRegex("<!-- example: consumer -->\n```js\n(?<script>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
