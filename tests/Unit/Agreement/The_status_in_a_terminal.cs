using System.Text.Json.Nodes;

namespace Outpost.Tests.Unit.Agreement;

/// <summary>What <c>outpost status</c> and <c>outpost parked</c> print where lines are short: 80 columns, as a terminal begins with.</summary>
public sealed class The_status_in_a_terminal
{
    private const int Columns = 80;
    private const string Error = "ServiceCommunicationProblem: Connection refused ErrorCode: ConnectionRefused (topic events, partition 0, after three attempts)";
    private const string Detail = $"servicebus fails: {Error}. The bus can’t be reached. Forwarding resumes by itself.";
    private const string Reason = "Entry 41 is no longer in the log. Take this request back, and ask for the entries from 42 to 1200 in its place.";

    [Fact]
    public void Breaks_a_problem_between_words_and_aligns_its_lines()
    {
        var lines = Shown.Tools("Status", Status(Detail, Error), Columns).Split('\n');

        Assert.All(lines, line => Assert.InRange(line.TrimEnd().Length, 0, Columns));
        var told = lines.TakeWhile(line => !line.Contains("Forwarders", StringComparison.Ordinal)).ToList();
        Assert.StartsWith("forwarder-failing: servicebus fails:", told[0], StringComparison.Ordinal);
        Assert.All(told.Skip(1), line => Assert.StartsWith(new string(' ', "forwarder-failing: ".Length), line, StringComparison.Ordinal));
        Assert.Equal($"forwarder-failing: {Detail}", Joined(told));
    }

    [Fact]
    public void Says_an_error_once_and_gives_it_whole_lines()
    {
        Assert.Contains($"servicebus: failing since 2026-11-27T23:35:06Z {Error}", Joined(Shown.Tools("Status", Status("servicebus: 3 entries are parked.", Error), Columns).Split('\n')), StringComparison.Ordinal);
        Assert.Single(Joined(Shown.Tools("Status", Status(Detail, Error), Columns).Split('\n')).Split(Error).Skip(1));
    }

    [Fact]
    public void Gives_the_reason_of_a_request_whole_lines() =>
        Assert.Contains($"r-7: replay of servicebus, partition 0, blocked, by ann {Reason}", Joined(Shown.Tools("Status", Status(Detail, Error), Columns).Split('\n')), StringComparison.Ordinal);

    [Fact]
    public void Keeps_times_and_names_in_one_piece()
    {
        var text = Shown.Tools("Status", Status(Detail, Error), Columns);

        Assert.Contains("│ 2026-11-27T23:35:06Z", text, StringComparison.Ordinal);
        Assert.Contains("│ servicebus │", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Gives_the_reasons_of_parked_entries_whole_lines()
    {
        var parked = new JsonArray(
            new JsonObject { ["partition"] = 0, ["offset"] = 41, ["type"] = "OrderPlaced", ["subject"] = "order/o-1", ["attempts"] = 2, ["at"] = "2026-11-27T23:35:06.8267622Z", ["reason"] = Reason },
            new JsonObject { ["partition"] = 0, ["offset"] = 42, ["type"] = "OrderPaid", ["subject"] = "order/o-1", ["behind"] = 41, ["at"] = "2026-11-27T23:35:06.8267622Z" });
        var groups = new JsonArray(new JsonObject { ["count"] = 1, ["followers"] = 1, ["types"] = new JsonArray("OrderPlaced"), ["since"] = "2026-11-27T23:35:06.8267622Z", ["reason"] = Reason });

        Assert.Equal(
            $"Parked partition 0, offset 41: OrderPlaced of order/o-1, attempts: 2, since 2026-11-27T23:35:06Z. {Reason} partition 0, offset 42: OrderPaid of order/o-1, behind offset 41, since 2026-11-27T23:35:06Z.",
            Joined(Shown.Tools("Parked", parked, Columns).Split('\n')));
        Assert.Equal(
            $"Parked, by reason 1: OrderPlaced, with 1 behind them, since 2026-11-27T23:35:06Z {Reason}",
            Joined(Shown.Tools("Groups", groups, Columns).Split('\n')));
    }

    private static string Joined(IEnumerable<string> lines) => string.Join(' ', lines.Select(line => line.Trim())).Trim();

    private static JsonObject Status(string detail, string error) => new()
    {
        ["log"] = "k3v9x2ab",
        ["problems"] = new JsonArray(new JsonObject { ["code"] = "forwarder-failing", ["detail"] = detail }),
        ["partitions"] = new JsonArray(new JsonObject { ["partition"] = 0, ["oldestOffset"] = 0, ["headOffset"] = 1300, ["headTimestamp"] = "2026-11-27T23:35:06.8267622Z" }),
        ["forwarders"] = new JsonArray(new JsonObject
        {
            ["name"] = "servicebus",
            ["state"] = "failing",
            ["late"] = 2,
            ["parked"] = 0,
            ["failingSince"] = "2026-11-27T23:35:06.1234567Z",
            ["lastError"] = error,
            ["partitions"] = new JsonArray(new JsonObject { ["partition"] = 0, ["backlog"] = 3L }),
            ["requests"] = new JsonArray(new JsonObject { ["id"] = "r-7", ["kind"] = "replay", ["partition"] = 0, ["state"] = "blocked", ["by"] = "ann", ["reason"] = Reason }),
        }),
    };
}
