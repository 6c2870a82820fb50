using System.Text.Json;
using Azure.Data.Tables;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

/// <summary>CloudEvents batches by Accept, and HTTP Feeds at a path of its own.</summary>
public sealed class Feeds_for_any_client
{
    private const string Batch = "application/cloudevents-batch+json";

    [Theory]
    [InlineData(null, false)]
    [InlineData("*/*", false)]
    [InlineData(Batch, true)]
    [InlineData("application/json, " + Batch, true)]
    [InlineData("application/json, " + Batch + ";q=0.5", false)]
    [InlineData(Batch + ";q=0", false)]
    [InlineData(Batch + ";q=0.5, */*", false)]
    [InlineData(Batch + ";q=0.5, application/*", false)]
    [InlineData(Batch + ";q=0.5, application/*;q=0.2, */*", true)]
    [InlineData(Batch + ";q=0.5, application/json;q=0.2, */*", true)]
    [InlineData(Batch + ", */*", true)]
    [InlineData(Batch + ", */*;q=0.8", true)]
    [InlineData("nonsense", false)]
    public async Task Give_CloudEvents_to_whoever_asks_for_them(string? accept, bool isBatch)
    {
        await using var log = await WithAsync(2);

        var answer = await AnswerAsync(
            Request("/api/events?offset=0&limit=10", accept is null ? [] : [("Accept", accept)]), ask => Api(log).ReadAsync(ask, CancellationToken.None));

        Assert.Equal((200, isBatch ? Batch : "application/json", "Accept"), (answer.Status, answer["Content-Type"], answer["Vary"]));
        Assert.Equal(isBatch, answer.Json[0].TryGetProperty("specversion", out _));
    }

    [Fact]
    public async Task Write_an_entry_as_the_specification_says()
    {
        await using var log = await WithAsync(1);
        await log.DoAsync(Tallies.Count("b", "s") with
        {
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            Decide = _ => new Decision<Tally>.Accepted(new Tally(1, []), [new NewEvent("Measured", "image/png", new byte[] { 1, 2 }), new NewEvent("Noted", "text/plain", "hi"u8.ToArray())]),
        });
        var id = new EventId((await log.Store.LayoutAsync(CancellationToken.None)).Log, 0, 1).ToString();

        var answer = await AnswerAsync(Request("/api/feed"), ask => Api(log).FeedAsync(ask, null, CancellationToken.None));

        var (json, binary, text) = (answer.Json[0], answer.Json[1], answer.Json[2]);
        Assert.Equal(JsonValueKind.Object, json.GetProperty("data").ValueKind);
        Assert.Equal(
            ("1.0", id, "/outpost", "Measured", "tally/b", "image/png", "0000000000000000001", "0000", "AQI="),
            (Text(binary, "specversion"), Text(binary, "id"), Text(binary, "source"), Text(binary, "type"), Text(binary, "subject"), Text(binary, "datacontenttype"),
                Text(binary, "sequence"), Text(binary, "partitionkey"), Text(binary, "data_base64")));
        Assert.False(binary.TryGetProperty("data", out _));
        Assert.Equal("hi", Text(text, "data"));
        Assert.StartsWith("00-0af7651916cd43dd", Text(binary, "traceparent"), StringComparison.Ordinal);
        // Attribute names are lower-case letters and digits.
        Assert.All(binary.EnumerateObject().Where(member => member.Name != "data_base64"), member => Assert.Matches("^[a-z0-9]{1,20}$", member.Name));
    }

    [Theory]
    [InlineData("/api/feed", 0)]
    [InlineData("/api/feed?lastEventId=", 0)]
    [InlineData("/api/feed?lastEventId=null", 0)]
    [InlineData("/api/feed?lastEventId={0}", 1)]
    [InlineData("/api/feed?lastEventId={4}", 5)]
    public async Task Go_on_after_the_last_id(string target, int first)
    {
        await using var log = await WithAsync(5);

        var answer = await FeedAsync(log, target);

        Assert.Equal((200, Batch), (answer.Status, answer["Content-Type"]));
        Assert.Equal(Enumerable.Range(first, 5 - first), answer.Json.EnumerateArray().Select(each => int.Parse(Text(each, "sequence"), System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Are_read_to_the_end_in_pages_and_each_page_names_the_next()
    {
        await using var log = await WithAsync(250);

        var first = await FeedAsync(log, "/api/feed?lastEventId={0}");
        var last = Text(first.Json[99], "id");

        Assert.Equal(100, first.Json.GetArrayLength());
        Assert.Equal($"<?lastEventId={last}>; rel=\"next\"", first["Link"]);
        Assert.Contains("immutable", first["Cache-Control"], StringComparison.Ordinal);
        Assert.Equal(100, (await FeedAsync(log, $"/api/feed?lastEventId={last}")).Json.GetArrayLength());
    }

    [Fact]
    public async Task Wait_for_as_long_as_they_are_asked_to()
    {
        await using var log = await WithAsync(1);
        var start = log.Time.GetTimestamp();

        var answer = await FeedAsync(log, "/api/feed?lastEventId={0}&timeout=5000");

        Assert.Equal((200, "[]"), (answer.Status, answer.Text));
        Assert.True(log.Time.GetElapsedTime(start) >= TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("/api/feed?lastEventId=17", 400, "invalid-request")]
    [InlineData("/api/feed?lastEventId=zzzzzzz0-0000-0000000000000000000", 404, "other-log")]
    [InlineData("/api/feed?lastEventId={9}", 400, "offset-beyond-head")]
    [InlineData("/api/feed?timeout=-1", 400, "invalid-request")]
    [InlineData("/api/feed?limit=5", 400, "invalid-request")]
    public async Task Never_begin_again_because_of_an_id_they_do_not_know(string target, int status, string name)
    {
        await using var log = await WithAsync(2);

        var answer = await FeedAsync(log, target);

        Assert.Equal((status, name), (answer.Status, answer.ProblemName));
    }

    [Fact]
    public async Task Go_on_after_an_entry_that_is_deleted_unless_others_behind_it_are_too()
    {
        await using var writer = await WithAsync(5);
        await using var log = writer.AnotherProcess();
        log.Table.Put(new TableEntity("0000", "!oldest") { ["Offset"] = 2L });
        for (var offset = 0; offset < 2; offset++) log.Table.Remove("0000", $"e|{offset:D19}");

        var (next, gone) = (await FeedAsync(log, "/api/feed?lastEventId={1}"), await FeedAsync(log, "/api/feed?lastEventId={0}"));

        Assert.Equal((200, 3, "0000000000000000002"), (next.Status, next.Json.GetArrayLength(), Text(next.Json[0], "sequence")));
        Assert.Equal((410, "offset-expired", 2), (gone.Status, gone.ProblemName, gone.Json.GetProperty("oldestOffset").GetInt32()));
    }

    [Theory]
    [InlineData(null, 400)]
    [InlineData("1", 200)]
    [InlineData("2", 404)]
    [InlineData("x", 404)]
    public async Task Are_of_one_partition(string? partition, int status)
    {
        await using var log = new SimulatedLog(partitions: 2);

        var answer = await AnswerAsync(Request("/api/feed"), ask => Api(log).FeedAsync(ask, partition, CancellationToken.None));

        Assert.Equal(status, answer.Status);
    }

    private static async Task<Answer> FeedAsync(SimulatedLog log, string target)
    {
        var name = (await log.Store.LayoutAsync(CancellationToken.None)).Log;
        for (var offset = 0; offset < 10; offset++)
            target = target.Replace($"{{{offset}}}", new EventId(name, 0, offset).ToString(), StringComparison.Ordinal);
        return await AnswerAsync(Request(target), ask => Api(log).FeedAsync(ask, null, CancellationToken.None));
    }

    private static EventApi Api(SimulatedLog log) => new(log.Store, log.Watch, new EventApiOptions(TimeSpan.FromDays(1)));

    private static async Task<SimulatedLog> WithAsync(int entries)
    {
        var log = new SimulatedLog();
        for (var i = 0; i < entries; i++) await log.DoAsync(Tallies.Count($"t{i}", $"s{i}"));
        return log;
    }

    private static string Text(JsonElement entry, string name) => entry.GetProperty(name).GetString()!;
}
