using System.Net;
using Outpost.Client;
using Outpost.Tests.Unit.LocalHost;
using static Outpost.Tests.Unit.Client.ScriptedFeed;

namespace Outpost.Tests.Unit.Client;

/// <summary>What would make it skip something, or cannot pass by itself, stops it: with nothing of that page handled or stored.</summary>
public sealed class A_reader_that_must_not_go_on
{
    public static TheoryData<string, FeedFailure, Func<HttpResponseMessage>> Pages => new()
    {
        { "begins late", FeedFailure.Hole, Page(3, 2) },
        { "leaves one out", FeedFailure.Hole, Page([Entry(2), Entry(4)], 5) },
        { "leaves the last ones out", FeedFailure.Hole, Page(2, 2, next: 6) },
        { "has nothing and moves on", FeedFailure.Hole, Page(2, 0, next: 3) },
        { "begins before what was asked for", FeedFailure.InvalidAnswer, Page(1, 3) },
        { "has one twice", FeedFailure.InvalidAnswer, Page([Entry(2), Entry(2)], 4) },
        { "is out of order", FeedFailure.InvalidAnswer, Page([Entry(2), Entry(1)], 4) },
        { "would have its last entry asked for again", FeedFailure.InvalidAnswer, Page(2, 2, next: 3) },
        { "would lead back", FeedFailure.InvalidAnswer, Page(2, 0, next: 1) },
        { "is of another partition", FeedFailure.InvalidAnswer, Page([Entry(2, partition: 1)], 3) },
        { "has an id of another place", FeedFailure.InvalidAnswer, Page([Entry(2).Replace("\"offset\":2", "\"offset\":3", StringComparison.Ordinal)], 3) },
        { "is of another log", FeedFailure.OtherLog, Page([Entry(2, log: "zzzzzzzz")], 3) },
        { "is empty and of another log", FeedFailure.OtherLog, Page([], 2, log: "zzzzzzzz") },
        { "is no JSON", FeedFailure.InvalidAnswer, With(Page(2, 0), "<html>") },
        { "is no array", FeedFailure.InvalidAnswer, With(Page(2, 0), "{}") },
        { "is cut off", FeedFailure.InvalidAnswer, With(Page(2, 0), "[" + Entry(2)) },
        { "lacks a member", FeedFailure.InvalidAnswer, Page([Entry(2).Replace("subject", "sub", StringComparison.Ordinal)], 3) },
        { "lacks its payload", FeedFailure.InvalidAnswer, Page([Entry(2, payload: "\"p\":0")], 3) },
        { "has no Next-Offset", FeedFailure.InvalidAnswer, Without(Page(2, 1), "Next-Offset") },
        { "has no ETag", FeedFailure.InvalidAnswer, Without(Page(2, 1), "ETag") },
        { "never ends", FeedFailure.InvalidAnswer, () => new HttpResponseMessage { Content = new StreamContent(new Endless()) } },
        { "was deleted", FeedFailure.Expired, Problem(HttpStatusCode.Gone, "offset-expired", ",\"oldestOffset\":40,\"headOffset\":50") },
        { "is beyond the head", FeedFailure.BeyondHead, Problem(HttpStatusCode.BadRequest, "offset-beyond-head", ",\"headOffset\":1") },
        { "is refused as wrong", FeedFailure.Refused, Problem(HttpStatusCode.BadRequest, "invalid-request") },
        { "needs a key", FeedFailure.Refused, () => new HttpResponseMessage(HttpStatusCode.Unauthorized) },
        { "is forbidden", FeedFailure.Refused, Problem(HttpStatusCode.Forbidden, "forbidden", ",\"type\":7") },
        { "is gone for another reason", FeedFailure.Refused, () => new HttpResponseMessage(HttpStatusCode.Gone) },
        { "is elsewhere", FeedFailure.Refused, () => new HttpResponseMessage(HttpStatusCode.Found) },
    };

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Stops_at_a_page_that(string why, FeedFailure failure, Func<HttpResponseMessage> page)
    {
        using var feed = new ScriptedFeed(Page(0, 2), page);

        var stopped = await feed.FailAsync();

        Assert.Equal((failure, Position(2), why), (stopped.Failure, stopped.Position ?? Position(2), why));
        Assert.Equal([0, 1], feed.Handled);
        Assert.Equal(Position(2), await feed.Store.LoadAsync(0, CancellationToken.None));
        Assert.Same(stopped, Assert.Single(feed.Reader.Progress).LastError);
        Assert.Empty(feed.Faults);
    }

    [Theory]
    [InlineData("leads back behind its last entry", 4)]
    [InlineData("leads back behind what was asked for", 1)]
    public async Task Stops_at_a_filtered_page_that(string why, long next)
    {
        using var feed = new ScriptedFeed(Page(0, 2), Page(next < 2 ? [] : [Entry(2), Entry(4)], next)) { Options = new() { Types = ["Counted"] } };

        Assert.Equal((FeedFailure.InvalidAnswer, why), ((await feed.FailAsync()).Failure, why));
        Assert.Equal([0, 1], feed.Handled);
    }

    [Fact]
    public async Task Stops_at_a_filtered_page_of_another_log_that_has_no_entry_to_tell_it_by()
    {
        using var feed = new ScriptedFeed(Page([], next: 5_000, log: "zzzzzzzz")) { Options = new() { Types = ["Counted"] } };

        Assert.Equal(FeedFailure.OtherLog, (await feed.FailAsync()).Failure);
        Assert.Equal(Position(0), await feed.Store.LoadAsync(0, CancellationToken.None));
    }

    [Fact]
    public async Task Says_what_is_needed_to_decide()
    {
        using var feed = new ScriptedFeed(Problem(HttpStatusCode.Gone, "offset-expired", ",\"oldestOffset\":40,\"headOffset\":50"));

        var stopped = await feed.FailAsync();

        Assert.Equal((LogId, 40L, 50L, HttpStatusCode.Gone), (stopped.Log, stopped.OldestOffset, stopped.HeadOffset, stopped.StatusCode));
        Assert.Contains("the detail", stopped.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Goes_on_after_somebody_has_decided_where()
    {
        using var before = new ScriptedFeed(Problem(HttpStatusCode.Gone, "offset-expired", ",\"oldestOffset\":40,\"headOffset\":50"));
        var stopped = await before.FailAsync();
        await before.Store.StoreAsync(stopped.Position! with { Offset = stopped.OldestOffset!.Value }, CancellationToken.None);

        using var feed = new ScriptedFeed(Page(40, 1)) { Store = before.Store };
        await feed.ReadAsync();

        Assert.Equal([40], feed.Handled);
    }

    [Fact]
    public async Task Stops_where_the_stored_position_is_of_another_log()
    {
        using var feed = new ScriptedFeed(Page(2, 1));
        await feed.Store.StoreAsync(new FeedPosition("zzzzzzzz", 0, 2), CancellationToken.None);

        var stopped = await feed.FailAsync();

        Assert.Equal((FeedFailure.OtherLog, LogId, 0), (stopped.Failure, stopped.Log, feed.Asked.Count));
    }

    [Fact]
    public async Task Stops_when_another_log_has_come_meanwhile()
    {
        var time = new ManualTime(new DateTime(2026, 11, 22));
        using var feed = new ScriptedFeed { Time = time, Options = new() { RequestTimeout = TimeSpan.FromHours(1) } };
        var run = feed.RunAsync();
        await feed.Done;
        feed.Partitions = () => PartitionList(1, log: "zzzzzzzz");
        await time.WaitForWaiter(TimeSpan.FromMinutes(1));
        time.Advance(TimeSpan.FromMinutes(1));

        var stopped = await Assert.ThrowsAsync<FeedException>(() => run);
        Assert.Equal((FeedFailure.OtherLog, "zzzzzzzz"), (stopped.Failure, stopped.Log));
    }

    [Fact]
    public async Task Stops_all_partitions_when_one_must_not_go_on()
    {
        using var feed = new ScriptedFeed(Page(7, 1)) { Partitions = () => PartitionList(5) };

        await Assert.ThrowsAsync<FeedException>(feed.RunAsync);
    }

    [Fact]
    public async Task Stops_when_it_may_not_even_ask_for_the_partitions()
    {
        using var feed = new ScriptedFeed { Partitions = () => new HttpResponseMessage(HttpStatusCode.Unauthorized) };

        Assert.Equal(HttpStatusCode.Unauthorized, (await feed.FailAsync()).StatusCode);
    }

    private static Func<HttpResponseMessage> With(Func<HttpResponseMessage> page, string body) => () =>
    {
        var response = page();
        response.Content = new StringContent(body);
        return response;
    };

    private static Func<HttpResponseMessage> Without(Func<HttpResponseMessage> page, string header) => () =>
    {
        var response = page();
        response.Headers.Remove(header);
        return response;
    };

    private sealed class Endless : MemoryStream
    {
        public override int Read(Span<byte> buffer) => buffer.Length;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(buffer.Length);
    }
}
