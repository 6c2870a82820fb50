using Outpost.AspNetCore;
using Outpost.Forwarding;

namespace Outpost.Tests.Simulation;

/// <summary>
/// People who look at the status, at any process. Where nothing of a partition changed while they looked, what they are told
/// is what is there. They are told that a forwarder fails while its target is down, and of no trouble at all in the end.
/// </summary>
internal sealed class Onlookers(World world)
{
    // Nodes that are asked in the end: with many, each says what the others say.
    private const int NodesInTheEnd = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // A lease that nobody gave back, a look at it, and a try. A delivery under way ends before its lease does.
    private static readonly TimeSpan SaysSoWithin = TimeSpan.FromSeconds(45);
    private readonly Random _random = world.Plan.Random("onlookers");

    public async Task RunAsync()
    {
        while (!world.IsCalm)
        {
            await Task.Delay(TimeSpan.FromSeconds(5 * _random.NextDouble()), world.Time);
            await LookAsync(world.AnyNode(_random));
        }
    }

    /// <summary>While the targets are down, each forwarder that has something to forward soon says that it fails.</summary>
    public async Task UntilFailingAsync()
    {
        var waiting = world.Forwards.Where(forward => forward.HasWork(world.Partitions)).ToList();
        for (var end = world.Time.Elapsed + SaysSoWithin; ;)
        {
            if (await LookAsync(world.AnyNode(_random)) is { } status) waiting.RemoveAll(forward => SaysSo(status, forward));
            waiting.RemoveAll(forward => !forward.HasWork(world.Partitions));
            if (waiting.Count == 0) return;
            if (world.Time.Elapsed > end)
            {
                world.Judge.Wrong($"{waiting[0].Name} forwards nothing, and nobody is told why");
                return;
            }

            await Task.Delay(TimeSpan.FromSeconds(1), world.Time);
        }
    }

    /// <summary>Everything is forwarded, and nobody is told of any trouble.</summary>
    public async Task CheckEndAsync()
    {
        foreach (var node in world.Nodes.Take(NodesInTheEnd))
        {
            if (await LookAsync(node) is not { } status)
            {
                world.Judge.Wrong($"{node.Process.Name} does not say how things are");
                continue;
            }

            foreach (var trouble in Troubles.Of(status).Where(trouble => trouble.Code != "clock-off"))
                world.Judge.Wrong($"everything is forwarded, and {node.Process.Name} says {trouble.Code}: {trouble.Detail}");
        }
    }

    private static bool SaysSo(LogStatus status, ForwardModel forward) =>
        status.Forwarders.Any(one => one.Name == forward.Name && one.State == "failing")
        && Troubles.Of(status).Any(trouble => trouble.Code == "forwarder-failing" && trouble.Detail.StartsWith(forward.Name, StringComparison.Ordinal));

    // Null: there was no answer.
    private async Task<LogStatus?> LookAsync(Node node)
    {
        var before = world.Changes.ToArray();
        using var end = new CancellationTokenSource(Patience, world.Time);
        var token = end.Token;
        var asked = node.Process.Start(async () =>
        {
            try
            {
                await node.Opened;
                return await world.Bounds.HoldAsync(node.Process, node.Operations.StatusAsync(token), Bounds.Http, "status");
            }
            catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
            {
                return null;
            }
            catch (Exception e)
            {
                world.Judge.Wrong($"the status failed: {e}");
                return null;
            }
        });
        await Task.WhenAny(asked, Task.Delay(Patience, world.Time));
        if (!asked.IsCompleted || await asked is not { } status) return null;
        foreach (var standing in status.Forwarders.SelectMany(forwarder => forwarder.Partitions).Where(one => before[one.Partition] == world.Changes[one.Partition]))
        {
            world.Fired(FaultKind.SomebodyLooks);
            world.Forwards.FirstOrDefault(forward => forward.Name == standing.Forwarder)?.CheckTold(standing, world.Time.GetUtcNow());
        }

        return status;
    }
}
