using Outpost.AspNetCore;
using Outpost.Tests.Unit.Forwarding;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class Health
{
    [Fact]
    public async Task Is_ok_when_the_store_answers_and_nothing_is_missing()
    {
        await using var log = new SimulatedLog();

        Assert.Equal((200, """{"status":"ok","problems":[]}"""), await AskAsync(Api(log)));
    }

    [Fact]
    public async Task Is_unhealthy_without_details_when_the_store_does_not_answer()
    {
        await using var log = new SimulatedLog();
        log.Table.Faults = _ => new TableFault.BeforeEffect(TableError.RetriesFailed);

        Assert.Equal((503, """{"status":"unhealthy","problems":[{"code":"store-away","detail":"Table Storage did not answer, or is overloaded. Everything resumes by itself once it answers."}]}"""), await AskAsync(Api(log)));
    }

    [Fact]
    public async Task Is_unhealthy_when_the_store_takes_too_long()
    {
        await using var log = new SimulatedLog();
        var never = new TaskCompletionSource();
        log.Table.Faults = _ => new TableFault.HeldBack(never.Task);
        var asking = AskAsync(Api(log));

        log.Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(503, (await asking).Status);
    }

    [Fact]
    public async Task Is_unhealthy_when_the_settings_do_not_fit_the_log()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        await using var other = new SimulatedLog(log.Table, log.Time, partitions: 2);

        Assert.Equal((503, """{"status":"unhealthy","problems":[{"code":"layout-mismatch","detail":"The settings do not fit the stored log, or the table now holds another log."}]}"""), await AskAsync(Api(other)));
    }

    [Fact]
    public async Task Tells_a_table_that_is_gone_from_a_store_that_is_away()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        log.Table.Drop();

        var (status, text) = await AskAsync(Api(log));

        Assert.Equal((503, """{"status":"unhealthy","problems":[{"code":"table-missing","detail":"The log's table is not there. Restore it from a backup, or start the app again: it then begins a new log."}]}"""), (status, text));
    }

    [Fact]
    public async Task Names_a_row_that_is_damaged_and_is_degraded_where_only_a_forwarder_needs_it()
    {
        await using var log = new SimulatedLog();
        await log.Store.LayoutAsync(CancellationToken.None);
        log.Table.Put(new Azure.Data.Tables.TableEntity("0000", "c|servicebus") { ["Next"] = "nonsense" });

        var (status, text) = await AskAsync(Api(log));

        Assert.Equal(200, status);
        Assert.StartsWith("""{"status":"degraded","problems":[{"code":"forwarder-failing",""", text, StringComparison.Ordinal);
        Assert.Contains("""{"code":"log-damaged","detail":"Damaged row in table 'outpost': PartitionKey '0000', RowKey 'c|servicebus', property Next is String 'nonsense', and should be a whole number."}""", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Is_unhealthy_when_the_log_is_not_the_one_that_it_was()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "first"));
        var head = log.Table.Row("0000", "!head")!;
        await log.DoAsync(Tallies.Count("a", "second"));
        log.Table.Put(head);
        // What became of it cannot be told; from then on nothing is sent any more.
        await log.RunAsync(Tallies.Count("a", "third"));
        await Assert.ThrowsAsync<LayoutMismatchException>(() => log.RunAsync(Tallies.Count("a", "fourth")));

        var (status, text) = await AskAsync(Api(log));

        Assert.Equal(503, status);
        Assert.Contains("log-went-back", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_settings_that_are_missing()
    {
        await using var log = new SimulatedLog();

        var (status, text) = await AskAsync(Api(log, "FORWARDER_SCHEDULE is missing."));

        Assert.Equal((503, """{"status":"unhealthy","problems":[{"code":"setting-missing","detail":"FORWARDER_SCHEDULE is missing."}]}"""), (status, text));
    }

    [Fact]
    public async Task Asks_the_store_once_in_ten_seconds_however_many_ask()
    {
        await using var log = new SimulatedLog();
        var api = Api(log);
        await AskAsync(api);
        log.Table.ForgetRequests();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AskAsync(api)));
        Assert.Empty(log.Table.Requests);
        log.Time.Advance(TimeSpan.FromSeconds(10));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AskAsync(api)));

        // The layout row, and the partition.
        Assert.Equal(2, log.Table.Requests.Count);
    }

    private static HealthApi Api(SimulatedLog log, params string[] problems) => new(log.Store, log.Operators(), new SettingsProblems(problems), log.Problems, log.Sources);

    private static async Task<(int Status, string Text)> AskAsync(HealthApi api)
    {
        var answer = await AnswerAsync(Request("/api/health"), ask => api.HealthAsync(ask, CancellationToken.None));
        Assert.Equal("no-store", answer["Cache-Control"]);
        return (answer.Status, answer.Text);
    }
}
