using System.Text.Json;
using Outpost.AspNetCore;
using Outpost.Forwarding;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>A thousand entries parked for a few reasons are a few decisions, not a thousand.</summary>
public sealed class Many_parked_entries
{
    [Fact]
    public async Task Are_grouped_by_why_they_were_refused_the_largest_group_first()
    {
        await using var log = await ParkedAsync(30);

        var answer = await AnswerAsync(Request("/api/forwarders/f/parked?groupBy=reason"), ask => Api(log).ParkedAsync(ask, "f", CancellationToken.None));

        Assert.Equal(
            [("two", 10, 10), ("one", 10, 0), ("zero", 10, 0)],
            answer.Json.EnumerateArray().Select(group => (group.GetProperty("reason").GetString(), group.GetProperty("count").GetInt32(), group.GetProperty("followers").GetInt32()))
                .OrderByDescending(group => group.Item3));
    }

    [Fact]
    public async Task Of_one_reason_are_retried_of_another_discarded_and_the_rest_left()
    {
        await using var log = await ParkedAsync(30);
        var api = Api(log);

        var retried = await AnswerAsync(Post("/api/forwarders/f/parked/retry", """{"reason":"two"}"""), ask => api.UnparkAsync(ask, "f", isDiscard: false, CancellationToken.None));
        var discarded = await AnswerAsync(Post("/api/forwarders/f/parked/discard", """{"reason":"one"}"""), ask => api.UnparkAsync(ask, "f", isDiscard: true, CancellationToken.None));
        Assert.Equal((202, 10, 202, 10), (retried.Status, retried.Json.GetProperty("count").GetInt32(), discarded.Status, discarded.Json.GetProperty("count").GetInt32()));
        var target = new RecordingTarget();
        await log.Engine([new Forwarder("f", target)]).RunAsync(CancellationToken.None);

        // The retried ones and those behind each, in order per subject; nothing of the others.
        Assert.Equal(20, target.Delivered.Count);
        Assert.All(target.Delivered.GroupBy(entry => entry.Subject), group => Assert.Equal(group.Select(entry => entry.Offset).Order(), group.Select(entry => entry.Offset)));
        var left = await Operations(log).ParkedAsync("f", 0, 0, 100, CancellationToken.None);
        Assert.Equal(10, left.Count);
        Assert.All(left, entry => Assert.Equal("zero", entry.Reason));
        var status = (await Operations(log).StatusAsync(CancellationToken.None)).Forwarders.Single();
        Assert.Empty(status.Partitions.SelectMany(partition => partition.Requests));
        Assert.Equal(10, status.Partitions.Sum(partition => partition.Parked));
    }

    // Reasons of real targets name the entry, and Service Bus adds an id and a time of its own.
    [Fact]
    public async Task Are_one_group_where_their_reasons_differ_in_ids_and_times_only_and_one_action_meets_all_of_them()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 9; i++) await log.DoAsync(Tallies.Count($"t-{i}", "step"));
        await log.Engine([new Forwarder("f", new Refusing(entry => (entry.Offset % 3) switch
        {
            0 => $"ArgumentException: The message '{entry.Id}' of {entry.Subject} has no price. TrackingId:{Guid.NewGuid()}_G7_B2, Timestamp:2026-11-22T08:00:{entry.Offset:D2}",
            1 => $"MessageSizeExceeded: The received message (delivery-id:{entry.Offset}, size:30000{entry.Offset} bytes) exceeds the limit (262144 bytes) currently allowed on the link.",
            _ => $"InvalidOperationException: Tally t-{entry.Offset} is closed",
        })) { RefusalsInARow = 0 }]).RunAsync(CancellationToken.None);
        var api = Api(log);

        var groups = (await AnswerAsync(Request("/api/forwarders/f/parked?groupBy=reason"), ask => api.ParkedAsync(ask, "f", CancellationToken.None))).Json.EnumerateArray().ToList();

        Assert.Equal(
            [
                (3, "ArgumentException: The message '…' of … has no price. TrackingId:…, Timestamp:…"),
                (3, "InvalidOperationException: Tally … is closed"),
                (3, "MessageSizeExceeded: The received message (delivery-id:…, size:… bytes) exceeds the limit (262144 bytes) currently allowed on the link."),
            ],
            groups.Select(group => (group.GetProperty("count").GetInt32(), group.GetProperty("reason").GetString()!)));
        foreach (var group in groups)
        {
            var body = $$"""{"reason":{{group.GetProperty("reason").GetRawText()}}}""";
            var answer = await AnswerAsync(Post("/api/forwarders/f/parked/retry", body), ask => api.UnparkAsync(ask, "f", isDiscard: false, CancellationToken.None));
            Assert.Equal((202, 3), (answer.Status, answer.Json.GetProperty("count").GetInt32()));
        }

        var target = new RecordingTarget();
        await log.Engine([new Forwarder("f", target)]).RunAsync(CancellationToken.None);
        Assert.Equal(9, target.Delivered.Count);
    }

    [Theory]
    [InlineData("HTTP 409: refused", "HTTP 410: refused")]
    [InlineData("no such price 1", "no such price 2")]
    [InlineData("limit of 2026-11 exceeded", "limit of 2026-12 exceeded")]
    public void Are_not_one_group_where_numbers_tell_causes_apart(string one, string other) =>
        Assert.NotEqual(Reason.Common(one, "order/o-1"), Reason.Common(other, "order/o-2"));

    [Theory]
    [InlineData("", "order/o-1", "")]
    [InlineData("the order is closed", "order/order", "the order is closed")]
    [InlineData("refused with 422", "order/422", "refused with 422")]
    [InlineData("no order 4711422", "order/4711422", "no order …")]
    [InlineData("o-11 is not o-1", "order/o-1", "o-11 is not …")]
    [InlineData("cannot find order/o-1/lines", "order/o-1", "cannot find …/lines")]
    [InlineData("[x+1] is (1)", "a/[x+1]", "… is (1)")]
    public void Have_the_entrys_own_names_left_out_of_what_they_share(string reason, string subject, string common) =>
        Assert.Equal(common, Reason.Common(reason, subject));

    [Fact]
    public async Task That_are_refused_again_are_tried_once_and_are_there_still()
    {
        await using var log = await ParkedAsync(30);

        await Operations(log).UnparkAsync("f", isDiscard: false, new EntryFilter(), partition: null, "me", CancellationToken.None);
        var target = new Refusing(_ => "again");
        await log.Engine([new Forwarder("f", target) { RefusalsInARow = 0 }]).RunAsync(CancellationToken.None);

        Assert.Equal(30, target.Calls);
        var parked = await Operations(log).ParkedAsync("f", 0, 0, 100, CancellationToken.None);
        Assert.Equal((40, 30), (parked.Count, parked.Count(entry => entry is { Behind: null, Reason: "again", Attempts: 2 })));
        Assert.Empty((await Operations(log).StatusAsync(CancellationToken.None)).Forwarders.Single().Partitions.SelectMany(partition => partition.Requests));
    }

    // What is refused after somebody decided is something that nobody has decided about.
    [Fact]
    public async Task That_come_later_are_not_meant()
    {
        await using var log = await ParkedAsync(3);
        var operations = Operations(log);
        await operations.UnparkAsync("f", isDiscard: true, new EntryFilter(), partition: null, "me", CancellationToken.None);
        log.Time.Advance(TimeSpan.FromSeconds(5));
        await log.DoAsync(Tallies.Count("late", "zero"));

        await log.Engine([new Forwarder("f", new Refusing(entry => Tallies.StepOf(entry))) { RefusalsInARow = 0 }]).RunAsync(CancellationToken.None);

        Assert.Contains(await operations.ParkedAsync("f", 0, 0, 100, CancellationToken.None), entry => entry.Subject == "tally/late");
    }

    [Fact]
    public async Task Can_be_asked_for_in_vain_and_taken_back()
    {
        await using var log = await ParkedAsync(3);
        var operations = Operations(log);

        var none = Assert.IsType<OperationResult.Matched>(await operations.UnparkAsync("f", isDiscard: true, new EntryFilter { Reason = "none" }, null, null, CancellationToken.None));
        var some = Assert.IsType<OperationResult.Matched>(await operations.UnparkAsync("f", isDiscard: true, new EntryFilter { Subject = "tally/t1" }, null, null, CancellationToken.None));
        Assert.Equal((0, null, 1), (none.Count, none.RequestId, some.Count));
        var standing = Assert.Single((await operations.StatusAsync(CancellationToken.None)).Forwarders.Single().Partitions.SelectMany(partition => partition.Requests));
        Assert.Equal((some.RequestId, 0, 1), (standing.Id, standing.Done, standing.Total));
        Assert.IsType<OperationResult.Done>(await operations.TakeBackAsync("f", some.RequestId!, CancellationToken.None));
        await log.Engine([new Forwarder("f", new RecordingTarget())]).RunAsync(CancellationToken.None);

        Assert.Equal(3, (await operations.ParkedAsync("f", 0, 0, 100, CancellationToken.None)).Count(entry => entry.Behind is null));
    }

    [Fact]
    public async Task Are_replayed_by_time_type_and_subject_too()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "s0"));
        log.Time.Advance(TimeSpan.FromMinutes(1));
        var from = log.Store.Now;
        for (var i = 1; i <= 4; i++) await log.DoAsync(Tallies.Count(i % 2 == 0 ? "a" : "b", $"s{i}"));
        log.Time.Advance(TimeSpan.FromMinutes(1));
        var to = log.Store.Now;
        await log.DoAsync(Tallies.Count("a", "s5"));
        var target = new RecordingTarget();
        await log.Engine([new Forwarder("f", target)]).RunAsync(CancellationToken.None);

        var answer = await AnswerAsync(
            Post("/api/forwarders/f/replay", $$"""{"from":"{{from:O}}","to":"{{to:O}}","subject":"tally/a","types":["Counted"]}"""), ask => Api(log).ReplayAsync(ask, "f", CancellationToken.None));
        await log.Engine([new Forwarder("f", target)]).RunAsync(CancellationToken.None);

        Assert.Equal((202, 4), (answer.Status, answer.Json.GetProperty("count").GetInt32()));
        Assert.Equal([2, 4], target.Replayed.Select(one => one.Offset));
        Assert.Equal(400, (await AnswerAsync(
            Post("/api/forwarders/f/replay", """{"from":"yesterday","to":"2026-01-01T00:00:00Z"}"""), ask => Api(log).ReplayAsync(ask, "f", CancellationToken.None))).Status);
        Assert.Equal(400, (await AnswerAsync(
            Post("/api/forwarders/f/replay", """{"from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z"}"""), ask => Api(log).ReplayAsync(ask, "f", CancellationToken.None))).Status);
    }

    [Fact]
    public async Task Or_none_a_pause_tells_since_when_by_whom_and_why()
    {
        await using var log = await ParkedAsync(1);
        var request = Post("/api/forwarders/f/pause", """{"reason":"The broker moves."}""", ("x-ms-client-principal-name", "ada@example.org"));

        await AnswerAsync(request, ask => Api(log).PauseAsync(ask, "f", isPaused: true, CancellationToken.None));
        var paused = await StandingAsync(log);
        await AnswerAsync(Post("/api/forwarders/f/resume", ""), ask => Api(log).PauseAsync(ask, "f", isPaused: false, CancellationToken.None));
        var resumed = await StandingAsync(log);

        Assert.Equal(("ada@example.org", "The broker moves."), (paused.GetProperty("pausedBy").GetString(), paused.GetProperty("pausedReason").GetString()));
        Assert.True(paused.GetProperty("paused").GetBoolean() && paused.TryGetProperty("pausedAt", out _));
        Assert.False(resumed.GetProperty("paused").GetBoolean() || resumed.TryGetProperty("pausedBy", out _));
    }

    private static async Task<JsonElement> StandingAsync(SimulatedLog log)
    {
        var status = await AnswerAsync(Request("/api/status"), ask => Api(log).StatusAsync(ask, CancellationToken.None));
        return status.Json.GetProperty("forwarders")[0].GetProperty("partitions")[0];
    }

    // Each refused for its step; of those refused for "two" another entry waits behind.
    private static async Task<SimulatedLog> ParkedAsync(int count)
    {
        var log = new SimulatedLog();
        string[] reasons = ["zero", "one", "two"];
        for (var i = 0; i < count; i++) await log.DoAsync(Tallies.Count($"t{i}", reasons[i % 3]));
        for (var i = 2; i < count; i += 3) await log.DoAsync(Tallies.Count($"t{i}", "follows"));
        await log.Engine([new Forwarder("f", new Refusing(Tallies.StepOf)) { RefusalsInARow = 0 }]).RunAsync(CancellationToken.None);
        return log;
    }

    private static ForwarderOperations Operations(SimulatedLog log) => log.Operators(log.Engine([]));

    private static OperationsApi Api(SimulatedLog log) => new(Operations(log), log.Store, new Links(null), log.Problems, log.Ticks(log.Engine([])));

    private sealed class Refusing(Func<EventEntry, string> reason) : IForwardTarget
    {
        public int Calls { get; private set; }

        public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            Calls++;
            return Task.FromResult<Delivery>(new Delivery.Refused(1, reason(entries[0])));
        }
    }
}
