using Azure.Data.Tables;
using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>Processes on one table in virtual time, with what a test asks of them.</summary>
internal sealed class Scene(VirtualTime world, SimulatedTable table, Random random)
{
    public const string Name = "bus";
    public static readonly TimeSpan Never = TimeSpan.FromDays(1);
    private int _commands;

    public VirtualTime World => world;

    public SimulatedTable Table => table;

    public TableEntity Checkpoint => table.Row("0000", $"c|{Name}") ?? throw new InvalidOperationException("There is no checkpoint.");

    public long Next => table.Row("0000", $"c|{Name}")?.GetInt64("Next") ?? 0;

    public long Head => table.Row("0000", "!head")?.GetInt64("Next") ?? 0;

    public static void Play(Func<Scene, Task> play, int seed = 1)
    {
        var world = new VirtualTime(new Random(seed));
        var random = new Random(seed);
        var table = new SimulatedTable(world, exists: false) { Service = new TableService(world, random) };
        world.Run(() => play(new Scene(world, table, random)));
    }

    public VirtualProcess Process(string name, int partitions = 1, TimeSpan clockAhead = default) =>
        new(world, table, random, name, partitions, clockAhead);

    /// <summary>A process that forwards to a target.</summary>
    public VirtualProcess Forwarding(string name, IForwardTarget target, TimeSpan tick, TimeSpan? linger = null, TimeSpan clockAhead = default, int partitions = 1)
    {
        var process = Process(name, partitions, clockAhead);
        process.Forward(process.Engine([new Forwarder(Name, target)], linger), tick);
        return process;
    }

    public Task CommitAsync(VirtualProcess process, int events = 1)
    {
        var id = $"{process.Name}-{_commands++}";
        return process.Start(() => process.Log.ExecuteAsync(Tallies.Count(id, id, events: events), CancellationToken.None));
    }

    public Task PassAsync(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), world);

    public async Task<double> UntilAsync(Func<bool> condition, double withinSeconds)
    {
        var start = world.Elapsed;
        while (!condition())
        {
            Assert.True((world.Elapsed - start).TotalSeconds < withinSeconds, $"Not within {withinSeconds} s.");
            await PassAsync(0.05);
        }

        return (world.Elapsed - start).TotalSeconds;
    }

    public int CheckpointWrites() => table.Requests.Count(request =>
        request.Kind is TableOperation.Update or TableOperation.Transaction && request.Keys[0] == $"c|{Name}");

    public int Queries(string of) => table.Requests.Count(request =>
        request.Kind == TableOperation.QueryPage && request.Keys[0].Contains($"'{of}", StringComparison.Ordinal));
}

/// <summary>Does with deliveries what a test says, and keeps the offsets of what it got.</summary>
internal sealed class ScriptedTarget(Func<int, IReadOnlyList<EventEntry>, CancellationToken, Task<Delivery>> deliver) : IForwardTarget
{
    private readonly List<long> _offsets = [];

    public ScriptedTarget()
        : this((_, entries, _) => Task.FromResult<Delivery>(new Delivery.Accepted(entries.Count)))
    {
    }

    public int Begun { get; private set; }

    public IReadOnlyList<long> Offsets => _offsets;

    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        var delivery = await deliver(++Begun, entries, cancellationToken);
        if (delivery is Delivery.Accepted accepted) _offsets.AddRange(entries.Take(accepted.Count).Select(entry => entry.Offset));
        return delivery;
    }
}
