using System.Globalization;
using Azure.Data.Tables;
using Microsoft.AspNetCore.Http;
using Outpost.AspNetCore;
using Outpost.Tests.Unit.LocalHost;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class The_event_API
{
    private const string Final = "private, max-age=86400, immutable";
    private const string Live = "private, no-cache";

    [Fact]
    public async Task Gives_entries_in_their_documented_form()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1") with
        {
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            CorrelationId = "corr",
        });
        await log.DoAsync(Tallies.Count("a", "a2") with { Decide = Recording("text/plain", "grün \"1\""u8.ToArray()) });
        await log.DoAsync(Tallies.Count("a", "a3") with { Decide = Recording("application/octet-stream", [0xFF, 1]) });
        var name = (await log.Store.LayoutAsync(CancellationToken.None)).Log;

        var answer = await ReadAsync(log, "/api/events");

        Assert.Equal((200, "application/json"), (answer.Status, answer["Content-Type"]));
        Assert.Equal(
            [
                $$"""{"partition":0,"offset":0,"id":"{{name}}-0000-0000000000000000000","type":"Counted","contentType":"application/json","payload":{"step":"a1"},"timestamp":"2026-11-22T08:00:00.0000000Z","subject":"tally/a","version":1,"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","correlationId":"corr"}""",
                $$"""{"partition":0,"offset":1,"id":"{{name}}-0000-0000000000000000001","type":"Recorded","contentType":"text/plain","payload":"gr\u00FCn \u00221\u0022","timestamp":"2026-11-22T08:00:00.0000000Z","subject":"tally/a","version":2}""",
                $$"""{"partition":0,"offset":2,"id":"{{name}}-0000-0000000000000000002","type":"Recorded","contentType":"application/octet-stream","payloadBase64":"/wE=","timestamp":"2026-11-22T08:00:00.0000000Z","subject":"tally/a","version":3}""",
            ],
            answer.Json.EnumerateArray().Select(entry => entry.GetRawText()));
    }

    // Offset and limit, then what comes: entries, Next-Offset, whether it is final, whether there is more now.
    [Theory]
    [InlineData("", 7, 7, false, false, "all there is: the next entry makes it longer")]
    [InlineData("?offset=0&limit=3", 3, 3, true, true, "a full page with entries after it")]
    [InlineData("?offset=4&limit=2", 2, 6, true, true, "a full page with one entry after it")]
    [InlineData("?offset=4&limit=3", 3, 7, false, false, "a full page that ends at the head: nobody knows yet whether an entry comes after it")]
    [InlineData("?offset=5&limit=3", 2, 7, false, false, "a page that ends for want of entries")]
    [InlineData("?offset=7", 0, 7, false, false, "nothing at the head")]
    [InlineData("?offset=earliest&limit=3", 3, 3, false, true, "a full page whose offset is not a number")]
    [InlineData("?offset=latest", 0, 7, false, false, "nothing yet")]
    [InlineData("?offset=0&limit=3&partition=0", 3, 3, true, true, "the only partition by its number")]
    [InlineData("?offset=0&limit=3&code=x&clientId=y", 3, 3, true, true, "with the host's own parameters")]
    public async Task Gives_pages(string query, int count, long next, bool isFinal, bool more, string why)
    {
        await using var log = await WithAsync(7);

        var answer = await ReadAsync(log, $"/api/events{query}");

        Assert.Equal((200, count, next, why), (answer.Status, answer.Json.GetArrayLength(), answer.Next, why));
        Assert.Equal((isFinal ? Final : Live, "Accept", why), (answer["Cache-Control"], answer["Vary"], why));
        Assert.Equal(isFinal ? (null, null) : ("7", "0"), (answer["Outpost-Head"], answer["Outpost-Oldest"]));
        Assert.Equal((more, why), (answer["Link"] is not null, why));
        Assert.Matches("^\"[^\"]+\"$", answer["ETag"]!);
    }

    [Fact]
    public async Task Links_to_the_next_page_without_keys()
    {
        await using var log = await WithAsync(7);

        var link = (await ReadAsync(log, "/api/events?offset=0&limit=3&types=Counted,Other&code=secret&wait=5"))["Link"];

        Assert.Equal("<?partition=0&offset=3&limit=3&types=Counted%2COther>; rel=\"next\"", link!.Replace("Other%2CCounted", "Counted%2COther", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Gives_the_same_bytes_and_tag_for_a_final_page_on_every_instance_and_at_any_time()
    {
        await using var log = await WithAsync(7);
        await using var other = log.AnotherProcess();
        var first = await ReadAsync(log, "/api/events?offset=2&limit=3");
        await AddAsync(log, 5);

        var later = await ReadAsync(other, "/api/events?offset=2&limit=3");

        Assert.Equal((first.Text, first["ETag"], Final), (later.Text, later["ETag"], later["Cache-Control"]));
    }

    [Fact]
    public async Task Gives_another_tag_when_a_live_page_grows()
    {
        await using var log = await WithAsync(2);
        var first = await ReadAsync(log, "/api/events?offset=0");
        await AddAsync(log, 1);

        Assert.NotEqual(first["ETag"], (await ReadAsync(log, "/api/events?offset=0"))["ETag"]);
    }

    [Fact]
    public async Task Refuses_an_offset_beyond_the_head_with_the_head()
    {
        await using var log = await WithAsync(7);

        var answer = await ReadAsync(log, "/api/events?offset=8");

        Assert.Equal((400, "offset-beyond-head"), (answer.Status, answer.ProblemName));
        Assert.Equal(7, answer.Json.GetProperty("headOffset").GetInt64());
        Assert.Equal(400, (await ReadAsync(log, $"/api/events?offset={long.MaxValue}&limit=1000")).Status);
    }

    [Fact]
    public async Task Refuses_an_offset_that_is_gone_with_the_numbers_to_recover()
    {
        await using var writer = await WithAsync(7);
        await using var log = writer.AnotherProcess();
        Retain(log, from: 4);

        var answer = await ReadAsync(log, "/api/events?offset=3");

        Assert.Equal((410, "offset-expired"), (answer.Status, answer.ProblemName));
        Assert.Equal((4, 7), (answer.Json.GetProperty("oldestOffset").GetInt64(), answer.Json.GetProperty("headOffset").GetInt64()));
        var earliest = await ReadAsync(log, "/api/events?offset=earliest");
        Assert.Equal((200, 3, "4"), (earliest.Status, earliest.Json.GetArrayLength(), earliest["Outpost-Oldest"]));
    }

    [Fact]
    public async Task Names_the_partitions_when_none_is_chosen()
    {
        await using var log = new SimulatedLog(partitions: 4);

        var answer = await ReadAsync(log, "/api/events");

        Assert.Equal((400, "invalid-request", 4), (answer.Status, answer.ProblemName, answer.Json.GetProperty("partitions").GetInt32()));
        Assert.Contains("0 to 3", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gives_only_the_types_asked_for_and_counts_the_others_as_read()
    {
        await using var log = await WithAsync(4);
        await log.DoAsync(Tallies.Count("r", "r") with { Decide = Recording("text/plain", "x"u8.ToArray()) });
        await AddAsync(log, 3);

        var answer = await ReadAsync(log, "/api/events?types=Recorded");

        Assert.Equal([4], answer.Json.EnumerateArray().Select(entry => entry.GetProperty("offset").GetInt32()));
        Assert.Equal((8, Live), (answer.Next, answer["Cache-Control"]));
        var both = await ReadAsync(log, "/api/events?types=Recorded,Counted");
        Assert.Equal(8, both.Json.GetArrayLength());
        Assert.Equal(0, (await ReadAsync(log, "/api/events?types=recorded")).Json.GetArrayLength());
    }

    [Fact]
    public async Task Ends_a_filtered_page_at_its_limit_and_goes_on_right_behind_it()
    {
        await using var log = await WithAsync(7);

        var answer = await ReadAsync(log, "/api/events?types=Counted&limit=3");

        Assert.Equal((3, 3, Final), (answer.Json.GetArrayLength(), answer.Next, answer["Cache-Control"]));
    }

    [Fact]
    public async Task Looks_at_5000_entries_for_a_filter_and_then_says_where_to_go_on()
    {
        await using var log = await WithAsync(5_100);

        var first = await ReadAsync(log, "/api/events?types=Never&limit=10");
        var second = await ReadAsync(log, $"/api/events?types=Never&limit=10&offset={first.Next}");

        Assert.Equal((0, 5_000, Final), (first.Json.GetArrayLength(), first.Next, first["Cache-Control"]));
        Assert.Contains("offset=5000", first["Link"], StringComparison.Ordinal);
        Assert.Equal((0, 5_100, Live, null), (second.Json.GetArrayLength(), second.Next, second["Cache-Control"], second["Link"]));
    }

    // Four thousand and some: the fifth read is the one that ends for want of entries.
    [Fact]
    public async Task Does_not_call_a_filtered_page_final_that_ended_for_want_of_entries()
    {
        await using var log = await WithAsync(4_500);
        var queries = 0;
        log.Table.Faults = request =>
        {
            // A commit between the last read of entries and the read of the head.
            if (request.Kind == TableOperation.QueryPage && ++queries == 6) AddAsync(log.AnotherProcess(), 1).GetAwaiter().GetResult();
            return null;
        };

        var answer = await ReadAsync(log, "/api/events?types=Never&offset=0");

        Assert.Equal((4_501, Live), (answer.Next, answer["Cache-Control"]));
    }

    [Fact]
    public async Task Keeps_a_page_below_its_bound_in_bytes()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 6; i++)
            await log.DoAsync(Tallies.Count("a", $"{i}") with { Decide = Recording("application/octet-stream", new byte[900_000]) });

        var answer = await ReadAsync(log, "/api/events?offset=0&limit=100");

        Assert.Equal((3, 3, Final), (answer.Json.GetArrayLength(), answer.Next, answer["Cache-Control"]));
        Assert.InRange(answer.Body.Length, 1, Limits.PageBytesMax);
    }

    [Fact]
    public async Task Answers_a_waiting_reader_as_soon_as_this_process_commits()
    {
        await using var log = await WithAsync(1);
        var time = new ManualTime(new DateTime(2026, 11, 22, 8, 0, 0, DateTimeKind.Utc));
        var waiting = ReadAsync(log, "/api/events?offset=1&wait=25", time);
        await time.WaitForWaiter();
        await AddAsync(log, 1);

        time.Advance(TimeSpan.FromMilliseconds(50));

        var answer = await waiting;
        Assert.Equal((1, 2, null), (answer.Json.GetArrayLength(), answer.Next, answer["Retry-After"]));
    }

    [Fact]
    public async Task Answers_a_waiting_reader_soon_after_another_process_commits()
    {
        await using var log = await WithAsync(1);
        await using var other = log.AnotherProcess();
        var time = new ManualTime(new DateTime(2026, 11, 22, 8, 0, 0, DateTimeKind.Utc));
        var waiting = ReadAsync(log, "/api/events?offset=1&wait=25", time);
        var look = await time.WaitForWaiter(within: TimeSpan.FromSeconds(1));
        await AddAsync(other, 1);

        time.Advance(look);

        Assert.Equal(1, (await waiting).Json.GetArrayLength());
        Assert.InRange(look, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Answers_a_waiting_reader_with_nothing_when_its_time_is_over()
    {
        await using var log = await WithAsync(1);
        var start = log.Time.GetTimestamp();

        var answer = await ReadAsync(log, "/api/events?offset=1&wait=25");

        Assert.Equal((200, "[]", 1), (answer.Status, answer.Text, answer.Next));
        Assert.True(log.Time.GetElapsedTime(start) >= TimeSpan.FromSeconds(25));
    }

    [Fact]
    public async Task Lets_50_readers_wait_and_sends_the_next_away_at_once()
    {
        await using var log = await WithAsync(1);
        var time = new ManualTime(new DateTime(2026, 11, 22, 8, 0, 0, DateTimeKind.Utc));
        var api = Api(log, time);
        Task<Answer> Wait()
        {
            var request = Request("/api/events?offset=1&wait=25");
            return AnswerAsync(request, ask => api.ReadAsync(ask, CancellationToken.None));
        }

        var waiting = Enumerable.Range(0, 60).Select(_ => Wait()).ToList();
        var turnedAway = new List<Answer>();
        for (var i = 0; i < 10; i++)
        {
            var done = await Task.WhenAny(waiting);
            waiting.Remove(done);
            turnedAway.Add(await done);
        }

        Assert.All(turnedAway, answer => Assert.Equal((200, "[]", "1"), (answer.Status, answer.Text, answer["Retry-After"])));
        await AddAsync(log, 1);
        while (waiting.Any(reader => !reader.IsCompleted))
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(1, answer.Json.GetArrayLength()));
        // Whoever has gone makes room.
        var next = Wait();
        Assert.Equal(1, (await next).Json.GetArrayLength());
    }

    // A head is visible a moment before its entries are, where a store has no isolation.
    [Fact]
    public async Task Asks_for_patience_where_the_next_entry_cannot_be_read()
    {
        await using var log = await WithAsync(3);
        log.Table.Remove("0000", $"e|{1:D19}");

        var answer = await AnswerAsync(
            Request("/api/events?offset=1&wait=25"), ask => Api(log.AnotherProcess()).ReadAsync(ask, CancellationToken.None));

        Assert.Equal((200, "[]", "1"), (answer.Status, answer.Text, answer["Retry-After"]));
        Assert.Equal(("1", "3"), (answer["Next-Offset"], answer["Outpost-Head"]));
    }

    // The table's partition failed over to a copy that lacks the last commits.
    [Fact]
    public async Task Asks_for_patience_where_it_knows_of_entries_that_the_table_has_lost()
    {
        await using var log = await WithAsync(1);
        var head = log.Table.Row("0000", "!head")!;
        await AddAsync(log, 2);
        log.Table.Put(head);
        foreach (var offset in new[] { 1, 2 }) log.Table.Remove("0000", $"e|{offset:D19}");
        log.Time.Advance(TimeSpan.FromMinutes(2));

        var answer = await ReadAsync(log, "/api/events?offset=1&wait=25");

        Assert.Equal((200, "[]", "1", "1"), (answer.Status, answer.Text, answer["Retry-After"], answer["Outpost-Head"]));
    }

    [Fact]
    public async Task Says_that_an_entry_is_gone_a_minute_after_retention_at_the_latest()
    {
        await using var log = await WithAsync(3);
        var id = (await log.EntriesAsync())[0].Id.ToString();
        var api = Api(log);
        Task<Answer> EntryAsync() => AnswerAsync(Request($"/api/events/{id}"), ask => api.EntryAsync(ask, id, CancellationToken.None));
        Assert.Equal(200, (await EntryAsync()).Status);
        log.Table.Put(new TableEntity("0000", "!oldest") { ["Offset"] = 2L });
        log.Time.Advance(PageReader.KeptFor + TimeSpan.FromSeconds(1));

        var answer = await EntryAsync();

        Assert.Equal((410, "offset-expired"), (answer.Status, answer.ProblemName));
    }

    [Fact]
    public async Task Looks_at_the_partition_once_a_minute_for_all_who_ask_for_entries_by_id()
    {
        await using var log = await WithAsync(3);
        var ids = (await log.EntriesAsync()).Select(entry => entry.Id.ToString()).ToList();
        log.Time.Advance(TimeSpan.FromMinutes(2));
        var api = Api(log);
        log.Table.ForgetRequests();

        foreach (var id in ids) await AnswerAsync(Request($"/api/events/{id}"), ask => api.EntryAsync(ask, id, CancellationToken.None));

        Assert.Equal(4, log.Table.Requests.Count);
    }

    [Fact]
    public async Task Says_that_an_entry_is_gone_as_soon_as_it_knows_although_the_row_is_still_there()
    {
        await using var log = await WithAsync(3);
        var id = (await log.EntriesAsync())[0].Id.ToString();
        log.Table.Put(new TableEntity("0000", "!oldest") { ["Offset"] = 2L });
        var api = Api(log);
        async Task<Answer> ReadAsync(string target, Func<HttpRequest, Task<IResult>> ask) => await AnswerAsync(Request(target), ask);
        await ReadAsync("/api/events?offset=latest", ask => api.ReadAsync(ask, CancellationToken.None));

        var entry = await ReadAsync($"/api/events/{id}", ask => api.EntryAsync(ask, id, CancellationToken.None));
        var data = await ReadAsync($"/api/events/{id}/data", ask => api.DataAsync(ask, id, CancellationToken.None));

        Assert.Equal((410, "offset-expired"), (entry.Status, entry.ProblemName));
        Assert.Equal((410, "offset-expired"), (data.Status, data.ProblemName));
    }

    [Fact]
    public async Task Gives_one_entry_and_its_payload_as_stored()
    {
        await using var log = await WithAsync(1);
        await log.DoAsync(Tallies.Count("a", "a2") with { Decide = Recording("image/png", [0x89, 0x50]) });
        var id = (await log.EntriesAsync())[1].Id.ToString();

        var entry = await AnswerAsync(Request($"/api/events/{id}"), ask => Api(log).EntryAsync(ask, id, CancellationToken.None));
        var data = await AnswerAsync(Request($"/api/events/{id}/data"), ask => Api(log).DataAsync(ask, id, CancellationToken.None));

        Assert.Equal((200, "application/json", Final), (entry.Status, entry["Content-Type"], entry["Cache-Control"]));
        Assert.Equal((1, "iVA="), (entry.Json.GetProperty("offset").GetInt32(), entry.Json.GetProperty("payloadBase64").GetString()));
        Assert.Equal((200, "image/png", Final, "default-src 'none'; sandbox"), (data.Status, data["Content-Type"], data["Cache-Control"], data["Content-Security-Policy"]));
        Assert.Equal([0x89, 0x50], data.Body);
        Assert.NotEqual(entry["ETag"], data["ETag"]);
    }

    [Fact]
    public async Task Tells_an_entry_and_its_payload_apart_also_where_the_path_ends_in_a_slash()
    {
        await using var log = await WithAsync(1);
        var id = (await log.EntriesAsync())[0].Id.ToString();

        var entry = await AnswerAsync(Request($"/api/events/{id}/"), ask => Api(log).EntryAsync(ask, id, CancellationToken.None));
        var data = await AnswerAsync(Request($"/api/events/{id}/data/"), ask => Api(log).DataAsync(ask, id, CancellationToken.None));

        Assert.Equal(($"\"{id}.json\"", $"\"{id}.data\""), (entry["ETag"], data["ETag"]));
    }

    [Theory]
    [InlineData("nonsense", 404, "event-not-found")]
    [InlineData("{log}-0000-0000000000000000007", 404, "event-not-found")]
    [InlineData("{log}-0000-9223372036854775807", 404, "event-not-found")]
    [InlineData("{log}-0001-0000000000000000000", 404, "event-not-found")]
    [InlineData("zzzzzzz0-0000-0000000000000000000", 404, "other-log")]
    [InlineData("{log}-0000-0000000000000000001", 410, "offset-expired")]
    public async Task Says_why_there_is_no_such_entry(string id, int status, string name)
    {
        await using var writer = await WithAsync(7);
        await using var log = writer.AnotherProcess();
        Retain(log, from: 2);
        id = id.Replace("{log}", (await log.Store.LayoutAsync(CancellationToken.None)).Log, StringComparison.Ordinal);

        var answer = await AnswerAsync(Request($"/api/events/{id}"), ask => Api(log).EntryAsync(ask, id, CancellationToken.None));

        Assert.Equal((status, name), (answer.Status, answer.ProblemName));
    }

    [Fact]
    public async Task Says_where_each_partition_stands()
    {
        await using var log = new SimulatedLog(partitions: 2);
        var busy = LogLayout.PartitionOf("tally/a", 2);
        await log.DoAsync(Tallies.Count("a", "a1", events: 3));
        var name = (await log.Store.LayoutAsync(CancellationToken.None)).Log;

        var answer = await AnswerAsync(Request("/api/partitions"), ask => new PartitionApi(log.Store).ListAsync(ask, CancellationToken.None));

        var stands = $$"""{"partition":{{busy}},"oldestOffset":0,"headOffset":3,"headTimestamp":"2026-11-22T08:00:00.0000000Z"}""";
        var empty = $$"""{"partition":{{1 - busy}},"oldestOffset":0,"headOffset":0}""";
        Assert.Equal(
            $$"""{"log":"{{name}}","partitions":[{{(busy == 0 ? stands : empty)}},{{(busy == 0 ? empty : stands)}}]}""", answer.Text);
        Assert.Equal("no-store", answer["Cache-Control"]);
    }

    private static EventApi Api(SimulatedLog log, TimeProvider? time = null) => new(
        log.Store,
        new PartitionWatch(log.Store, log.Sources with { Time = time ?? log.Time }),
        new EventApiOptions(TimeSpan.FromDays(1)));

    private static Task<Answer> ReadAsync(SimulatedLog log, string target, TimeProvider? time = null)
    {
        var request = Request(target);
        return AnswerAsync(request, ask => Api(log, time).ReadAsync(ask, CancellationToken.None));
    }

    private static async Task<SimulatedLog> WithAsync(int entries)
    {
        var log = new SimulatedLog();
        await AddAsync(log, entries);
        return log;
    }

    private static async Task AddAsync(SimulatedLog log, int entries)
    {
        for (var left = entries; left > 0; left -= Limits.EventsPerCommandMax)
        {
            await log.DoAsync(Tallies.Count(left.ToString(CultureInfo.InvariantCulture), "s", events: Math.Min(left, Limits.EventsPerCommandMax)));
        }
    }

    private static Func<Tally?, Decision<Tally>> Recording(string contentType, byte[] payload) =>
        tally => new Decision<Tally>.Accepted(tally ?? new Tally(0, []), [new NewEvent("Recorded", contentType, payload)]);

    private static void Retain(SimulatedLog log, int from)
    {
        log.Table.Put(new TableEntity("0000", "!oldest") { ["Offset"] = (long)from });
        for (var offset = 0; offset < from; offset++) log.Table.Remove("0000", $"e|{offset:D19}");
    }
}
