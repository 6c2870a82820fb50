using Outpost.Forwarding;

namespace Outpost.Tests.Simulation;

/// <summary>People who pause, resume, replay, retry and discard, at any process and at any moment.</summary>
internal sealed class Operators(World world)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly Random _random = world.Plan.Random("operators");
    private readonly List<(string Forwarder, int Partition, long From, long To, string Id)> _replays = [];

    private readonly Growing _growing = new(world);

    /// <summary>Done when the log has grown as often as it was to.</summary>
    public Task Growing { get; private set; } = Task.CompletedTask;

    private Func<ForwarderOperations, CancellationToken, Task<OperationResult>>? Wish(string forwarder, int partition)
    {
        var model = world.Forward(forwarder);
        switch (_random.Next(7))
        {
            case 0 when world.Plan.Has(FaultKind.OperatorPauses):
                world.Fired(FaultKind.OperatorPauses);
                return (operations, end) => operations.PauseAsync(forwarder, partition, isPaused: true, end);
            case 1 when world.Plan.Has(FaultKind.OperatorReplays) && model.Next(partition) is > 0 and var next:
                world.Fired(FaultKind.OperatorReplays);
                var from = _random.NextInt64(world.Retention.Oldest(partition), next);
                var to = Math.Min(next - 1, from + _random.Next(12));
                return (operations, end) => ReplayAsync(operations, forwarder, partition, from, to, end);
            case 2 when world.Plan.Has(FaultKind.OperatorRetries) && model.Refused(partition) is [var parked, ..]:
                world.Fired(FaultKind.OperatorRetries);
                return (operations, end) => operations.RetryAsync(forwarder, partition, parked, end);
            case 3 when world.Plan.Has(FaultKind.OperatorDiscards) && model.Refused(partition) is [.., var last]:
                world.Fired(FaultKind.OperatorDiscards);
                model.Discards(partition, last);
                return (operations, end) => operations.DiscardAsync(forwarder, partition, last, "simulated", end);
            case 4 when world.Plan.Has(FaultKind.OperatorActsInBulk) && model.Refused(partition).Count > 0:
                world.Fired(FaultKind.OperatorActsInBulk);
                var discards = _random.Next(3) == 0;
                if (discards) model.DiscardsInBulk(partition);
                return (operations, end) => operations.UnparkAsync(forwarder, discards, new EntryFilter { Reason = "It is refused." }, partition, "simulated", end);
            case 5 when world.Plan.Has(FaultKind.OperatorTakesBack) && _replays.Count > 0:
                world.Fired(FaultKind.OperatorTakesBack);
                var replay = _replays[_random.Next(_replays.Count)];
                // From now on it may be delivered or not.
                _replays.Remove(replay);
                return (operations, end) => operations.TakeBackAsync(replay.Forwarder, replay.Id, end);
            case 6 when world.Plan.Has(FaultKind.OperatorSkips) && model.Next(partition) is { } at:
                world.Fired(FaultKind.OperatorSkips);
                var past = at + 1 + _random.Next(9);
                return (operations, end) => SkipAsync(operations, forwarder, partition, past, end);
            default:
                return null;
        }
    }

    public async Task RunAsync()
    {
        if (world.Plan.Has(FaultKind.OperatorForgets)) _ = ForgetAsync();
        Growing = _growing.RunAsync();
        while (!world.IsCalm)
        {
            await Task.Delay(TimeSpan.FromSeconds(1.8 * _random.NextDouble()), world.Time);
            if (world.IsCalm) return;
            var (forwarder, partition) = (world.Forwards[_random.Next(world.Forwards.Count)].Name, _random.Next(world.Partitions));
            if (Wish(forwarder, partition) is not { } wish) continue;
            await AskAsync(wish);
            // Nobody forgets to resume for long.
            _ = ResumeLaterAsync(forwarder, partition);
        }
    }

    // Asked until it is done: what was cut short leaves rows.
    private async Task ForgetAsync()
    {
        await Task.Delay(TimeSpan.FromSeconds(10 * _random.NextDouble()), world.Time);
        world.Fired(FaultKind.OperatorForgets);
        world.Gone.IsToBeForgotten = true;
        for (var isDone = false; !isDone || !world.Gone.IsForgotten;)
        {
            await AskAsync(async (operations, end) =>
            {
                var result = await operations.ForgetAsync(GoneForwarder.Name, end);
                isDone = result is OperationResult.Done or OperationResult.NotFound;
                return result;
            });
            await Task.Delay(TimeSpan.FromSeconds(1), world.Time);
        }
    }

    /// <summary>Resumes all, and retries or discards what is parked.</summary>
    public async Task ClearAsync()
    {
        foreach (var forward in world.Forwards)
        {
            for (var partition = 0; partition < world.Partitions; partition++)
            {
                var (name, number) = (forward.Name, partition);
                await AskAsync((operations, end) => operations.PauseAsync(name, number, isPaused: false, end));
                foreach (var parked in forward.Refused(partition))
                {
                    var discards = _random.Next(3) == 0;
                    if (discards) forward.Discards(partition, parked);
                    await AskAsync((operations, end) => discards
                        ? operations.DiscardAsync(name, number, parked, "simulated", end)
                        : operations.RetryAsync(name, number, parked, end));
                }
            }
        }
    }

    /// <summary>What was to be sent again was, as far as it is still there and the target takes it.</summary>
    public void CheckEnd()
    {
        if (world.Partitions != world.Plan.PartitionsInTheEnd) world.Judge.Wrong($"the log has {world.Partitions} partitions, not {world.Plan.PartitionsInTheEnd}");
        if (!world.Gone.IsForgotten) world.Judge.Wrong($"{GoneForwarder.Name} is not forgotten");
        foreach (var (forwarder, partition, from, to, id) in _replays)
        {
            var sent = world.Forward(forwarder).Replayed(id, partition);
            for (var offset = Math.Max(from, world.Retention.Oldest(partition)); offset <= to; offset++)
            {
                if (!sent.Contains(offset) && !world.Targets.WasRefused(offset))
                    world.Judge.Wrong($"{forwarder}: replay {id} of {from} to {to} in partition {partition} never sent {offset}");
            }
        }
    }

    private async Task<OperationResult> ReplayAsync(
        ForwarderOperations operations, string forwarder, int partition, long from, long to, CancellationToken end)
    {
        var result = await operations.ReplayAsync(forwarder, partition, from, to, end);
        if (result is OperationResult.Done { ReplayId: { } id }) _replays.Add((forwarder, partition, from, to, id));
        return result;
    }

    // Whatever is still to be forwarded is there, so nothing is ever skipped.
    private async Task<OperationResult> SkipAsync(ForwarderOperations operations, string forwarder, int partition, long to, CancellationToken end)
    {
        var result = await operations.SkipAsync(forwarder, partition, to, end);
        if (result is OperationResult.Skipped skipped) world.Judge.Wrong($"{forwarder} skipped {skipped.From} to {skipped.To} in partition {partition}, and they are there");
        return result;
    }

    private async Task ResumeLaterAsync(string forwarder, int partition)
    {
        await Task.Delay(TimeSpan.FromSeconds(10 * _random.NextDouble()), world.Time);
        await AskAsync((operations, end) => operations.PauseAsync(forwarder, partition, isPaused: false, end));
    }

    private async Task AskAsync(Func<ForwarderOperations, CancellationToken, Task<OperationResult>> wish)
    {
        using var end = new CancellationTokenSource(Patience, world.Time);
        var (node, token) = (world.AnyNode(_random), end.Token);
        var asked = node.Process.Start(async () =>
        {
            try
            {
                await node.Opened;
                await world.Bounds.HoldAsync(node.Process, wish(node.Operations, token), Bounds.Http, "an operator's wish");
            }
            catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException or DamagedRowException)
            {
                // People ask again.
            }
            catch (Exception e)
            {
                world.Judge.Wrong($"an operator's wish failed: {e}");
            }
        });
        await Task.WhenAny(asked, Task.Delay(Patience, world.Time));
    }
}
