using System.Collections.Concurrent;
using Azure;

namespace Outpost.Tests.Unit.Tables;

/// <summary>
/// Commands run while one request goes wrong, each request in turn; afterwards the rows must be sound and hold each
/// answered command exactly once.
/// </summary>
public sealed class Commits_survive_faults
{
    private static readonly Dictionary<string, Func<Landing, TableFault>> Kinds = new()
    {
        ["unreachable"] = _ => new TableFault.BeforeEffect(TableError.Unreachable),
        ["timeout before it arrives"] = _ => new TableFault.BeforeEffect(TableError.TimedOut),
        ["all retries fail"] = _ => new TableFault.BeforeEffect(TableError.RetriesFailed),
        ["500"] = _ => new TableFault.BeforeEffect(TableError.InternalError),
        ["503"] = _ => new TableFault.BeforeEffect(TableError.Busy),
        ["429"] = _ => new TableFault.BeforeEffect(TableError.TooManyRequests),
        ["500 inside an accepted answer"] = _ => new TableFault.BeforeEffect(() => TableError.Transaction(500, "InternalError")),
        ["503 for its third row"] = _ => new TableFault.BeforeEffect(() => TableError.Transaction(503, "ServerBusy", 2)),
        ["403"] = _ => new TableFault.BeforeEffect(() => TableError.Status(403, "AuthorizationPermissionMismatch")),
        ["answer lost"] = _ => new TableFault.AfterEffect(TableError.ConnectionReset),
        ["timeout after it arrived"] = _ => new TableFault.AfterEffect(TableError.TimedOut),
        ["500 though it was done"] = _ => new TableFault.AfterEffect(TableError.InternalError),
        ["500 inside, though it was done"] = _ => new TableFault.AfterEffect(() => TableError.Transaction(500, "OperationTimedOut")),
        ["all answers lost"] = _ => new TableFault.AfterEffect(TableError.RetriesFailed),
        ["sent twice by the client"] = _ => new TableFault.SentTwice(),
        ["lands late"] = landing => new TableFault.LandsLate(TableError.TimedOut, landing),
    };

    public static TheoryData<string, int> EachKind
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var kind in Kinds.Keys)
            {
                // How many requests later it lands: while its outcome is looked up, while it is sent again, or at the very end.
                int[] delays = kind == "lands late" ? [1, 2, 3, 4, 5, 1000] : [0];
                foreach (var delay in delays) data.Add(kind, delay);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(EachKind))]
    public async Task Of_one_process(string kind, int delay) => await AtEachRequestAsync(kind, delay, processes: 1);

    [Theory]
    [MemberData(nameof(EachKind))]
    public async Task Of_one_of_two_processes(string kind, int delay) => await AtEachRequestAsync(kind, delay, processes: 2);

    [Fact]
    public async Task Of_all_kinds_at_once()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var kinds = Kinds.Where(kind => kind.Key != "403").Select(kind => kind.Value).ToList();
            var landings = new ConcurrentQueue<Landing>();
            await RunAsync(
                processes: 1 + (seed % 3),
                request =>
                {
                    lock (random)
                    {
                        if (random.Next(3) == 0 && landings.TryDequeue(out var due)) due.Now();
                        if (random.Next(4) != 0) return null;
                        var landing = new Landing();
                        landings.Enqueue(landing);
                        return kinds[random.Next(kinds.Count)](landing);
                    }
                },
                () =>
                {
                    while (landings.TryDequeue(out var due)) due.Now();
                },
                mayBeUnknown: true,
                $"seed {seed}");
        }
    }

    private static async Task AtEachRequestAsync(string kind, int delay, int processes)
    {
        const int Enough = 300;
        for (var at = 0; at < Enough; at++)
        {
            var landing = new Landing();
            var fired = false;
            await RunAsync(
                processes,
                request =>
                {
                    if (request.Number >= at + delay && fired) landing.Now();
                    if (request.Number != at) return null;
                    fired = true;
                    return Kinds[kind](landing);
                },
                () => landing.Now(),
                // A lookup that is not allowed to read cannot tell.
                mayBeUnknown: kind == "403",
                $"{kind} at request {at}");
            if (!fired)
            {
                Assert.True(at >= 8, $"only {at} requests");
                return;
            }
        }

        Assert.Fail($"still faults after {Enough} requests");
    }

    private static async Task RunAsync(
        int processes, Func<TableRequest, TableFault?> faults, Action end, bool mayBeUnknown, string what)
    {
        var logs = new List<SimulatedLog> { new() };
        while (logs.Count < processes) logs.Add(logs[0].AnotherProcess());
        var table = logs[0].Table;
        table.Faults = faults;
        var answers = new ConcurrentBag<Answer>();

        async Task Send(int process, Command<Tally> command, string step) =>
            answers.Add(await AskAsync(logs[process % processes], command, step));

        await Task.WhenAll(
            Send(0, Tallies.Count("a", "a1", key: "k1") with { LikelyNew = true }, "a1"),
            Send(1, Tallies.Count("b", "b1"), "b1"),
            Send(0, Tallies.Count("c", "c1", events: 3), "c1"));
        await Task.WhenAll(
            Send(1, Tallies.Count("a", "a2", key: "k2"), "a2"),
            Send(0, Tallies.Count("a", "a1", key: "k1") with { LikelyNew = true }, "a1"),
            Send(0, Tallies.Count("b", "b2"), "b2"));
        await Send(1, Tallies.Count("a", "a2", key: "k2"), "a2");

        table.Faults = null;
        foreach (var log in logs) await log.DisposeAsync();
        end();
        try
        {
            Judge(SoundLog.Check(table), answers, mayBeUnknown);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{what}: {e.Message}", e);
        }
    }

    private static void Judge(IReadOnlyList<string> steps, IReadOnlyCollection<Answer> answers, bool mayBeUnknown)
    {
        foreach (var asked in answers.GroupBy(answer => answer.Step))
        {
            var events = asked.Key == "c1" ? 3 : 1;
            var found = steps.Count(step => step == asked.Key);
            if (asked.Any(answer => answer.Kind == "done")) Assert.Equal((asked.Key, events), (asked.Key, found));
            else if (asked.All(answer => answer.Kind == "nothing written")) Assert.Equal((asked.Key, 0), (asked.Key, found));
            else Assert.True(mayBeUnknown && found is 0 or 3 or 1, $"{asked.Key}: {string.Join(", ", asked)}");
            Assert.InRange(asked.Count(answer => answer.IsFirst), 0, 1);
        }
    }

    // A caller with a key asks again until it is answered; one without a key takes what it gets.
    private static async Task<Answer> AskAsync(SimulatedLog log, Command<Tally> command, string step)
    {
        const int TriesMax = 30;
        for (var attempt = 1; ; attempt++)
        {
            var answer = await OnceAsync(log, command, step);
            if (answer.Kind == "done" || command.Idempotency is null || attempt == TriesMax) return answer;
        }
    }

    private static async Task<Answer> OnceAsync(SimulatedLog log, Command<Tally> command, string step)
    {
        try
        {
            return await log.RunAsync(command) switch
            {
                CommandResult<Tally>.Done done => new Answer(step, "done", !done.Replayed),
                CommandResult<Tally>.Unknown => new Answer(step, "unknown", false),
                CommandResult<Tally>.Busy => new Answer(step, "nothing written", false),
                var other => throw new InvalidOperationException($"{step}: {other}"),
            };
        }
        catch (Exception e) when (e is StoreUnavailableException or RequestFailedException { Status: 403 })
        {
            return new Answer(step, "nothing written", false);
        }
    }

    private sealed record Answer(string Step, string Kind, bool IsFirst);
}
