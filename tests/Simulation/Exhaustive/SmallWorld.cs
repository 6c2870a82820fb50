using System.Globalization;
using Outpost.Forwarding;

namespace Outpost.Tests.Simulation;

/// <summary>What can be said of all orders of a small case.</summary>
/// <param name="Schedules">How many there were.</param>
/// <param name="MostChoices">The most choices in one of them.</param>
/// <param name="Violation">The first that went wrong, with its choices; null: none.</param>
internal sealed record Explored(long Schedules, int MostChoices, string? Violation);

/// <summary>
/// Two writers and a forwarder, each a process of its own, and nothing left to chance: which of the requests under way
/// takes effect next is chosen, and whether it gets lost, or its answer.
/// </summary>
internal sealed class SmallWorld
{
    private const int StepsMax = 200_000;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);
    private readonly Choices _choices;
    private readonly VirtualTime _time = new(stepsMax: StepsMax, runsOn: true);
    private readonly SimulatedTable _table;
    private readonly Judge _judge;
    private readonly LogModel _log;
    private readonly ForwardModel _forward;
    private readonly List<TaskCompletionSource<TableFault?>> _underWay = [];
    private readonly bool _sameEntity;
    private int _faultsLeft;
    private bool _isChosen;

    private SmallWorld(Choices choices, bool sameEntity, int faults)
    {
        (_choices, _sameEntity, _faultsLeft) = (choices, sameEntity, faults);
        _judge = new Judge(_time, isTraced: false);
        _log = new LogModel(_judge, 1, partitionsInTheEnd: 1);
        _forward = new ForwardModel(Targets.Bus, _log, _judge, new FaultTally(), 1);
        _table = new SimulatedTable(_time, exists: false) { Faults = Decide, Changed = OnChanged };
    }

    /// <summary>All orders of the first so many choices.</summary>
    /// <param name="depth">Choices walked through; the rest of each run goes first come, first served.</param>
    /// <param name="sameEntity">Whether the two commands are about the same entity.</param>
    /// <param name="faults">Requests or answers that get lost, at most.</param>
    public static Explored Explore(int depth, bool sameEntity, int faults)
    {
        var choices = new Choices(depth);
        var schedules = 0L;
        do
        {
            schedules++;
            var world = new SmallWorld(choices, sameEntity, faults);
            world.Run();
            if (world._judge.IsOver) return new Explored(schedules, choices.MostInARun, $"choices {choices}: {world._judge.Violations[0].Trim()}");
        }
        while (choices.Next());
        return new Explored(schedules, choices.MostInARun, null);
    }

    private void Run()
    {
        try
        {
            _time.Run(RunAsync);
        }
        catch (InvalidOperationException e)
        {
            _judge.Wrong(e.Message);
        }
    }

    private async Task RunAsync()
    {
        var random = new Random(1);
        var (one, other, forwarder) = (NewProcess("one"), NewProcess("other"), NewProcess("forwarder"));
        foreach (var process in new[] { one, other, forwarder }) await process.Start(() => process.Store.LayoutAsync(CancellationToken.None).AsTask());
        var engine = forwarder.Engine([new Forwarder(Targets.Bus, new Broker(_forward))], linger: TimeSpan.Zero);

        _isChosen = true;
        var all = Task.WhenAll(CommandAsync(one, "a", "x"), CommandAsync(other, "b", _sameEntity ? "x" : "y"), ForwardAsync(forwarder, engine));
        while (!all.IsCompleted)
        {
            // When nothing else can go on, all who wait for the table are here.
            await Task.Delay(Moment, _time);
            if (_underWay.Count > 0) ReleaseOne();
        }

        await all;
        _isChosen = false;
        await ForwardAsync(forwarder, engine);
        if (!_forward.IsIdle(0, _time.GetUtcNow())) _judge.Wrong($"the forwarder is at {_forward.Next(0)} of {_log.Head(0)}, lease {_forward.Owner(0)}");
        foreach (var process in new[] { one, other, forwarder }) process.Metrics.Dispose();

        VirtualProcess NewProcess(string name) => new(_time, _table, random, name);
    }

    private async Task CommandAsync(VirtualProcess process, string step, string id)
    {
        var asked = new Asked { Step = step, Kind = CommandKind.Count, EntityId = id, Events = 1, Idempotency = new Idempotency("count", step, step) };
        _log.Ask(asked);
        var answers = new Answers(_judge, _log);
        // With a key it is asked again until it is answered.
        for (var answered = false; !answered;)
        {
            var before = answers.Before(asked);
            answered = answers.Answered(asked, before, await process.Start(() => Callers.ExecuteAsync(process, asked, CancellationToken.None)));
        }
    }

    private static Task ForwardAsync(VirtualProcess process, ForwardingEngine engine) => process.Start(async () =>
    {
        try
        {
            await engine.RunAsync(CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
            // The next tick.
        }
    });

    private TableFault? Decide(TableRequest request)
    {
        if (!_isChosen) return null;
        var decision = new TaskCompletionSource<TableFault?>();
        _underWay.Add(decision);
        return new TableFault.ToldLater(decision.Task);
    }

    private void ReleaseOne()
    {
        var ways = _faultsLeft > 0 ? 3 : 1;
        var choice = _choices.Choose(_underWay.Count * ways);
        var decision = _underWay[choice / ways];
        _underWay.RemoveAt(choice / ways);
        if (choice % ways > 0) _faultsLeft--;
        decision.SetResult((choice % ways) switch
        {
            1 => new TableFault.BeforeEffect(TableError.Unreachable),
            2 => new TableFault.AfterEffect(TableError.ConnectionReset),
            _ => null,
        });
    }

    private void OnChanged(IReadOnlyList<RowChange> changes)
    {
        if (changes[0].Partition == "layout" || changes[0].Partition.StartsWith(Outpost.Tables.Keys.LineFrom, StringComparison.Ordinal)) return;
        _log.Changed(int.Parse(changes[0].Partition, CultureInfo.InvariantCulture), changes, _time.GetUtcNow());
        _forward.Changed(0, changes);
    }

    private sealed class Broker(ForwardModel forward) : IForwardTarget
    {
        public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            forward.Accept([entries[0]], replay);
            return Task.FromResult<Delivery>(new Delivery.Accepted(1));
        }
    }
}
