using System.Globalization;
using Azure.Data.Tables;
using Outpost.Forwarding;
using Outpost.AspNetCore;
using Outpost.Tables;
using Outpost.Tests.Unit.Http;

namespace Outpost.Tests.Unit.Tables;

/// <summary>
/// Every property of every row that a log has written is damaged, one at a time, and a process that starts then is asked
/// everything. The cases are made of the rows themselves: a new property is damaged here without a word.
/// </summary>
public sealed class A_damaged_row
{
    private const string Parks = "parks";
    private const string Waits = "waits";
    private static readonly string[] Kinds = ["another type", "missing", "absurd"];

    public static TheoryData<string, string, string, string> Damages
    {
        get
        {
            var data = new TheoryData<string, string, string, string>();
            using var world = World.Create();
            foreach (var row in world.Rows())
            {
                foreach (var property in row.Keys.Except(["PartitionKey", "RowKey", "Timestamp", "odata.etag"]))
                {
                    foreach (var kind in Kinds) data.Add(row.PartitionKey, row.RowKey, property, kind);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Is_named_and_takes_down_only_what_depends_on_it(string partitionKey, string rowKey, string property, string kind)
    {
        using var world = World.Create();
        var expected = await world.AskAsync();
        using var damaged = World.Create();
        damaged.Change(partitionKey, rowKey, row => Damage(row, property, kind));

        await CompareAsync(expected, damaged, partitionKey, rowKey);
    }

    [Theory]
    [InlineData("0000", "c|bad=ZZ")]
    [InlineData("0000", "c|nobody")]
    [InlineData("0000", "c|nobody|control")]
    [InlineData("0000", "!unknown")]
    [InlineData("0000", "p|parks|0000000000000000001")]
    [InlineData("0000", "e|garbage")]
    public async Task That_nobody_wrote_changes_nothing_for_others(string partitionKey, string rowKey)
    {
        using var world = World.Create();
        var expected = await world.AskAsync();
        using var damaged = World.Create();
        damaged.Table.Put(new TableEntity(partitionKey, rowKey) { ["Nonsense"] = "x" });

        await CompareAsync(expected, damaged, partitionKey, rowKey);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Beyond_the_head_is_recognised_and_holds_up_only_commands_of_its_partition(int distance)
    {
        using var world = World.Create();
        var head = world.Table.Row("0000", "!head")!.GetInt64("Next")!.Value;
        var last = world.Table.Row("0000", Event(head - 1))!;
        last.RowKey = Event(head + distance);
        last["Commit"] = "another";
        world.Table.Put(last);
        await using var log = world.NewProcess();

        var failure = await Record.ExceptionAsync(() => log.RunAsync(Tallies.Count(World.A, "more", events: 3)));

        Assert.Contains(last.RowKey, Assert.IsType<DamagedRowException>(failure).Message, StringComparison.Ordinal);
        Assert.Contains(log.Problems.Now, problem => problem.Detail.Contains(last.RowKey, StringComparison.Ordinal));
        Assert.IsType<CommandResult<Tally>.Done>(await log.RunAsync(Tallies.Count(World.Other, "more")));
    }

    [Fact]
    public async Task That_is_the_head_and_points_above_the_entries_is_not_believed()
    {
        using var world = World.Create();
        world.Change("0000", "!head", row => row["Next"] = row.GetInt64("Next") + 1000);
        await using var log = world.NewProcess();

        var failure = await Record.ExceptionAsync(() => log.RunAsync(Tallies.Count(World.A, "more")));

        Assert.Contains("there is no entry", Assert.IsType<DamagedRowException>(failure).Message, StringComparison.Ordinal);
    }

    // A number that became text, or a shorter one, in a copy.
    [Theory]
    [InlineData("text")]
    [InlineData("shorter")]
    [InlineData("fraction")]
    public async Task That_only_lost_the_types_of_its_numbers_is_read(string how)
    {
        using var world = World.Create();
        var expected = await world.AskAsync();
        using var copied = World.Create();
        foreach (var row in copied.Rows())
        {
            foreach (var (name, value) in row.ToList())
            {
                if (value is long number) row[name] = how switch
                {
                    "text" => number.ToString(CultureInfo.InvariantCulture),
                    "shorter" => (int)number,
                    _ => (double)number,
                };
            }

            copied.Table.Put(row);
        }

        var (answers, problems) = await copied.AskAsync();

        Assert.Empty(problems);
        Assert.Equal(expected.Answers, answers);
    }

    private static async Task CompareAsync(
        (SortedDictionary<string, string> Answers, IReadOnlyList<StoreProblem> Problems) expected, World damaged, string partitionKey, string rowKey)
    {
        var (answers, problems) = await damaged.AskAsync();

        Assert.Empty(expected.Problems);
        var different = answers.Where(answer => answer.Value != expected.Answers[answer.Key]).ToList();
        foreach (var (asked, answer) in different)
        {
            // A failure that names the row, or as much as is before it; never something else.
            Assert.True(
                answer.Contains("Damaged row", StringComparison.Ordinal) || expected.Answers[asked].StartsWith(answer, StringComparison.Ordinal),
                $"{asked}: '{answer}' in place of '{expected.Answers[asked]}'");
            Assert.True(DependsOn(asked, partitionKey, rowKey), $"{asked} does not depend on {rowKey}, but: {answer}");
        }

        if (different.Count > 0) Assert.Contains(problems, problem => problem.Detail.Contains($"'{rowKey}'", StringComparison.Ordinal));
    }

    // What may be other than before when a row is damaged.
    private static bool DependsOn(string asked, string partitionKey, string rowKey) => rowKey switch
    {
        "layout" => true,
        _ when partitionKey == "0001" => asked.Contains("partition 1", StringComparison.Ordinal),
        "!head" or "!oldest" => asked.Contains("partition 0", StringComparison.Ordinal),
        _ when rowKey.StartsWith("e|", StringComparison.Ordinal) => asked.StartsWith("feed of partition 0", StringComparison.Ordinal) || asked.StartsWith("delivered", StringComparison.Ordinal),
        _ when rowKey.StartsWith("r|", StringComparison.Ordinal) => asked.StartsWith("repeat", StringComparison.Ordinal),
        _ when rowKey.StartsWith("d|", StringComparison.Ordinal) => asked.Contains($"'{rowKey[(rowKey.LastIndexOf('|') + 1)..]}'", StringComparison.Ordinal)
            || (rowKey.EndsWith(World.A, StringComparison.Ordinal) && asked.StartsWith("repeat", StringComparison.Ordinal)),
        _ when rowKey.Contains(Parks, StringComparison.Ordinal) => asked.Contains(Parks, StringComparison.Ordinal),
        _ when rowKey.Contains(Waits, StringComparison.Ordinal) => asked.Contains(Waits, StringComparison.Ordinal),
        _ => false,
    };

    private static void Damage(TableEntity row, string property, string kind)
    {
        if (kind == "missing") row.Remove(property);
        else if (kind == "another type") row[property] = row[property] is string ? 5 : "nonsense";
        else row[property] = row[property] switch
        {
            long => -5L,
            int => -5,
            string => "",
            DateTimeOffset => new DateTimeOffset(9000, 1, 1, 0, 0, 0, TimeSpan.Zero),
            bool => "perhaps",
            byte[] => new byte[1],
            var other => throw new InvalidOperationException($"What is absurd for {other?.GetType()}?"),
        };
    }

    private static string Event(long offset) => string.Create(CultureInfo.InvariantCulture, $"e|{offset:D19}");

    /// <summary>A log with every kind of row there is.</summary>
    private sealed class World : IDisposable
    {
        public static readonly string A = InPartition(0, "a");
        public static readonly string B = InPartition(0, "b");
        public static readonly string Other = InPartition(1, "x");
        private readonly HastyTime _time = new();

        private World() => Table = new SimulatedTable(_time, exists: false);

        public SimulatedTable Table { get; }

        public static World Create()
        {
            var world = new World();
            world.FillAsync().GetAwaiter().GetResult();
            return world;
        }

        public SimulatedLog NewProcess() => new(Table, _time, partitions: 2);

        public IEnumerable<TableEntity> Rows() => Table.Rows("layout").Concat(Table.Rows("0000")).Concat(Table.Rows("0001"));

        public void Change(string partitionKey, string rowKey, Action<TableEntity> change)
        {
            var row = Table.Row(partitionKey, rowKey)!;
            change(row);
            Table.Put(row);
        }

        /// <summary>Everything one may ask a process that has just started; what fails says why.</summary>
        public async Task<(SortedDictionary<string, string> Answers, IReadOnlyList<StoreProblem> Problems)> AskAsync()
        {
            var answers = new SortedDictionary<string, string>(StringComparer.Ordinal);
            await using var log = NewProcess();
            await AskAsync("health", async () => (await HealthAsync(log)).ToString(CultureInfo.InvariantCulture));
            await AskAsync("repeat of a command in partition 0", async () => Text(await log.RunAsync(Tallies.Count(A, "first", key: "k"))));
            foreach (var (id, partition) in new[] { (A, 0), (B, 0), (Other, 1) })
                await AskAsync($"entity '{id}' in partition {partition}", async () => await ReadAsync(log, id, partition));
            foreach (var partition in new[] { 0, 1 })
                await AskAsync($"feed of partition {partition}", async () => string.Join(' ', (await log.EntriesAsync(partition)).Select(entry => $"{entry.Offset} {entry.Type} {entry.Payload.Length}")));
            var (parks, waits) = (new RecordingTarget(), new RecordingTarget());
            await using (var engine = log.Engine([new Forwarder(Parks, parks), new Forwarder(Waits, waits)], owner: "after"))
                await AskAsync("run in partition 0", async () => (await engine.RunAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30))).FailedPartitions >= 0 ? "ran" : "");
            answers[$"delivered by {Parks} of partition 0"] = Offsets(parks, 0);
            answers[$"delivered by {Parks} of partition 1"] = Offsets(parks, 1);
            answers[$"delivered by {Waits} of partition 0"] = Offsets(waits, 0);
            answers[$"delivered by {Waits} of partition 1"] = Offsets(waits, 1);
            foreach (var (id, partition) in new[] { (A, 0), (B, 0), (Other, 1) })
                await AskAsync($"command on '{id}' in partition {partition}", async () => Text(await log.RunAsync(Tallies.Count(id, "after"))));
            answers.Remove("health");
            return (answers, log.Problems.Now);

            async Task AskAsync(string what, Func<Task<string>> ask)
            {
                try
                {
                    answers[what] = await ask().WaitAsync(TimeSpan.FromSeconds(30));
                }
                catch (DamagedRowException e)
                {
                    log.Problems.Damaged(e);
                    answers[what] = e.Message;
                }
            }
        }

        public void Dispose() => Table.Drop();

        private async Task FillAsync()
        {
            await using var log = NewProcess();
            await log.DoAsync(Tallies.Count(A, "first", key: "k"));
            await log.DoAsync(Tallies.Count(B, "second"));
            await log.DoAsync(Tallies.Count(A, "third") with { TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", CorrelationId = "c" });
            await log.DoAsync(Tallies.Count(Other, "fourth"));
            await log.DoAsync(Blob());
            await using (var engine = log.Engine([new Forwarder(Parks, new RecordingTarget { Refuses = entry => entry.Offset == 0 && entry.Partition == 0 }), new Forwarder(Waits, new RecordingTarget())]))
                await engine.RunAsync(CancellationToken.None);
            var operators = new ForwarderOperations(log.Store, log.Checkpoints, log.Engine([]), log.Sources);
            Assert.IsType<OperationResult.Done>(await operators.PauseAsync(Waits, null, isPaused: true, CancellationToken.None));
            Assert.IsType<OperationResult.Done>(await operators.ReplayAsync(Waits, 0, 0, 0, CancellationToken.None, "me"));
            await log.Checkpoints.WishAsync(0, Parks, new LeaseWish("another", 1), CancellationToken.None);
            await new TableRetentionStore(Table, log.Sources).SaveOldestAsync(0, 0, (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Trimmed, CancellationToken.None);
            await log.DoAsync(Tallies.Count(B, "fifth"));
        }

        private static Command<Tally> Blob() => Tallies.Count(B, "blob") with
        {
            Decide = tally => new Decision<Tally>.Accepted(
                new Tally(tally!.Count + 1, [.. tally.Steps, "blob"]),
                [new NewEvent("Blob", "application/octet-stream", new byte[70_000])]),
        };

        private static async Task<int> HealthAsync(SimulatedLog log)
        {
            var operators = new ForwarderOperations(log.Store, log.Checkpoints, log.Engine([]), log.Sources);
            var api = new HealthApi(log.Store, operators, new SettingsProblems([]), log.Problems, log.Sources);
            return (await Asking.AnswerAsync(Asking.Request("/api/health"), ask => api.HealthAsync(ask, CancellationToken.None))).Status;
        }

        private static async Task<string> ReadAsync(SimulatedLog log, string id, int partition) =>
            await log.Store.ReadEntityAsync(partition, Tallies.Entity.Name, id, CancellationToken.None) is { } entity
                ? $"{entity.Version} {string.Join(' ', Tallies.Entity.Read(entity).Steps)}"
                : "none";

        private static string Text(CommandResult<Tally> result) => result is CommandResult<Tally>.Done done
            ? $"done {done.Version} {done.Replayed} {string.Join(' ', done.State.Steps)}"
            : result.GetType().Name;

        private static string Offsets(RecordingTarget target, int partition) =>
            string.Join(' ', target.Delivered.Where(entry => entry.Partition == partition).Select(entry => entry.Offset));

        private static string InPartition(int partition, string name) =>
            Enumerable.Range(0, 100).Select(i => $"{name}{i}").First(id => LogLayout.PartitionOf(Tallies.Entity.Subject(id), 2) == partition);
    }
}
