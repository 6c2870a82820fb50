using System.Text.RegularExpressions;

namespace Outpost.Tests.Unit.Agreement;

/// <summary>
/// For each kind of trouble health, status, metrics, alarms, the dashboard and <c>outpost status</c> agree within three ticks
/// of five seconds, and name the cause and the way out.
/// </summary>
public sealed class All_that_operators_look_at
{
    private static readonly Trouble[] Troubles =
    [
        // health, problem, cause and way out, forwarder's state, metric, alarms that call, headline
        new("nothing", Troubled.NothingAsync, "ok", null, "", "", "idle", "outpost.failing 0", [], "Everything is forwarded"),
        new("setting lost", Troubled.SettingLostAsync, "degraded", "forwarder-orphaned", "no process", "setting again|forget it", "orphaned", "outpost.orphaned 1", ["late", "orphaned"], "Nobody runs servicebus"),
        new("timer dead", Troubled.TimerDeadAsync, "degraded", "timer-missing", "timer", "FORWARDER_SCHEDULE", "idle", "outpost.failing 0", ["heartbeat"], "The timer does not run"),
        new("topic missing", Troubled.TopicMissingAsync, "degraded", "forwarder-failing", "no such topic", "Forwarder__Topic", "failing", "outpost.failing 1", ["late"], "servicebus can’t deliver"),
        new("role missing", Troubled.RoleMissingAsync, "degraded", "forwarder-failing", "refuses this app’s identity", "Data Sender", "failing", "outpost.failing 1", ["late"], "servicebus can’t deliver"),
        new("bus away", Troubled.BusAwayAsync, "degraded", "forwarder-failing", "can’t be reached", "resumes by itself", "failing", "outpost.failing 1", ["late"], "servicebus can’t deliver"),
        new("handler hanging", Troubled.HandlerHangingAsync, "degraded", "forwarder-failing", "does not answer in time", "Look at what it calls", "failing", "outpost.failing 1", ["late"], "refunds can’t deliver"),
        new("entry parked", Troubled.EntryParkedAsync, "degraded", "entries-parked", "refused", "[Rr]etry.* discard", "idle", "outpost.parked 1", ["parked"], "1 event is parked"),
        new("1,000 parked for three reasons", Troubled.ThousandParkedAsync, "degraded", "entries-parked", "refused", "[Rr]etry.* discard", "idle", "outpost.parked 1000", ["parked"], "1,000 events are parked"),
        new("refuses all", Troubled.RefusesAllAsync, "degraded", "forwarder-failing", "refuses one event after the other", "retry or discard", "failing", "outpost.failing 1", ["late", "parked"], "servicebus can’t deliver"),
        new("replay stuck", Troubled.ReplayStuckAsync, "degraded", "request-blocked", "Entry 1 is in the log no more", "Take this request back", "idle", "outpost.blocked 1", ["request-blocked"], "A request is blocked"),
        new("retention held", Troubled.RetentionHeldAsync, "degraded", "retention-held", "old entries are kept", "take it back|outpost resume", "paused", "outpost.retention.held 1", ["retention-held"], "servicebus paused"),
        new("table away", Troubled.TableAwayAsync, "unhealthy", "store-away", "did not answer", "resumes by itself", null, "outpost.failing 0", ["unanswered"], "can’t be asked"),
        new("role missing at the store", Troubled.StoreRoleMissingAsync, "unhealthy", "store-forbidden", "does not let this app in", "Storage Table Data Contributor", null, "outpost.failing 0", ["unanswered"], "can’t be asked"),
        new("table made again", Troubled.TableMadeAgainAsync, "unhealthy", "log-went-back", "went back from 3 to 1|another log", "started again|Start the app again", null, "outpost.failing 0", ["late", "unanswered"], "can’t be asked"),
        new("a row damaged", Troubled.RowDamagedAsync, "degraded", "log-damaged", "Next is String 'many'", "should be a whole number", "failing", "outpost.failing 1", ["late"], "Something is wrong with the log itself"),
        new("a process of another log", Troubled.OtherLogAsync, "unhealthy", "log-went-back", "another log", "Start the app again", null, "outpost.failing 0", ["late", "unanswered"], "can’t be asked"),
        new("clock off by an hour", Troubled.ClockOffAsync, "degraded", "clock-off", "3600 s ahead", "Set the machine's clock", "idle", "outpost.clock_skew 3600", ["clock-off"], "This machine’s clock is wrong"),
        new("a partition of a newer generation", Troubled.NewerPartitionAsync, "unhealthy", "log-went-back", "does not know of it", "Restore the whole table", "idle", "outpost.failing 0", ["unanswered"], "Something is wrong with the log itself"),
    ];

    public static TheoryData<string> Names => [.. Troubles.Select(trouble => trouble.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Agrees_and_names_the_cause_and_the_way_out(string name)
    {
        var trouble = Troubles.Single(one => one.Name == name);
        using var app = await trouble.Make();
        await app.PassAsync();

        var health = await app.HealthAsync();
        var status = await app.StatusAsync();
        Assert.Equal(trouble.Health, health.Json.GetProperty("status").GetString());
        if (trouble.Code is { } code)
        {
            var told = health.Json.GetProperty("problems").EnumerateArray().Where(one => one.GetProperty("code").GetString() == code).Select(one => $"{one.GetProperty("detail")}");
            Assert.All(told, detail => Assert.DoesNotMatch(@"[^.] (The bus|The target of \w+) ", detail));
            Explains(trouble, "health", string.Join('\n', told));
        }

        Explains(trouble, "status", status.Text.Replace("\\u0027", "'", StringComparison.Ordinal).Replace("\\u2019", "’", StringComparison.Ordinal));
        if (trouble.State is { } state) Assert.Contains($"\"state\":\"{state}\"", status.Status == 200 && status.Json.GetProperty("forwarders").GetArrayLength() > 0 ? status.Text : $"no forwarder: {status.Text}", StringComparison.Ordinal);
        else Assert.Equal(503, status.Status);
        Assert.Contains(trouble.Metric, app.Measurements.Select(one => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{one.Instrument} {Math.Round(one.Value)}")));
        Assert.Equal(trouble.Alarms, Alarms.Calling(app.Measurements));
        var page = await Shown.PageAsync(status);
        Assert.Contains(trouble.Headline, page.Split('\n')[0], StringComparison.Ordinal);
        Explains(trouble, "the page", page);
        Explains(trouble, "the tool", await Shown.ToolAsync(status));
    }

    private static void Explains(Trouble trouble, string where, string text) => Assert.True(
        Regex.IsMatch(text, trouble.Cause) && Regex.IsMatch(text, trouble.WayOut), $"{where} does not explain “{trouble.Name}”: {text}");

    private sealed record Trouble(
        string Name, Func<Task<WatchedApp>> Make, string Health, string? Code, string Cause, string WayOut, string? State, string Metric, string[] Alarms, string Headline);
}
