using System.Globalization;
using Azure.Data.Tables;
using Outpost.AspNetCore;
using Outpost.Tests.Unit.Forwarding;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class Pages_for_many_readers
{
    private static readonly (string, string) CloudEvents = ("Accept", "application/cloudevents-batch+json");

    [Theory]
    [InlineData("/api/events?offset=0&limit=100")]
    [InlineData("/api/events?offset=0&limit=100&types=Counted,Other")]
    [InlineData("/api/feed?lastEventId={0}-0000-0000000000000000041")]
    public async Task Cost_no_request_once_they_are_final_and_were_read(string target)
    {
        await using var log = await BacklogAsync(250);
        var api = Api(log);
        target = string.Format(CultureInfo.InvariantCulture, target, (await log.Store.LayoutAsync(CancellationToken.None)).Log);
        var first = await ReadAsync(api, target);
        log.Table.ForgetRequests();

        var again = await ReadAsync(api, target);

        Assert.Empty(log.Table.Requests);
        Assert.Equal(first.Body, again.Body);
        Assert.Equal((first["ETag"], "private, max-age=86400, immutable"), (again["ETag"], again["Cache-Control"]));
    }

    [Fact]
    public async Task Cost_the_table_the_same_for_64_as_for_one()
    {
        foreach (var consumers in new[] { 1, 2, 64 })
        {
            await using var log = await BacklogAsync(1_050);
            var api = Api(log);
            log.Table.ForgetRequests();

            var lists = await Task.WhenAll(Enumerable.Range(0, consumers).Select(_ => Task.Run(() => ReadToTheEndAsync(api, limit: 100))));

            Assert.All(lists, list => Assert.Equal(Enumerable.Range(0, 1_050), list));
            // At its end nobody is given what was read before he came; before, each page is read once for all.
            var pages = log.Table.Requests.Select(request => request.Keys[0]).Where(filter => filter.Contains("ge 'e|", StringComparison.Ordinal));
            Assert.Equal(10, pages.Count(filter => !filter.Contains($"{1_000:D19}' and RowKey", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task Are_not_mixed_up()
    {
        await using var log = await BacklogAsync(300, partitions: 2);
        var api = Api(log);
        string[] targets =
        [
            "/api/events?partition=0&offset=0&limit=10", "/api/events?partition=1&offset=0&limit=10", "/api/events?partition=0&offset=1&limit=10",
            "/api/events?partition=0&offset=0&limit=11", "/api/events?partition=0&offset=0&limit=10&types=Counted",
            "/api/events?partition=0&offset=0&limit=10&types=Other",
        ];
        var alone = new List<string>();
        foreach (var target in targets)
        {
            alone.Add((await ReadAsync(Api(log), target)).Text);
            alone.Add((await ReadAsync(Api(log), target, CloudEvents)).Text);
        }

        for (var round = 0; round < 2; round++)
        {
            var together = new List<string>();
            foreach (var target in targets)
            {
                together.Add((await ReadAsync(api, target)).Text);
                together.Add((await ReadAsync(api, target, CloudEvents)).Text);
            }

            Assert.Equal(alone, together);
        }
    }

    [Fact]
    public async Task Are_never_older_than_the_question()
    {
        await using var log = await BacklogAsync(5);
        await using var other = log.AnotherProcess();
        var api = Api(log);
        await ReadAsync(api, "/api/events?offset=4");
        var release = new TaskCompletionSource();
        var began = new TaskCompletionSource();
        log.Table.Faults = request =>
        {
            if (!request.Keys[0].Contains("e|", StringComparison.Ordinal) || !began.TrySetResult()) return null;
            return new TableFault.SlowAnswer(release.Task);
        };

        var early = ReadAsync(api, "/api/events?offset=0&limit=100");
        await began.Task;
        await other.AddManyAsync("b", 1);
        var late = ReadAsync(api, "/api/events?offset=0&limit=100");
        release.SetResult();

        Assert.Equal(6, (await late).Json.GetArrayLength());
        Assert.InRange((await early).Json.GetArrayLength(), 5, 6);
    }

    [Fact]
    public async Task Have_what_another_process_committed_after_this_one()
    {
        await using var log = new SimulatedLog();
        await using var other = log.AnotherProcess();
        await log.AddManyAsync("a", 1);
        await other.AddManyAsync("b", 2);

        var answer = await ReadAsync(Api(log), "/api/events?offset=0&limit=100");

        Assert.Equal(3, answer.Json.GetArrayLength());
        Assert.Equal((3, "3", null), (answer.Next, answer["Outpost-Head"], answer["Link"]));
    }

    [Fact]
    public async Task Are_read_again_after_a_minute()
    {
        await using var log = await BacklogAsync(250);
        var api = Api(log);
        await ReadAsync(api, "/api/events?offset=0&limit=100");
        log.Time.Advance(PageReader.KeptFor + TimeSpan.FromSeconds(1));
        log.Table.ForgetRequests();

        await ReadAsync(api, "/api/events?offset=0&limit=100");

        Assert.NotEmpty(log.Table.Requests);
    }

    [Theory]
    [InlineData(false, "while they are kept in memory")]
    [InlineData(true, "while their rows are still there")]
    public async Task Are_gone_as_soon_as_this_process_knows_of_it(bool isNew, string why)
    {
        await using var log = await BacklogAsync(250);
        var api = Api(log);
        await ReadAsync(api, "/api/events?offset=0&limit=100");
        log.Table.Put(new TableEntity("0000", "!oldest") { ["Offset"] = 120L });
        if (isNew) api = Api(log);
        // Somebody reads near the head, and so learns where the partition stands.
        await ReadAsync(api, "/api/events?offset=240");

        var answer = await ReadAsync(api, "/api/events?offset=0&limit=100");

        Assert.Equal((410, "offset-expired", why), (answer.Status, answer.ProblemName, why));
        Assert.Equal((120, 250), (answer.Json.GetProperty("oldestOffset").GetInt32(), answer.Json.GetProperty("headOffset").GetInt32()));
    }

    [Fact]
    public async Task Are_gone_a_minute_after_retention_at_the_latest()
    {
        await using var log = await BacklogAsync(250);
        var api = Api(log);
        await ReadAsync(api, "/api/events?offset=240");
        log.Time.Advance(TimeSpan.FromSeconds(50));
        log.Table.Put(new TableEntity("0000", "!oldest") { ["Offset"] = 120L });
        // Not known yet, so it is read and kept: from now on, not from when somebody last looked at the partition.
        Assert.Equal(200, (await ReadAsync(api, "/api/events?offset=0&limit=100")).Status);
        log.Time.Advance(TimeSpan.FromSeconds(20));

        var answer = await ReadAsync(api, "/api/events?offset=0&limit=100");

        Assert.Equal((410, "offset-expired"), (answer.Status, answer.ProblemName));
    }

    [Theory]
    [InlineData(242, "a page that is not full")]
    [InlineData(150, "a full page")]
    public async Task Are_gone_where_the_same_answer_would_say_so(int offset, string why)
    {
        await using var log = await BacklogAsync(250);
        var api = Api(log);
        await ReadAsync(api, "/api/events?offset=240");
        log.Table.Put(new TableEntity("0000", "!oldest") { ["Offset"] = 245L });

        var answer = await ReadAsync(api, $"/api/events?offset={offset}");

        Assert.Equal((410, "offset-expired", why), (answer.Status, answer.ProblemName, why));
        Assert.Equal((245, 250), (answer.Json.GetProperty("oldestOffset").GetInt32(), answer.Json.GetProperty("headOffset").GetInt32()));
    }

    [Theory]
    [InlineData("/api/events?offset=earliest", false)]
    [InlineData("/api/events?offset=earliest", true)]
    [InlineData("/api/feed", true)]
    public async Task Begin_with_what_is_oldest_also_where_retention_moves_that_meanwhile(string target, bool areRowsGone)
    {
        await using var log = await BacklogAsync(10);
        MoveOldestWithEachRead(log, times: 2, areRowsGone);

        var answer = await ReadAsync(Api(log), target);

        Assert.Equal((200, 8, 10, "2"), (answer.Status, answer.Json.GetArrayLength(), answer.Next, answer["Outpost-Oldest"]));
    }

    [Fact]
    public async Task Are_not_begun_for_ever_where_retention_is_always_faster()
    {
        await using var log = await BacklogAsync(10);
        var reads = MoveOldestWithEachRead(log, times: 10, areRowsGone: true);

        var answer = await ReadAsync(Api(log), "/api/events?offset=earliest");

        Assert.Equal((410, "offset-expired", 3), (answer.Status, answer.ProblemName, reads()));
    }

    [Theory]
    [InlineData(null, 86_400)]
    [InlineData(30.0, 86_400)]
    [InlineData(10.5, 43_200)]
    [InlineData(9.0, 0)]
    public async Task Are_cached_by_nobody_for_longer_than_their_events_are_kept(double? days, int maxAge)
    {
        await using var log = await BacklogAsync(250);
        log.Time.Advance(TimeSpan.FromDays(10));
        var api = Api(log, new EventApiOptions(TimeSpan.FromDays(1)) { EventsKeptFor = days is { } kept ? TimeSpan.FromDays(kept) : null });

        var answer = await ReadAsync(api, "/api/events?offset=0&limit=100");

        var seconds = int.Parse(answer["Cache-Control"]!["private, max-age=".Length..^", immutable".Length], CultureInfo.InvariantCulture);
        Assert.InRange(seconds, Math.Max(0, maxAge - 180), maxAge);
    }

    [Fact]
    public async Task Fail_for_everybody_who_waits_and_for_nobody_after()
    {
        await using var log = await BacklogAsync(250);
        var api = Api(log);
        await ReadAsync(api, "/api/events?offset=240");
        log.Table.Faults = request => request.Keys[0].Contains("e|", StringComparison.Ordinal) ? new TableFault.BeforeEffect(TableError.Busy) : null;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ReadAsync(api, "/api/events?offset=0&limit=100"));
        log.Table.Faults = null;

        Assert.Equal(100, (await ReadAsync(api, "/api/events?offset=0&limit=100")).Json.GetArrayLength());
    }

    [Fact]
    public async Task Go_on_for_the_others_when_the_first_to_ask_leaves()
    {
        await using var log = await BacklogAsync(250);
        var api = Api(log);
        await ReadAsync(api, "/api/events?offset=240");
        var release = new TaskCompletionSource();
        var began = new TaskCompletionSource();
        log.Table.Faults = request =>
            request.Keys[0].Contains("e|", StringComparison.Ordinal) && began.TrySetResult() ? new TableFault.HeldBack(release.Task) : null;
        using var leaving = new CancellationTokenSource();
        var first = Request("/api/events?offset=0&limit=100");
        var leaver = api.ReadAsync(first, leaving.Token);
        await began.Task;
        var stayer = ReadAsync(api, "/api/events?offset=0&limit=100");

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaver);
        release.SetResult();

        Assert.Equal(100, (await stayer).Json.GetArrayLength());
    }

    // Between the look at the partition and the read of its entries.
    private static Func<int> MoveOldestWithEachRead(SimulatedLog log, int times, bool areRowsGone)
    {
        var oldest = 0;
        log.Table.Faults = request =>
        {
            if (oldest == times || !request.Keys[0].Contains("ge 'e|", StringComparison.Ordinal)) return null;
            if (areRowsGone) log.Table.Remove("0000", $"e|{oldest:D19}");
            log.Table.Put(new TableEntity("0000", "!oldest") { ["Offset"] = (long)++oldest });
            return null;
        };
        return () => oldest;
    }

    // Not in this process's memory of its own commits: a minute has passed.
    private static async Task<SimulatedLog> BacklogAsync(int entries, int partitions = 1)
    {
        var log = new SimulatedLog(partitions: partitions);
        await log.AddManyAsync("a", entries);
        if (partitions > 1) await log.AddManyAsync("b", entries);
        log.Time.Advance(TimeSpan.FromMinutes(2));
        return log;
    }

    private static EventApi Api(SimulatedLog log, EventApiOptions? options = null) =>
        new(log.Store, new PartitionWatch(log.Store, log.Sources), options ?? new EventApiOptions(TimeSpan.FromDays(1)));

    private static Task<Answer> ReadAsync(EventApi api, string target, params (string, string)[] headers)
    {
        var request = Request(target, headers);
        return AnswerAsync(request, ask => target.StartsWith("/api/feed", StringComparison.Ordinal)
            ? api.FeedAsync(ask, null, CancellationToken.None)
            : api.ReadAsync(ask, CancellationToken.None));
    }

    private static async Task<List<int>> ReadToTheEndAsync(EventApi api, int limit)
    {
        var offsets = new List<int>();
        while (true)
        {
            var page = await ReadAsync(api, $"/api/events?offset={offsets.Count}&limit={limit}");
            if (page.Json.GetArrayLength() == 0) return offsets;
            offsets.AddRange(page.Json.EnumerateArray().Select(entry => entry.GetProperty("offset").GetInt32()));
        }
    }
}
