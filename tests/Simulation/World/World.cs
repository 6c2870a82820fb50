using System.Globalization;
using Outpost.Forwarding;

namespace Outpost.Tests.Simulation;

/// <summary>What came of one seed.</summary>
/// <param name="Plan">What it did.</param>
/// <param name="Violations">What went wrong that must not; empty: nothing.</param>
/// <param name="Trace">What happened last, where it was to be told.</param>
/// <param name="Faults">What went wrong on purpose.</param>
/// <param name="Commands">Commands asked for.</param>
/// <param name="Entries">Entries in the log.</param>
/// <param name="TakeOvers">Leases taken from others.</param>
/// <param name="Steps">Steps of the scheduler.</param>
/// <param name="Requests">To the table.</param>
/// <param name="Took">How long it was, in virtual time.</param>
internal sealed record Outcome(
    Plan Plan, IReadOnlyList<string> Violations, IReadOnlyCollection<string> Trace, FaultTally Faults, int Commands, long Entries, int TakeOvers, long Steps,
    IReadOnlyList<TableRequest> Requests, TimeSpan Took)
{
    public bool IsGood => Violations.Count == 0;
}

/// <summary>
/// Processes of the app on one table, with callers, operators and clients that pull, on virtual time: first some history,
/// then chaos, then a calm in which everything must come to rest.
/// </summary>
internal sealed class World
{
    // Long enough for what was written before to be old.
    private static readonly TimeSpan Leap = RetentionModel.Keeps + TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RestWithin = TimeSpan.FromSeconds(150);
    private readonly Random _random;
    private readonly List<Node> _all = [];
    private int _started;

    private World(Plan plan, bool isTraced)
    {
        Plan = plan;
        Time = new VirtualTime(plan.Random("schedule"), runsOn: plan.RunsOn);
        Judge = new Judge(Time, isTraced);
        _random = plan.Random("world");
        Log = new LogModel(Judge, plan.Partitions, plan.PartitionsInTheEnd);
        Forwards = [.. new[] { Targets.Bus, Targets.Handler }.Take(plan.Forwarders).Select(name => new ForwardModel(name, Log, Judge, Faults, plan.PartitionsInTheEnd))];
        Gone = new GoneForwarder(Judge, plan.PartitionsInTheEnd);
        Retention = new RetentionModel(Judge, Log, Forwards, Gone, plan.PartitionsInTheEnd);
        Changes = new int[plan.PartitionsInTheEnd];
        Sabotage = new Sabotage(plan.Broken);
        TableFaults = new TableFaults(this);
        Sabotage.Dates = TableFaults.Date;
        Targets = new Targets(this);
        Bounds = new Bounds(this);
        Table = new SimulatedTable(Time, exists: false)
        {
            Service = new TableService(Time, plan.Random("service")) { RoundTrip = TimeSpan.FromMilliseconds(12) },
            Faults = TableFaults.Next,
            PageCut = TableFaults.Cut,
            Dates = TableFaults.Date,
            OutlivesCaller = TableFaults.OutlivesCaller,
            Changed = OnChanged,
        };
    }

    public Plan Plan { get; }

    /// <summary>How many the log has now.</summary>
    public int Partitions => Log.Partitions;

    public VirtualTime Time { get; }

    public TaskScheduler Scheduler { get; private set; } = null!;

    public SimulatedTable Table { get; }

    public Judge Judge { get; }

    public FaultTally Faults { get; } = new();

    public LogModel Log { get; }

    public IReadOnlyList<ForwardModel> Forwards { get; }

    public GoneForwarder Gone { get; }

    public RetentionModel Retention { get; }

    public Sabotage Sabotage { get; }

    public TableFaults TableFaults { get; }

    public Targets Targets { get; }

    public Bounds Bounds { get; }

    public Node[] Nodes { get; private set; } = [];

    /// <summary>How often something of each partition was written.</summary>
    public int[] Changes { get; }

    /// <summary>Somebody writes to the table who is no process of the app: the models do not count that.</summary>
    public bool IsDamaging { get; set; }

    /// <summary>Nothing goes wrong yet.</summary>
    public bool IsHistory { get; private set; } = true;

    /// <summary>Nothing goes wrong any more.</summary>
    public bool IsCalm { get; private set; }

    /// <summary>Nothing is going on any more.</summary>
    public bool IsAtRest { get; private set; }

    public static Outcome Run(Plan plan, bool isTraced = false)
    {
        var world = new World(plan, isTraced);
        try
        {
            world.Time.Run(world.RunAsync);
        }
        catch (InvalidOperationException e)
        {
            world.Judge.Wrong(e.Message);
        }

        foreach (var node in world._all) node.Dispose();
        return new Outcome(
            plan, world.Judge.Violations, world.Judge.Trace, world.Faults, world.Log.Commands.Count, world.Log.Entries,
            world.Forwards.Sum(forward => forward.TakeOvers), world.Time.Steps, world.Table.Requests, world.Time.Elapsed);
    }

    public ForwardModel Forward(string name) => Forwards.First(forward => forward.Name == name);

    public void Fired(FaultKind kind)
    {
        Faults.Fired(kind);
        Judge.Note($"{kind}");
    }

    /// <summary>A process that answers callers: any, whether it is well or not.</summary>
    public Node AnyNode(Random random) => Nodes[random.Next(Nodes.Length)];

    /// <summary>A new process in the place of one that is gone.</summary>
    public void Restart(int slot, Node gone)
    {
        if (Nodes[slot] != gone || !gone.Process.IsKilled) return;
        Nodes[slot] = NewNode();
        Nodes[slot].Begin();
    }

    /// <summary>A process refuses to start: the log has grown meanwhile. It is started again with the new count.</summary>
    public void Refused(Node node)
    {
        node.Process.Kill();
        // Not from the process itself: what a killed process begins never runs.
        if (Array.IndexOf(Nodes, node) is var slot and >= 0)
            _ = Task.Factory.StartNew(() => Restart(slot, node), CancellationToken.None, TaskCreationOptions.None, Scheduler);
    }

    private async Task RunAsync()
    {
        Scheduler = TaskScheduler.Current;
        await Task.WhenAny(LiveAsync(), Judge.First);
    }

    private async Task LiveAsync()
    {
        try
        {
            var callers = new Callers(this);
            await HistoryAsync(callers);
            if (Plan.IsCrowded) Fired(FaultKind.ManyWriters);
            var operators = new Operators(this);
            var readers = new Readers(this);
            var reading = readers.RunAsync();
            var consuming = new Consumers(this).RunAsync();
            _ = new Harm(this).RunAsync();
            _ = operators.RunAsync();
            var onlookers = new Onlookers(this);
            _ = onlookers.RunAsync();
            _ = new Backups(this).RunAsync();
            await callers.ChaosAsync();
            await CalmAsync(callers, operators, onlookers);
            IsAtRest = true;
            await Task.WhenAll(reading, consuming);
            readers.CheckEnd();
            operators.CheckEnd();
            callers.CheckEnd();
            await onlookers.CheckEndAsync();
        }
        catch (Exception e)
        {
            Judge.Wrong($"the simulation itself failed: {e}");
        }
    }

    // Two processes, one after the other: what the first knows of the log is old by the time it writes again.
    private async Task HistoryAsync(Callers callers)
    {
        var (first, second) = (NewNode(), NewNode());
        Nodes = [first];
        await callers.HistoryAsync("first", Plan.History / 3);
        Nodes = [second];
        await callers.HistoryAsync("second", Plan.History - (Plan.History / 3));
        if (Plan.Has(FaultKind.OperatorForgets)) await second.Process.Start(() => ForwardedLongAgoAsync(second.Process));
        await Task.Delay(Leap, Time);
        IsHistory = false;
        Nodes = [first, second, .. Enumerable.Range(2, Math.Max(0, Plan.Processes - 2)).Select(_ => NewNode())];
        foreach (var node in Nodes) node.Begin();
        if (!Plan.Has(FaultKind.LongSleep)) return;
        Fired(FaultKind.LongSleep);
        first.Process.Pause(stopsClock: _random.Next(2) == 0);
        _ = WakeAsync(first);
    }

    // By a forwarder that is no more: it had parked the first entry, and was at the second.
    private async Task ForwardedLongAgoAsync(VirtualProcess process)
    {
        for (var partition = 0; partition < Plan.Partitions; partition++)
        {
            if (Log.Head(partition) == 0) continue;
            var entry = new ParkedEntry(partition, 0, Log.Entry(partition, 0).Subject, "Counted", "It is refused.", null, 1, Time.GetUtcNow());
            var checkpoint = new Checkpoint { Forwarder = GoneForwarder.Name, NextOffset = 1, Write = 1, Parked = 1 };
            await process.Checkpoints.SaveAsync(partition, checkpoint, [entry], [], CancellationToken.None);
        }
    }

    // By then, what came after its last commit may be deleted.
    private async Task WakeAsync(Node node)
    {
        await Task.Delay(TimeSpan.FromSeconds(15 + (20 * _random.NextDouble())), Time);
        node.Process.Resume();
    }

    private async Task CalmAsync(Callers callers, Operators operators, Onlookers onlookers)
    {
        IsCalm = true;
        Judge.Note("calm");
        foreach (var node in Nodes) node.Process.Resume();
        for (var slot = 0; slot < Nodes.Length; slot++) Restart(slot, Nodes[slot]);
        // The broker is down, and business is up.
        Targets.DownUntil = TimeSpan.MaxValue;
        await Task.Delay(TimeSpan.FromSeconds(4), Time);
        await callers.FinishAsync();
        await onlookers.UntilFailingAsync();
        Targets.DownUntil = TimeSpan.Zero;
        Targets.IsRepaired = true;
        var end = Time.Elapsed + RestWithin;
        await Task.WhenAny(operators.Growing, Task.Delay(RestWithin, Time));
        while (Forwards.Any(forward => Enumerable.Range(0, Partitions).Any(partition => !forward.IsIdle(partition, Time.GetUtcNow()))))
        {
            if (Time.Elapsed > end)
            {
                foreach (var forward in Forwards) NotIdle(forward);
                return;
            }

            await operators.ClearAsync();
            await Task.Delay(TimeSpan.FromSeconds(2), Time);
        }
    }

    private void NotIdle(ForwardModel forward)
    {
        for (var partition = 0; partition < Partitions; partition++)
        {
            if (!forward.IsIdle(partition, Time.GetUtcNow()))
                Judge.Wrong($"{forward.Name} does not come to rest in partition {partition}: at {forward.Next(partition)} of {Log.Head(partition)}, lease {forward.Owner(partition)}, {forward.Parked(partition).Count} parked{(forward.IsAsked(partition) ? ", a request waits" : "")}");
        }
    }

    private Node NewNode()
    {
        var ahead = TimeSpan.Zero;
        if (Plan.Has(FaultKind.ClockSkew) && !IsCalm && _random.Next(2) == 0)
        {
            ahead = TimeSpan.FromMinutes(240 * (_random.NextDouble() - 0.5));
            Fired(FaultKind.ClockSkew);
        }

        var node = new Node(this, $"p{_started}", Plan.Random($"process {_started++}"), ahead);
        _all.Add(node);
        Judge.Note($"{node.Process.Name} starts");
        return node;
    }

    private void OnChanged(IReadOnlyList<RowChange> changes)
    {
        if (changes[0].Partition == "layout")
        {
            Log.LayoutChanged(changes[0]);
            return;
        }

        // Places of writers only set the pace.
        if (changes[0].Partition.StartsWith(Outpost.Tables.Keys.LineFrom, StringComparison.Ordinal)) return;
        var partition = int.Parse(changes[0].Partition, CultureInfo.InvariantCulture);
        Changes[partition]++;
        if (IsDamaging) return;
        if (Judge.IsTraced) Judge.Note($"table {partition}: {string.Join(", ", changes.Select(Text))}");
        Log.Changed(partition, changes, Time.GetUtcNow());
        foreach (var forward in Forwards) forward.Changed(partition, changes);
        Gone.Changed(partition, changes);
        Retention.Changed(partition, changes, Time.GetUtcNow());
    }

    private static string Text(RowChange change)
    {
        var key = change.Row.Replace("0000000000000", "", StringComparison.Ordinal);
        if (change.After is not { } row) return $"-{key}";
        return change.Row[0] switch
        {
            '!' => $"{key} {LogModel.NextIn(row) ?? row.Number("Offset")} {row.Text("Commit")}{(row.Number("Generation") is { } generation ? $" generation {generation}" : "")}",
            'c' => $"{key} {row.Number("Next")} {row.Text("Owner")} epoch {row.Number("Epoch")} write {row.Number("Write")} parked {row.Number("Parked")} done {row.Number("RequestDone")} {row.Text("Requests")} {row.Text("LastError")}",
            'e' => $"{key} {LogModel.StepIn(LogModel.PayloadOf(row))}",
            'p' => $"{key} {row.Text("Reason")}",
            _ => key,
        };
    }
}
