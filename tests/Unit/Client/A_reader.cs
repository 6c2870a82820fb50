using System.Net;
using System.Text;
using System.Text.Json;
using Outpost.Client;
using Outpost.Tests.Unit.LocalHost;
using static Outpost.Tests.Unit.Client.ScriptedFeed;

namespace Outpost.Tests.Unit.Client;

public sealed class A_reader
{
    [Fact]
    public async Task Handles_page_after_page_and_asks_for_what_comes_next()
    {
        using var feed = new ScriptedFeed(Page(0, 3), Page(3, 2)) { Options = new() { Limit = 3, Wait = TimeSpan.FromSeconds(5) } };

        await feed.ReadAsync();

        Assert.Equal([0, 1, 2, 3, 4], feed.Handled);
        Assert.Equal(
            ["?partition=0&offset=0&limit=3&wait=5", "?partition=0&offset=3&limit=3&wait=5", "?partition=0&offset=5&limit=3&wait=5"], feed.Asked);
        Assert.Equal(Position(5), await feed.Store.LoadAsync(0, CancellationToken.None));
        Assert.Empty(feed.Faults);
    }

    [Fact]
    public async Task Gives_entries_with_all_they_have()
    {
        using var feed = new ScriptedFeed(Page(
            [
                Entry(0, payload: "\"payload\":{\"step\": \"grün\"},\"traceparent\":\"00-a-b-01\",\"correlationId\":\"c\",\"novel\":[]"),
                Entry(1, contentType: "text/plain; charset=utf-8", payload: "\"payload\":\"gr\\u00fcn\""),
                Entry(2, contentType: "application/octet-stream", payload: "\"payloadBase64\":\"/wE=\""),
                Entry(3, contentType: "application/vnd.x+json", payload: "\"payload\":\"text\""),
                Entry(4, payload: $"\"payload\":{new string('[', 200)}{new string(']', 200)}"),
            ],
            next: 5));

        await feed.ReadAsync();

        var entries = feed.Entries.ToList();
        Assert.Equal(
            (Position(0), "k3v9x2ab-0000-0000000000000000000", "Counted", "tally/a", 1L, "application/json", "00-a-b-01", "c"),
            (entries[0].Position, entries[0].Id, entries[0].Type, entries[0].Subject, entries[0].Version, entries[0].ContentType, entries[0].TraceParent, entries[0].CorrelationId));
        Assert.Equal(DateTimeOffset.Parse("2026-11-22T08:00:00.1234567Z", System.Globalization.CultureInfo.InvariantCulture), entries[0].Timestamp);
        Assert.Equal("grün", entries[0].PayloadJson.GetProperty("step").GetString());
        Assert.Equal("grün", entries[0].Payload(TallyJson.Default.Counted)!.Step);
        Assert.Equal("grün", entries[0].Payload<Counted>()!.Step);
        Assert.Null(entries[1].TraceParent);
        Assert.Equal("grün", Encoding.UTF8.GetString(entries[1].PayloadBytes.Span));
        Assert.ThrowsAny<JsonException>(() => entries[1].PayloadJson);
        Assert.Equal([0xFF, 1], entries[2].PayloadBytes.ToArray());
        Assert.Equal("\"text\"", Encoding.UTF8.GetString(entries[3].PayloadBytes.Span));
        Assert.Equal(400, entries[4].PayloadBytes.Length);
    }

    [Theory]
    [InlineData(false, 4)]
    [InlineData(true, 9)]
    public async Task Starts_where_it_is_told_and_remembers_that_before_it_reads(bool startsAtHead, long offset)
    {
        using var feed = new ScriptedFeed { Options = new() { StartsAtHead = startsAtHead }, Partitions = () => PartitionList(1, oldest: 4, head: 9) };

        await feed.ReadAsync();

        Assert.Equal([offset], feed.AskedOffsets);
        Assert.Equal(Position(offset), await feed.Store.LoadAsync(0, CancellationToken.None));
    }

    // The server reads every partition for an answer: one each would be 65,536 queries.
    [Fact]
    public async Task Of_256_partitions_asks_once_where_they_begin()
    {
        var lists = 0;
        var store = new StoreThatTells(256);
        using var feed = new ScriptedFeed
        {
            Time = TimeProvider.System,
            Store = store,
            Partitions = () =>
            {
                Interlocked.Increment(ref lists);
                return PartitionList(256, oldest: 4);
            },
        };

        var run = feed.RunAsync();
        await store.Full.WaitAsync(TimeSpan.FromSeconds(30));
        feed.Stop();
        await run;

        Assert.Equal(1, lists);
        for (var partition = 0; partition < 256; partition++)
            Assert.Equal(4, (await store.LoadAsync(partition, CancellationToken.None))?.Offset);
    }

    [Fact]
    public async Task Goes_on_from_what_is_stored()
    {
        using var feed = new ScriptedFeed(Page(7, 1));
        await feed.Store.StoreAsync(Position(7), CancellationToken.None);

        await feed.ReadAsync();

        Assert.Equal([7], feed.Handled);
    }

    [Fact]
    public async Task Asks_for_types_and_moves_past_the_others()
    {
        using var feed = new ScriptedFeed(Page([Entry(2), Entry(5)], next: 9), Page([], next: 5_009), Page([Entry(5_010)], next: 5_011))
        {
            Options = new() { Types = ["Counted", "a b"] },
        };

        await feed.ReadAsync();

        Assert.Equal([2, 5, 5_010], feed.Handled);
        Assert.Equal([0, 9, 5_009, 5_011], feed.AskedOffsets);
        Assert.EndsWith("&types=Counted%2Ca%20b", feed.Asked[0], StringComparison.Ordinal);
        Assert.Equal(Position(5_011), await feed.Store.LoadAsync(0, CancellationToken.None));
    }

    [Fact]
    public async Task Reads_all_partitions_side_by_side()
    {
        using var feed = new ScriptedFeed { Partitions = () => PartitionList(3) };
        var run = feed.RunAsync();
        while (feed.Asked.Count < 3) await Task.Yield();
        feed.Stop();
        await run;

        Assert.Equal(["0", "1", "2"], feed.Asked.Select(query => query.Split('=', '&')[1]).Order());
    }

    [Fact]
    public async Task Begins_with_partitions_that_it_hears_of_later()
    {
        var time = new ManualTime(new DateTime(2026, 11, 22));
        using var feed = new ScriptedFeed { Time = time, Options = new() { Wait = TimeSpan.FromSeconds(25), RequestTimeout = TimeSpan.FromHours(1) } };
        var run = feed.RunAsync();
        await feed.Done;
        feed.Partitions = () => PartitionList(2, head: 77);
        await time.WaitForWaiter(TimeSpan.FromMinutes(1));
        time.Advance(TimeSpan.FromMinutes(1));
        while (feed.Asked.Count < 2) await Task.Yield();
        feed.Stop();
        await run;

        Assert.Equal(["0", "1"], feed.Asked.Select(query => query.Split('=', '&')[1]).Order());
        Assert.Equal([77L, 77L], feed.Reader.Progress.Select(progress => progress.Head));
    }

    [Fact]
    public async Task Says_how_far_it_is()
    {
        using var feed = new ScriptedFeed(Page(0, 3), Page(3, 2, head: 12), Problem(HttpStatusCode.ServiceUnavailable, "overload"));

        await feed.ReadAsync();

        var progress = Assert.Single(feed.Reader.Progress);
        Assert.Equal((0, Position(5), 12L, 7L), (progress.Partition, progress.Position, progress.Head, progress.Lag));
        Assert.Contains("the detail", progress.LastError!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Does_not_poll_faster_than_asked()
    {
        var time = new ManualTime(new DateTime(2026, 11, 22));
        using var feed = new ScriptedFeed(Page(0, 0), Page(0, 1))
        {
            Time = time,
            Options = new() { Wait = TimeSpan.Zero, PollInterval = TimeSpan.FromSeconds(7) },
        };
        var run = feed.RunAsync();

        Assert.Equal(TimeSpan.FromSeconds(7), await time.WaitForWaiter(TimeSpan.FromSeconds(8)));
        Assert.Single(feed.Asked);
        time.Advance(TimeSpan.FromSeconds(7));
        await feed.Done;
        feed.Stop();
        await run;
        Assert.Equal([0], feed.Handled);
    }

    [Fact]
    public async Task Waits_as_an_empty_page_asks_for_when_the_server_has_no_room_for_one_more_who_waits()
    {
        var time = new ManualTime(new DateTime(2026, 11, 22));
        var full = () =>
        {
            var response = Page(0, 0)();
            response.Headers.Add("Retry-After", "3");
            return response;
        };
        using var feed = new ScriptedFeed(full) { Time = time };
        var run = feed.RunAsync();

        Assert.Equal(TimeSpan.FromSeconds(3), await time.WaitForWaiter(TimeSpan.FromSeconds(5)));
        feed.Stop();
        await run;
    }

    [Fact]
    public async Task Runs_only_once_at_a_time()
    {
        using var feed = new ScriptedFeed();
        var run = feed.RunAsync();
        await feed.Done;

        await Assert.ThrowsAsync<InvalidOperationException>(() => feed.Reader.RunAsync(feed.Store, feed.Handle, CancellationToken.None));

        feed.Stop();
        await run;
    }

    public static TheoryData<string, FeedReaderOptions> Bad => new()
    {
        { "Limit", new() { Limit = 0 } },
        { "Limit", new() { Limit = 1001 } },
        { "Wait", new() { Wait = TimeSpan.FromSeconds(26) } },
        { "Wait", new() { Wait = TimeSpan.FromMilliseconds(1500) } },
        { "PollInterval", new() { Wait = TimeSpan.Zero } },
        { "RequestTimeout", new() { RequestTimeout = TimeSpan.Zero } },
        { "Types", new() { Types = ["A,B"] } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task Refuses_options_that_are_not_allowed(string option, FeedReaderOptions options)
    {
        using var feed = new ScriptedFeed { Options = options };

        Assert.Equal(option, (await Assert.ThrowsAsync<ArgumentException>(feed.RunAsync)).ParamName);
    }

    private sealed class StoreThatTells(int partitions) : IOffsetStore
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<int, FeedPosition> _positions = new();
        private readonly TaskCompletionSource _full = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Full => _full.Task;

        public Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken) =>
            Task.FromResult(_positions.GetValueOrDefault(partition));

        public Task StoreAsync(FeedPosition position, CancellationToken cancellationToken)
        {
            _positions[position.Partition] = position;
            if (_positions.Count == partitions) _full.TrySetResult();
            return Task.CompletedTask;
        }
    }
}
