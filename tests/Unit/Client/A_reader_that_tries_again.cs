using System.Net;
using System.Net.Http.Headers;
using Outpost.Client;
using Outpost.Tests.Unit.LocalHost;
using static Outpost.Tests.Unit.Client.ScriptedFeed;

namespace Outpost.Tests.Unit.Client;

/// <summary>What may pass by itself is tried again for as long as it takes, and nothing is skipped.</summary>
public sealed class A_reader_that_tries_again
{
    public static TheoryData<string, Func<HttpResponseMessage>> Faults => new()
    {
        { "overload", Problem(HttpStatusCode.ServiceUnavailable, "overload") },
        { "too many requests", () => new HttpResponseMessage(HttpStatusCode.TooManyRequests) },
        { "a fault of the server", () => new HttpResponseMessage(HttpStatusCode.InternalServerError) },
        { "a gateway", () => new HttpResponseMessage(HttpStatusCode.BadGateway) },
        { "408", () => new HttpResponseMessage(HttpStatusCode.RequestTimeout) },
        { "no connection", () => throw new HttpRequestException("refused") },
        { "a connection that breaks in the body", () => new HttpResponseMessage { Content = new StreamContent(new Breaking()) } },
        { "a time-out of the HttpClient", () => throw new TaskCanceledException("late", new TimeoutException()) },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Reads_the_same_page_again_after(string why, Func<HttpResponseMessage> fault)
    {
        using var feed = new ScriptedFeed(Page(0, 2), fault, fault, fault, Page(2, 1));

        await feed.ReadAsync();

        Assert.Equal([0, 1, 2], feed.Handled);
        Assert.Equal([0, 2, 2, 2, 2, 3], feed.AskedOffsets);
        Assert.Equal((why, "1 2 3"), (why, string.Join(' ', feed.Faults.Select(f => f.Failures))));
        Assert.Null(Assert.Single(feed.Reader.Progress).LastError);
    }

    [Fact]
    public async Task Asks_for_the_partitions_until_it_gets_them()
    {
        using var feed = new ScriptedFeed(Page(0, 1));
        var failures = 3;
        feed.Partitions = () => failures-- > 0 ? throw new HttpRequestException("not up yet") : PartitionList(1);

        await feed.ReadAsync();

        Assert.Equal([0], feed.Handled);
        Assert.Equal([null, null, null], feed.Faults.Select(fault => fault.Partition));
    }

    [Theory]
    [InlineData("50", 50)]
    [InlineData("86400", 300)]
    [InlineData("date", 40)]
    public async Task Comes_back_no_sooner_than_the_server_asks_for(string retryAfter, int seconds)
    {
        var time = new ManualTime(new DateTime(2026, 11, 22));
        var busy = () =>
        {
            var response = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
            response.Headers.RetryAfter = retryAfter == "date"
                ? new RetryConditionHeaderValue(time.GetUtcNow().AddSeconds(40))
                : RetryConditionHeaderValue.Parse(retryAfter);
            return response;
        };
        using var feed = new ScriptedFeed(busy, Page(0, 1)) { Time = time };
        var run = feed.RunAsync();
        while (feed.Faults.IsEmpty) await Task.Yield();

        Assert.Equal(TimeSpan.FromSeconds(seconds), Assert.Single(feed.Faults).RetryIn);
        feed.Stop();
        await run;
    }

    [Fact]
    public async Task Gives_up_a_request_that_takes_longer_than_the_wait_and_its_time_out()
    {
        var time = new ManualTime(new DateTime(2026, 11, 22));
        using var feed = new ScriptedFeed
        {
            Time = time,
            Options = new() { Wait = TimeSpan.FromSeconds(20), RequestTimeout = TimeSpan.FromSeconds(15) },
        };
        var run = feed.RunAsync();
        await feed.Done;

        Assert.Equal(TimeSpan.FromSeconds(35), await time.WaitForWaiter(TimeSpan.FromSeconds(40)));
        time.Advance(TimeSpan.FromSeconds(35));
        while (feed.Faults.IsEmpty) await Task.Yield();
        feed.Stop();
        await run;
        Assert.Contains("35 s", Assert.Single(feed.Faults).Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gives_a_handler_the_same_entry_until_it_is_handled()
    {
        using var feed = new ScriptedFeed(Page(0, 3), Page(1, 2), Page(1, 2), Page(1, 2));
        var failures = 3;
        feed.Handle = (entry, _) => entry.Offset == 1 && failures-- > 0 ? throw new InvalidOperationException("not now") : Task.CompletedTask;

        await feed.ReadAsync();

        // What was handled before it is stored, and does not come again.
        Assert.Equal([0, 1, 1, 1, 1, 2], feed.Handled);
        Assert.Equal([0, 1, 1, 1, 3], feed.AskedOffsets);
        Assert.Equal(["not now", "not now", "not now"], feed.Faults.Select(fault => fault.Error.Message));
    }

    [Theory]
    [InlineData(true, "0 1 1 2", "0 1 2 3")]
    [InlineData(false, "0 1 2 0 1 2", "0 3")]
    public async Task Repeats_what_was_handled_and_not_stored(bool eachEntry, string handled, string stored)
    {
        var store = new FailingStore { FailAt = eachEntry ? [3, 4] : [2] };
        using var feed = new ScriptedFeed(Page(0, 3), Page(eachEntry ? 1 : 0, eachEntry ? 2 : 3))
        {
            Store = store,
            Options = new() { StoreEachEntry = eachEntry },
        };

        await feed.ReadAsync();

        Assert.Equal(handled, string.Join(' ', feed.Handled));
        Assert.Equal(stored, string.Join(' ', store.Stored));
        Assert.Single(feed.Faults);
    }

    [Fact]
    public async Task Tells_of_both_where_a_handler_fails_and_so_does_the_store()
    {
        var store = new FailingStore { FailAt = [2] };
        using var feed = new ScriptedFeed(Page(0, 2), Page(0, 2)) { Store = store };
        var failures = 1;
        feed.Handle = (entry, _) => entry.Offset == 1 && failures-- > 0 ? throw new InvalidOperationException("not now") : Task.CompletedTask;

        await feed.ReadAsync();

        Assert.Equal([0, 1, 0, 1], feed.Handled);
        var both = Assert.IsType<AggregateException>(Assert.Single(feed.Faults).Error);
        Assert.Equal(["not now", "the store is down"], both.InnerExceptions.Select(e => e.Message));
    }

    [Fact]
    public async Task Stores_only_after_the_effect()
    {
        using var feed = new ScriptedFeed(Page(0, 2), Page(2, 1));
        var stored = new List<long?>();
        feed.Handle = async (_, cancellationToken) => stored.Add((await feed.Store.LoadAsync(0, cancellationToken))?.Offset);

        await feed.ReadAsync();

        Assert.Equal([0, 0, 2], stored);
    }

    [Fact]
    public async Task Stops_in_the_middle_of_a_page_and_stores_what_was_handled()
    {
        using var feed = new ScriptedFeed(Page(0, 3));
        feed.Handle = (entry, _) =>
        {
            if (entry.Offset == 1) feed.Stop();
            return Task.CompletedTask;
        };

        await feed.RunAsync();

        Assert.Equal([0, 1], feed.Handled);
        Assert.Equal(Position(2), await feed.Store.LoadAsync(0, CancellationToken.None));
        Assert.Empty(feed.Faults);
    }

    [Fact]
    public async Task Stops_while_a_handler_waits()
    {
        using var feed = new ScriptedFeed(Page(0, 3));
        feed.Handle = async (entry, cancellationToken) =>
        {
            if (entry.Offset < 1) return;
            feed.Stop();
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        };

        await feed.RunAsync();

        Assert.Equal(Position(1), await feed.Store.LoadAsync(0, CancellationToken.None));
        Assert.Empty(feed.Faults);
    }

    [Fact]
    public void Waits_longer_with_each_failure_up_to_half_a_minute_and_less_by_up_to_a_half_at_random()
    {
        Assert.Equal([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30], Enumerable.Range(1, 10).Select(n => Backoff.After(n, null, 0).TotalSeconds));
        Assert.Equal(30, Backoff.After(int.MaxValue, null, 0).TotalSeconds);
        Assert.Equal(0.4, Backoff.After(3, null, 1).TotalSeconds);
        Assert.Equal(2, Backoff.After(1, TimeSpan.FromSeconds(2), 0.5).TotalSeconds);
        Assert.Equal(0.2, Backoff.After(1, TimeSpan.FromSeconds(-2), 0).TotalSeconds);
    }

    /// <summary>Remembers what was stored; one call of it fails before its effect.</summary>
    private sealed class FailingStore : IOffsetStore
    {
        private readonly MemoryOffsetStore _inner = new();
        private int _calls;

        public required IReadOnlyList<int> FailAt { get; init; }

        public List<long> Stored { get; } = [];

        public Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken) => _inner.LoadAsync(partition, cancellationToken);

        public async Task StoreAsync(FeedPosition position, CancellationToken cancellationToken)
        {
            if (FailAt.Contains(++_calls)) throw new IOException("the store is down");
            await _inner.StoreAsync(position, cancellationToken);
            Stored.Add(position.Offset);
        }
    }

    private sealed class Breaking : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromException<int>(new IOException("reset"));
    }
}
