using Azure;
using Azure.Data.Tables;
using Outpost.Forwarding;
using Outpost.Tables;
using Outpost.Tables.Copies;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

/// <summary>Every kind of damage is found, named and said what it breaks; what is sound is not.</summary>
public sealed class A_damaged_log
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly Dictionary<string, (string Kind, Func<TableClient, Task> Do)> Damages = new()
    {
        ["no layout"] = ("layout", table => table.DeleteEntityAsync("layout", "layout")),
        ["another schema"] = ("layout", table => SetAsync(table, "layout", "layout", "Schema", 3L)),
        ["no such log id"] = ("layout", table => SetAsync(table, "layout", "layout", "Log", "LOG")),
        ["a partition too many"] = ("foreign-rows", table => table.UpsertEntityAsync(new TableEntity("0001", "e|0"))),
        ["somebody else's rows"] = ("foreign-rows", table => table.UpsertEntityAsync(new TableEntity("zzz", "x"))),
        ["a line of a partition too many"] = ("foreign-rows", table => table.UpsertEntityAsync(new TableEntity(Keys.Line(1), "x"))),
        ["an entry is missing"] = ("hole", table => table.DeleteEntityAsync("0000", Keys.Event(2))),
        ["the last entry is missing"] = ("hole", table => table.DeleteEntityAsync("0000", Keys.Event(5))),
        ["the head is too low"] = ("head-too-low", table => SetAsync(table, "0000", Keys.Head, "Next", 4L)),
        ["the head is too high"] = ("hole", table => SetAsync(table, "0000", Keys.Head, "Next", 9L)),
        ["the head is no number"] = ("head", table => SetAsync(table, "0000", Keys.Head, "Next", "many")),
        ["the oldest is above the head"] = ("oldest", table => table.UpsertEntityAsync(OldestRow.Write("0000", 99, new Trimmed(0, 0, null)))),
        ["an entry without a type"] = ("event", table => RemoveAsync(table, Keys.Event(1), "Type")),
        ["a payload that is no JSON"] = ("event", table => SetAsync(table, "0000", Keys.Event(1), "Payload", "{")),
        ["a wrong id"] = ("key", table => table.UpsertEntityAsync(new TableEntity("0000", "e|1"))),
        ["a row that is nothing"] = ("key", table => table.UpsertEntityAsync(new TableEntity("0000", "q|1"))),
        ["a time before the last"] = ("time", table => SetAsync(table, "0000", Keys.Event(3), "At", new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero))),
        ["an entity without a state"] = ("entity", table => RemoveAsync(table, Keys.Entity("tally", "a"), "State")),
        ["an entity that no event tells of"] = ("entity-ahead", table => SetAsync(table, "0000", Keys.Entity("tally", "a"), "Version", 7L)),
        ["an entity that is older than its events"] = ("entity-behind", table => SetAsync(table, "0000", Keys.Entity("tally", "a"), "Version", 1L)),
        ["an entity that is gone"] = ("entity-behind", table => table.DeleteEntityAsync("0000", Keys.Entity("tally", "a"))),
        ["a receipt without an answer"] = ("receipt", table => RemoveAsync(table, Keys.Receipt("count a", "k0"), "State")),
        ["a receipt that is gone"] = ("receipt-missing", table => table.DeleteEntityAsync("0000", Keys.Receipt("count a", "k0"))),
        ["a receipt that names nothing"] = ("receipt-orphan", async table =>
        {
            TableEntity row = await table.GetEntityAsync<TableEntity>("0000", Keys.Receipt("count a", "k0"));
            await table.UpsertEntityAsync(new TableEntity(row) { RowKey = Keys.Receipt("count a", "another") });
        }
        ),
        ["a checkpoint beyond the head"] = ("checkpoint-beyond-head", table => SetAsync(table, "0000", Keys.Checkpoint("servicebus"), "Next", 77L)),
        ["a checkpoint without an offset"] = ("checkpoint", table => RemoveAsync(table, Keys.Checkpoint("servicebus"), "Next")),
        ["a control that is no list"] = ("control", table => SetAsync(table, "0000", Keys.Control("servicebus"), "Requests", "?")),
        ["a parked row without a reason"] = ("parked", table => RemoveAsync(table, Keys.Parked("servicebus", 1), "Reason")),
        ["a parked entry that is gone"] = ("parked-without-entry", table => table.DeleteEntityAsync("0000", Keys.Event(1))),
        ["a parked entry that is still to come"] = ("parked-not-passed", table => SetAsync(table, "0000", Keys.Checkpoint("servicebus"), "Next", 1L)),
        ["a wrong number of parked entries"] = ("parked-count", table => SetAsync(table, "0000", Keys.Checkpoint("servicebus"), "Parked", 5L)),
        ["rows that retention has deleted"] = ("leftover", table => table.UpsertEntityAsync(OldestRow.Write("0000", 2, new Trimmed(1, 0, null)))),
        ["an action that cannot be read"] = ("history", table => table.UpsertEntityAsync(new TableEntity("history", "a|servicebus|1|x"))),
        ["a heartbeat that cannot be read"] = ("heartbeat", table => table.UpsertEntityAsync(new TableEntity("ticks", "t|x"))),
    };

    public static TheoryData<string> Names => [.. Damages.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Is_found_out(string damage)
    {
        await using var log = await SoundAsync();

        await Damages[damage].Do(log.Table);

        var found = (await new LogVerification(log.Table, TestLog.Sources).RunAsync(None)).Findings.Told;
        Assert.Contains(found, one => one.Kind == Damages[damage].Kind);
        Assert.All(found, one => Assert.True(one.What.Length > 0 && one.Breaks.Length > 0));
    }

    [Fact]
    public async Task Is_not_what_a_sound_one_looks_like()
    {
        await using var log = await SoundAsync();
        // Writers wait for their turn, one with a place and one in line.
        await log.Table.UpsertEntityAsync(new TableEntity(Keys.Line(0), Keys.Place(DateTimeOffset.UnixEpoch, "0f1e2d3c4b5a6978", 1)));
        await SetAsync(log.Table, "0000", Keys.Head, "Line", "0f1e2d3c4b5a6978");

        var verified = await new LogVerification(log.Table, TestLog.Sources).RunAsync(None);

        Assert.Empty(verified.Findings.Told);
        Assert.Equal(new VerifiedPartition(0, Oldest: 0, Head: 6, Entities: 2, Events: 6, Receipts: 6, Parked: 1), Assert.Single(verified.Partitions));
    }

    [Fact]
    public void Is_tried_here_in_each_kind_that_there_is() =>
        Assert.Equal(Finding.Kinds.Order(), Damages.Values.Select(one => one.Kind).Distinct().Order());

    // Six entries of two subjects, one of them parked, and a pause that was ended.
    private static async Task<TestLog> SoundAsync()
    {
        var log = await TestLog.CreateAsync();
        for (var i = 0; i < 6; i++)
            Assert.IsType<CommandResult<Tally>.Done>(await log.Log.ExecuteAsync(Tallies.Count(i == 1 ? "bad" : "a", $"{i}", key: $"k{i}"), None));
        await using var engine = log.Forwarder(new RecordingTarget(batchSize: 1) { Refuses = entry => entry.Offset == 1 });
        await engine.RunAsync(None);
        var operators = new ForwarderOperations(log.Store, log.Checkpoints, engine, TestLog.Sources, history: new TableHistoryStore(log.Table, TestLog.Sources));
        await operators.PauseAsync("servicebus", null, isPaused: false, None);
        await operators.PauseAsync("servicebus", null, isPaused: true, None);
        return log;
    }

    private static async Task SetAsync(TableClient table, string partitionKey, string rowKey, string name, object value)
    {
        TableEntity row = await table.GetEntityAsync<TableEntity>(partitionKey, rowKey);
        row[name] = value;
        await table.UpdateEntityAsync(row, ETag.All, TableUpdateMode.Replace);
    }

    private static async Task RemoveAsync(TableClient table, string rowKey, string name)
    {
        TableEntity row = await table.GetEntityAsync<TableEntity>("0000", rowKey);
        row.Remove(name);
        await table.UpdateEntityAsync(row, ETag.All, TableUpdateMode.Replace);
    }
}
