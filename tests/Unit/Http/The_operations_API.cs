using System.Text.Json;
using Outpost.Forwarding;
using Outpost.AspNetCore;
using Outpost.Tests.Unit.Forwarding;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class The_operations_API
{
    private const string Name = ParkedLog.Name;

    [Fact]
    public async Task Tells_how_a_log_without_forwarders_stands()
    {
        await using var log = new SimulatedLog(partitions: 2);
        var name = (await log.Store.LayoutAsync(CancellationToken.None)).Log;

        var answer = await StatusAsync(log, log.Engine([]));

        Assert.Equal(
            $$"""{"log":"{{name}}","partitions":[{"partition":0,"oldestOffset":0,"headOffset":0},{"partition":1,"oldestOffset":0,"headOffset":0}],"forwarders":[],"problems":[]}""",
            answer.Text);
        Assert.Equal("no-store", answer["Cache-Control"]);
    }

    [Fact]
    public async Task Tells_how_an_idle_forwarder_stands()
    {
        await using var log = await ParkedLog.WithAsync("a", "b");
        await log.ForwardAsync(new RecordingTarget());

        await using var engine = log.To(new RecordingTarget());
        var answer = await StatusAsync(log, engine);

        Assert.Equal(
            """{"name":"servicebus","state":"idle","isKnownHere":true,"withinSeconds":60,"late":0,"parked":0,"lastError":null,"failingSince":null,"consecutiveFailures":0,"refusedInARow":0,"lastWriteAt":"2026-11-22T08:00:00.0000000Z","requests":[],"partitions":[{"partition":0,"nextOffset":2,"backlog":0,"oldestUnforwardedAgeSeconds":0,"leaseOwner":null,"paused":false,"parked":0,"late":0,"lastError":null}]}""",
            answer.Json.GetProperty("forwarders")[0].GetRawText());
        Assert.Equal(
            """[{"partition":0,"oldestOffset":0,"headOffset":2,"headTimestamp":"2026-11-22T08:00:00.0000000Z"}]""",
            answer.Json.GetProperty("partitions").GetRawText());
    }

    [Fact]
    public async Task Tells_all_fields_of_a_forwarder_that_never_ran_and_of_one_of_another_app()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());

        await using var engine = log.Engine([new Forwarder("other", new RecordingTarget()) { Within = TimeSpan.FromMinutes(5) }]);
        var forwarders = (await StatusAsync(log, engine)).Json.GetProperty("forwarders");

        Assert.Equal(["other", "servicebus"], forwarders.EnumerateArray().Select(forwarder => forwarder.GetProperty("name").GetString()));
        Assert.All(forwarders.EnumerateArray(), forwarder => Assert.Equal(
            ["name", "state", "isKnownHere", "withinSeconds", "late", "parked", "lastError", "failingSince", "consecutiveFailures", "refusedInARow", "lastWriteAt", "requests", "partitions"],
            forwarder.EnumerateObject().Select(field => field.Name)));
        Assert.Equal((300, JsonValueKind.Null), (forwarders[0].GetProperty("withinSeconds").GetInt32(), forwarders[0].GetProperty("lastWriteAt").ValueKind));
        Assert.Equal((60, false), (forwarders[1].GetProperty("withinSeconds").GetInt32(), forwarders[1].GetProperty("isKnownHere").GetBoolean()));
    }

    [Fact]
    public async Task Tells_what_is_late_parked_failing_and_paused()
    {
        await using var log = await ParkedLog.WithAsync("a", "b", "a");
        await log.ForwardAsync(new RecordingTarget { Refuses = ParkedLog.Only(0) });
        for (var i = 0; i < 20; i++)
        {
            await log.AddAsync("c");
            log.Time.Advance(TimeSpan.FromSeconds(10));
        }

        await using var engine = log.To(new RecordingTarget { Before = (_, _) => throw new IOException("down") });
        await engine.RunAsync(CancellationToken.None);
        var failing = (await StatusAsync(log, engine)).Json.GetProperty("forwarders")[0];
        await Api(log, engine).PauseAsync(Post($"/api/forwarders/{Name}/pause", ""), Name, isPaused: true, CancellationToken.None);
        var paused = (await StatusAsync(log, engine)).Json.GetProperty("forwarders")[0];

        Assert.Equal(("failing", 2, "IOException: down"), (Text(failing, "state"), failing.GetProperty("parked").GetInt32(), Text(failing, "lastError")));
        Assert.Equal(1, failing.GetProperty("consecutiveFailures").GetInt32());
        var partition = failing.GetProperty("partitions")[0];
        Assert.Equal((3, 20), (partition.GetProperty("nextOffset").GetInt32(), partition.GetProperty("backlog").GetInt32()));
        // The clock went on a little while the run tried again.
        Assert.InRange(partition.GetProperty("oldestUnforwardedAgeSeconds").GetDouble(), 200, 215);
        Assert.InRange(failing.GetProperty("late").GetInt32(), 14, 16);
        Assert.Equal("paused", Text(paused, "state"));
    }

    [Fact]
    public async Task Tells_what_operators_asked_for_and_takes_it_back()
    {
        await using var log = await ParkedLog.WithAsync("a", "b");
        await log.ForwardAsync(new RecordingTarget());
        await using var engine = log.Engine([]);
        var api = Api(log, engine);
        var asking = Post("/x", """{"partition":0,"fromOffset":0,"toOffset":1}""");
        asking.Headers["x-ms-client-principal-name"] = "ada@example.org";
        await api.ReplayAsync(asking, Name, CancellationToken.None);

        var request = Assert.Single((await StatusAsync(log, engine)).Json.GetProperty("forwarders")[0].GetProperty("requests").EnumerateArray().ToList());
        var id = Text(request, "id")!;
        Assert.Equal(
            $$$"""{"id":"{{{id}}}","kind":"replay","partition":0,"offset":0,"toOffset":1,"at":"2026-11-22T08:00:00.0000000Z","by":"ada@example.org","state":"waiting","progress":{"done":0,"of":2},"reason":null}""",
            request.GetRawText());

        var taken = await AskAsync("DELETE", "/x", one => api.TakeBackAsync(one, Name, id, CancellationToken.None));
        Assert.Equal((200, $$"""{"name":"servicebus","id":"{{id}}"}"""), (taken.Status, taken.Text));
        var again = await AskAsync("DELETE", "/x", one => api.TakeBackAsync(one, Name, id, CancellationToken.None));
        Assert.Equal((404, "/api/problems/request-not-found"), (again.Status, Text(again.Json, "type")));
        Assert.Empty((await StatusAsync(log, engine)).Json.GetProperty("forwarders")[0].GetProperty("requests").EnumerateArray());
    }

    [Theory]
    [InlineData("""{"partition":0,"toOffset":2}""", 200, """{"name":"servicebus","partition":0,"fromOffset":0,"toOffset":2,"lost":2}""")]
    [InlineData("""{"partition":0,"toOffset":3}""", 409, "at most")]
    [InlineData("""{"partition":0,"toOffset":0}""", 409, "at least")]
    [InlineData("""{"partition":1,"toOffset":2}""", 400, "partition")]
    [InlineData("""{"partition":0}""", 400, "toOffset")]
    public async Task Skips_over_what_is_gone_and_says_what_is_lost(string body, int status, string part)
    {
        await using var log = await ParkedLog.WithAsync("a", "b", "c", "d");
        var state = await log.Store.ReadPartitionAsync(0, CancellationToken.None);
        await log.Checkpoints.BeginAsync(state, new Checkpoint { Forwarder = Name, NextOffset = 0 }, CancellationToken.None);
        state = await log.Store.ReadPartitionAsync(0, CancellationToken.None);
        await new Outpost.Tables.TableRetentionStore(log.Table, log.Sources).SaveOldestAsync(0, 2, state.Trimmed, CancellationToken.None);

        var answer = await AskAsync("POST", "/x", one => Api(log).SkipAsync(one, Name, CancellationToken.None), body);

        Assert.Equal(status, answer.Status);
        Assert.Contains(part, answer.Text, StringComparison.Ordinal);
    }

    // Fifty entries, a minute apart, the last one just now.
    [Theory]
    [InlineData(0, 49)]
    [InlineData(59, 49)]
    [InlineData(60, 48)]
    [InlineData(61, 48)]
    [InlineData(2939, 1)]
    [InlineData(2940, 0)]
    [InlineData(100_000, 0)]
    public async Task Counts_late_entries_exactly_with_a_binary_search(int within, int late)
    {
        await using var log = await ParkedLog.WithAsync("a");
        for (var i = 1; i < 50; i++)
        {
            log.Time.Advance(TimeSpan.FromSeconds(60));
            await log.AddAsync("a");
        }

        log.Table.ForgetRequests();
        await using var engine = log.Engine([new Forwarder(Name, new RecordingTarget()) { Within = TimeSpan.FromSeconds(within) }]);

        var forwarder = (await StatusAsync(log, engine)).Json.GetProperty("forwarders")[0];

        Assert.Equal(late, forwarder.GetProperty("late").GetInt32());
        Assert.Equal(2940, forwarder.GetProperty("partitions")[0].GetProperty("oldestUnforwardedAgeSeconds").GetDouble());
        Assert.InRange(log.Table.Requests.Count, 2, 9);
    }

    [Fact]
    public async Task Never_tells_an_age_below_zero()
    {
        await using var log = await ParkedLog.WithAsync("a");
        var row = log.Table.Rows("0000").Single(row => row.RowKey.StartsWith("e|", StringComparison.Ordinal));
        row["At"] = row.GetDateTimeOffset("At") + TimeSpan.FromSeconds(30);
        log.Table.Put(row);
        await using var engine = log.To(new RecordingTarget());

        Assert.Equal(0, (await StatusAsync(log, engine)).Json.GetProperty("forwarders")[0].GetProperty("partitions")[0].GetProperty("oldestUnforwardedAgeSeconds").GetDouble());
    }

    [Fact]
    public async Task Lists_parked_entries_in_pages_over_all_partitions()
    {
        await using var log = new SimulatedLog(partitions: 3);
        for (var i = 0; i < 9; i++) await log.AddAsync($"s{i}", $"s{i}");
        var target = new RecordingTarget(1) { Refuses = entry => entry.Version == 1 };
        await using var engine = log.To(target);
        await engine.RunAsync(CancellationToken.None);
        var seen = new List<string>();
        var uri = $"/api/forwarders/{Name}/parked?limit=5";
        var pages = 0;
        for (string? next = uri; next is not null; pages++)
        {
            var request = Request(next.StartsWith('?') ? uri.Split('?')[0] + next : next);
            var answer = await AnswerAsync(request, await Api(log, engine).ParkedAsync(request, Name, CancellationToken.None));
            seen.AddRange(answer.Json.EnumerateArray().Select(entry => entry.GetProperty("id").GetString()!));
            next = answer["Link"]?.Split('<', '>')[1];
        }

        Assert.Equal(18, seen.Distinct().Count());
        Assert.Equal((18, 4), (seen.Count, pages));
        Assert.Equal(seen.Order(StringComparer.Ordinal), seen);
    }

    [Fact]
    public async Task Tells_of_a_parked_entry_what_is_known()
    {
        await using var log = await ParkedLog.WithAsync("a", "a");
        await log.ForwardAsync(new RecordingTarget { Refuses = ParkedLog.Only(0) });
        var name = (await log.Store.LayoutAsync(CancellationToken.None)).Log;
        var request = Request($"/api/forwarders/{Name}/parked");

        var answer = await AnswerAsync(request, await Api(log).ParkedAsync(request, Name, CancellationToken.None));

        Assert.Equal(
            $$"""[{"partition":0,"offset":0,"id":"{{name}}-0000-0000000000000000000","type":"Counted","subject":"tally/a","reason":"It is refused.","attempts":1,"at":"2026-11-22T08:00:00.0000000Z"},{"partition":0,"offset":1,"id":"{{name}}-0000-0000000000000000001","type":"Counted","subject":"tally/a","reason":"behind 0","behind":0,"attempts":0,"at":"2026-11-22T08:00:00.0000000Z"}]""",
            answer.Text);
    }

    [Theory]
    [InlineData("?limit=0")]
    [InlineData("?limit=1001")]
    [InlineData("?limit=")]
    [InlineData("?partition=1")]
    [InlineData("?partition=-1")]
    [InlineData("?offset=-1")]
    [InlineData("?offset=x")]
    [InlineData("?limit=1&limit=2")]
    [InlineData("?unknown=1")]
    public async Task Refuses_a_page_that_cannot_be(string query)
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        var request = Request($"/api/forwarders/{Name}/parked{query}");

        var answer = await AnswerAsync(request, await Api(log).ParkedAsync(request, Name, CancellationToken.None));

        Assert.Equal((400, "invalid-request"), (answer.Status, answer.ProblemName));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("NO")]
    [InlineData("a|control")]
    [InlineData("")]
    [InlineData("x'\u0001é")]
    public async Task Knows_no_such_forwarder(string name)
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        var api = Api(log);

        var answers = new[]
        {
            await AskAsync("GET", "/api/forwarders/x/parked", request => api.ParkedAsync(request, name, CancellationToken.None)),
            await AskAsync("POST", "/api/forwarders/x/pause", request => api.PauseAsync(request, name, true, CancellationToken.None)),
            await AskAsync("POST", "/api/forwarders/x/replay", request => api.ReplayAsync(request, name, CancellationToken.None), """{"partition":0,"fromOffset":0,"toOffset":0}"""),
            await AskAsync("DELETE", "/api/forwarders/x", request => api.ForgetAsync(request, name, CancellationToken.None)),
        };

        Assert.All(answers, answer => Assert.Equal((404, "forwarder-not-found"), (answer.Status, answer.ProblemName)));
    }

    [Fact]
    public async Task Knows_no_such_forwarder_also_where_its_name_is_a_word_of_other_paths()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        var api = Api(log);

        var pause = await AskAsync(
            "POST", "/api/forwarders/parked/pause", request => api.PauseAsync(request, "parked", true, CancellationToken.None));
        var retry = await AskAsync(
            "POST", "/api/forwarders/parked/parked/0/0/retry", request => api.RetryAsync(request, "parked", "0", "0", CancellationToken.None));

        Assert.Equal((404, "forwarder-not-found"), (pause.Status, pause.ProblemName));
        Assert.Equal((404, "entry-not-parked"), (retry.Status, retry.ProblemName));
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("{", 400)]
    [InlineData("[]", 400)]
    [InlineData("""{"partition":0,"fromOffset":0}""", 400)]
    [InlineData("""{"partition":1,"fromOffset":0,"toOffset":1}""", 400)]
    [InlineData("""{"partition":0,"fromOffset":-1,"toOffset":1}""", 400)]
    [InlineData("""{"partition":0,"fromOffset":2,"toOffset":1}""", 400)]
    [InlineData("""{"partition":0,"fromOffset":0,"toOffset":3}""", 400)]
    [InlineData("""{"partition":0,"fromOffset":0,"toOffset":9223372036854775807}""", 400)]
    [InlineData("""{"partition":0,"fromOffset":0,"toOffset":99999999999999999999}""", 400)]
    [InlineData("""{"partition":0,"fromOffset":0.5,"toOffset":1}""", 400)]
    [InlineData("""{"partition":"0","fromOffset":0,"toOffset":1}""", 400)]
    [InlineData("""{"partition":0,"fromOffset":0,"toOffset":1,"more":1}""", 400)]
    [InlineData("""{"partition":0,"fromOffset":0,"fromOffset":1,"toOffset":1}""", 400)]
    [InlineData("""{"partition":0,"fromOffset":0,"toOffset":2}""", 202)]
    public async Task Takes_only_a_replay_that_makes_sense(string body, int status)
    {
        await using var log = await ParkedLog.WithAsync("a", "b", "c");
        await log.ForwardAsync(new RecordingTarget());

        var answer = await AskAsync("POST", $"/api/forwarders/{Name}/replay", request => Api(log).ReplayAsync(request, Name, CancellationToken.None), body);

        Assert.Equal(status, answer.Status);
        if (status == 400) Assert.Equal("invalid-request", answer.ProblemName);
        else Assert.Matches("""^\{"name":"servicebus","id":"([0-9a-f]{8})","replay":"\1"\}$""", answer.Text);
    }

    [Theory]
    [InlineData("0", "0", """{"reason":"known"}""", 202, null)]
    [InlineData("0", "2", """{"reason":"known"}""", 409, "behind-parked")]
    [InlineData("0", "1", """{"reason":"known"}""", 404, "entry-not-parked")]
    [InlineData("1", "0", """{"reason":"known"}""", 404, "entry-not-parked")]
    [InlineData("x", "0", """{"reason":"known"}""", 404, "entry-not-parked")]
    [InlineData("0", "-1", """{"reason":"known"}""", 404, "entry-not-parked")]
    [InlineData("0", "9223372036854775807", """{"reason":"known"}""", 404, "entry-not-parked")]
    [InlineData("0", "92233720368547758070", """{"reason":"known"}""", 404, "entry-not-parked")]
    [InlineData("0", "0", """{"reason":""}""", 400, "invalid-request")]
    [InlineData("0", "0", """{}""", 400, "invalid-request")]
    [InlineData("0", "0", "", 400, "invalid-request")]
    public async Task Discards_only_what_is_parked_and_says_why_not(string partition, string offset, string body, int status, string? problem)
    {
        await using var log = await ParkedLog.WithAsync("a", "b", "a");
        await log.ForwardAsync(new RecordingTarget { Refuses = ParkedLog.Only(0) });

        var answer = await AskAsync(
            "POST", $"/api/forwarders/{Name}/parked/{partition}/{offset}/discard", request => Api(log).DiscardAsync(request, Name, partition, offset, CancellationToken.None), body);

        Assert.Equal((status, problem), (answer.Status, status < 300 ? null : answer.ProblemName));
        if (status == 409) Assert.Equal(0, answer.Json.GetProperty("behind").GetInt64());
        if (status == 202) Assert.Matches("""^\{"name":"servicebus","id":"[0-9a-f]{8}"\}$""", answer.Text);
    }

    [Fact]
    public async Task Pauses_one_partition_or_all_and_says_which()
    {
        await using var log = new SimulatedLog(partitions: 2);
        await log.AddAsync("a", "b", "c");
        await using var engine = log.To(new RecordingTarget());
        var api = Api(log, engine);

        Assert.Equal("""{"name":"servicebus","paused":true}""", (await AskAsync("POST", "/p", request => api.PauseAsync(request, Name, true, CancellationToken.None))).Text);
        Assert.Equal("""{"name":"servicebus","partition":1,"paused":false}""", (await AskAsync("POST", "/p?partition=1", request => api.PauseAsync(request, Name, false, CancellationToken.None))).Text);
        Assert.Equal(400, (await AskAsync("POST", "/p?partition=2", request => api.PauseAsync(request, Name, false, CancellationToken.None))).Status);
        Assert.Equal(400, (await AskAsync("POST", "/p?partition=", request => api.PauseAsync(request, Name, false, CancellationToken.None))).Status);
    }

    [Fact]
    public async Task Forgets_only_a_forwarder_that_is_not_its_own()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        await using var engine = log.To(new RecordingTarget());

        var own = await AskAsync("DELETE", $"/api/forwarders/{Name}", request => Api(log, engine).ForgetAsync(request, Name, CancellationToken.None));
        var other = await AskAsync("DELETE", $"/api/forwarders/{Name}", request => Api(log).ForgetAsync(request, Name, CancellationToken.None));

        Assert.Equal((409, "forwarder-in-use", 204, "no-store"), (own.Status, own.ProblemName, other.Status, other["Cache-Control"]));
    }

    [Fact]
    public async Task Runs_a_tick_for_whoever_asks()
    {
        await using var log = await ParkedLog.WithAsync("a", "b", "c");
        var target = new RecordingTarget();
        await using var engine = log.To(target);

        var first = await AskAsync("POST", "/api/forward", request => Api(log, engine).ForwardAsync(request, CancellationToken.None));
        var second = await AskAsync("POST", "/api/forward", request => Api(log, engine).ForwardAsync(request, CancellationToken.None));
        var wrong = await AskAsync("POST", "/api/forward?now=1", request => Api(log, engine).ForwardAsync(request, CancellationToken.None));

        Assert.Equal((200, """{"delivered":3,"batches":1,"failedPartitions":0}""", "no-store"), (first.Status, first.Text, first["Cache-Control"]));
        Assert.Equal((200, """{"delivered":0,"batches":0,"failedPartitions":0}""", 400), (second.Status, second.Text, wrong.Status));
        Assert.Equal([0, 1, 2], target.Offsets());
    }

    [Fact]
    public async Task Says_when_too_much_is_asked()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        var api = Api(log);
        Answer? answer = null;
        for (var i = 0; i <= Control.RequestsMax; i++)
            answer = await AskAsync("POST", "/r", request => api.ReplayAsync(request, Name, CancellationToken.None), """{"partition":0,"fromOffset":0,"toOffset":0}""");

        Assert.Equal((503, "busy", "1"), (answer!.Status, answer.ProblemName, answer["Retry-After"]));
    }

    internal static OperationsApi Api(SimulatedLog log, ForwardingEngine? engine = null) => new(
        log.Operators(engine), log.Store, new Outpost.AspNetCore.Links(null), log.Problems, log.Ticks(engine ?? log.Engine([])));

    private static async Task<Answer> StatusAsync(SimulatedLog log, ForwardingEngine engine) =>
        await AskAsync("GET", "/api/status", request => Api(log, engine).StatusAsync(request, CancellationToken.None));

    private static Task<Answer> AskAsync(string method, string target, Func<Microsoft.AspNetCore.Http.HttpRequest, Task<Microsoft.AspNetCore.Http.IResult>> ask, string? body = null) =>
        AnswerAsync(body is null ? Request(method, target, null) : Post(target, body), ask);

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
