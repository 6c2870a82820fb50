using Outpost.AspNetCore;
using Outpost.Forwarding;
using Outpost.Tables;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>Who did what to a forwarder, when, why, and what came of it.</summary>
public sealed class What_operators_did
{
    private const string Name = ParkedLog.Name;

    [Fact]
    public async Task Is_told_by_the_API_the_newest_first_with_who_why_and_what_came_of_it()
    {
        await using var log = await ParkedLog.WithAsync("a", "b");
        await log.ForwardAsync(new RecordingTarget());
        var api = Api(log);

        await AnswerAsync(Post($"/api/forwarders/{Name}/pause", """{"reason":"The broker moves."}""", ("x-ms-client-principal-name", "ada@example.org")), ask => api.PauseAsync(ask, Name, isPaused: true, CancellationToken.None));
        log.Time.Advance(TimeSpan.FromSeconds(1));
        await AnswerAsync(Post($"/api/forwarders/{Name}/skip", """{"partition":0,"toOffset":9,"why":"they are gone"}"""), ask => api.SkipAsync(ask, Name, CancellationToken.None));
        log.Time.Advance(TimeSpan.FromSeconds(1));
        await AnswerAsync(Post($"/api/forwarders/{Name}/replay", """{"partition":0,"fromOffset":0,"toOffset":1}"""), ask => api.ReplayAsync(ask, Name, CancellationToken.None));

        var told = (await AnswerAsync(Request($"/api/forwarders/{Name}/history"), ask => api.HistoryAsync(ask, Name, CancellationToken.None))).Json.EnumerateArray().ToList();
        Assert.Equal(
            ["replay: partition 0, entries 0 to 1: waiting", "skip: partition 0, on to entry 9: refused", "pause: all partitions: done"],
            told.Select(one => $"{one.GetProperty("action")}: {one.GetProperty("detail")}: {one.GetProperty("outcome")}"));
        Assert.Equal("ada@example.org: The broker moves.", $"{told[2].GetProperty("by")}: {told[2].GetProperty("reason")}");
        Assert.Equal("they are gone", told[1].GetProperty("reason").GetString());
        Assert.Equal("The forwarder is paused.", told[0].GetProperty("outcomeDetail").GetString());
    }

    [Fact]
    public async Task Follows_a_request_until_it_is_done_or_taken_back()
    {
        await using var log = await ParkedLog.WithAsync("a", "b");
        await log.ForwardAsync(new RecordingTarget());
        var operators = Operators(log);
        await operators.PauseAsync(Name, null, isPaused: true, CancellationToken.None);
        log.Time.Advance(TimeSpan.FromSeconds(1));
        var first = Assert.IsType<OperationResult.Done>(await operators.ReplayAsync(Name, 0, 0, 1, CancellationToken.None));
        log.Time.Advance(TimeSpan.FromSeconds(1));
        await operators.ReplayAsync(Name, 0, 1, 1, CancellationToken.None);
        log.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["waiting", "waiting", "done"], await OutcomesAsync(log));

        await operators.TakeBackAsync(Name, first.RequestId!, CancellationToken.None);
        log.Time.Advance(TimeSpan.FromSeconds(1));
        await operators.PauseAsync(Name, null, isPaused: false, CancellationToken.None);
        await log.ForwardAsync(new RecordingTarget());

        Assert.Equal(["done", "done", "done", "taken-back", "done"], await OutcomesAsync(log));
    }

    [Fact]
    public async Task To_an_unknown_forwarder_leaves_nothing()
    {
        await using var log = await ParkedLog.WithAsync("a");

        Assert.IsType<OperationResult.NotFound>(await Operators(log).PauseAsync("nobody", null, isPaused: true, CancellationToken.None));

        Assert.Null(await Operators(log).HistoryAsync("nobody", 10, CancellationToken.None));
        Assert.Equal(404, (await AnswerAsync(Request("/api/forwarders/nobody/history"), ask => Api(log).HistoryAsync(ask, "nobody", CancellationToken.None))).Status);
        Assert.Empty(log.Table.Rows(Keys.History));
    }

    [Fact]
    public async Task Outlives_a_forwarder_that_is_forgotten()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        log.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.IsType<OperationResult.Done>(await Operators(log).ForgetAsync(Name, CancellationToken.None, "me"));

        var action = Assert.Single((await Operators(log).HistoryAsync(Name, 10, CancellationToken.None))!);
        Assert.Equal(("forget", "me", "done"), (action.What, action.By, action.Outcome));
    }

    // A process that ends in the middle leaves what it began.
    [Fact]
    public async Task Is_there_also_where_nobody_saw_the_end_of_it()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        var history = History(log);
        await history.SaveAsync(new OperatorAction("x", log.Store.Now, Name, "discard", "partition 0, entry 0", "me", "why"), CancellationToken.None);

        Assert.Equal(["unknown"], await OutcomesAsync(log));
    }

    [Fact]
    public async Task Is_the_newest_500_of_each_forwarder()
    {
        await using var log = await ParkedLog.WithAsync("a");
        var history = History(log);
        for (var i = 0; i < OperatorAction.KeptMax + 3; i++)
            await history.SaveAsync(new OperatorAction($"{i}", log.Store.Now.AddSeconds(i), Name, "pause", "", null, null), CancellationToken.None);
        await history.SaveAsync(new OperatorAction("other", log.Store.Now, "other", "pause", "", null, null), CancellationToken.None);

        var kept = await history.ReadAsync(Name, OperatorAction.KeptMax, CancellationToken.None);

        Assert.Equal((OperatorAction.KeptMax, "502", "3"), (kept.Count, kept[0].Id, kept[^1].Id));
        Assert.Equal(OperatorAction.KeptMax + 1, log.Table.Rows(Keys.History).Count);
        Assert.Equal("other", Assert.Single(await history.ReadAsync("other", 10, CancellationToken.None)).Id);
    }

    [Fact]
    public async Task Costs_an_idle_tick_nothing()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await log.ForwardAsync(new RecordingTarget());
        await Operators(log).PauseAsync(Name, null, isPaused: false, CancellationToken.None);

        var before = log.Table.Requests.Count;
        await log.ForwardAsync(new RecordingTarget());

        Assert.Equal(before + 1, log.Table.Requests.Count);
    }

    private static async Task<IEnumerable<string?>> OutcomesAsync(SimulatedLog log) =>
        (await Operators(log).HistoryAsync(Name, 10, CancellationToken.None))!.Select(action => action.Outcome);

    private static TableHistoryStore History(SimulatedLog log) => new(log.Table, log.Sources);

    private static ForwarderOperations Operators(SimulatedLog log) => new(log.Store, log.Checkpoints, log.Engine([]), log.Sources, history: History(log));

    private static OperationsApi Api(SimulatedLog log) => new(Operators(log), log.Store, new Links(null), log.Problems, log.Ticks(log.Engine([])));
}
