using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Tables;

namespace Outpost.Tests.Simulation;

/// <summary>
/// People who have the log grow, with the tool: from a process of its own, which is killed in the middle now and then. They
/// call it again until it says that it is done; in between, processes that need it finish it by themselves.
/// </summary>
internal sealed class Growing(World world)
{
    private readonly Random _random = world.Plan.Random("grows");
    private int _tools;

    public async Task RunAsync()
    {
        foreach (var partitions in world.Plan.Growths)
        {
            await Task.Delay(TimeSpan.FromSeconds(8 * _random.NextDouble()), world.Time);
            world.Fired(FaultKind.OperatorGrows);
            while (!await TryAsync(partitions)) await Task.Delay(TimeSpan.FromSeconds(5 * _random.NextDouble()), world.Time);
        }
    }

    // False: it was killed, or could not reach the table.
    private async Task<bool> TryAsync(int partitions)
    {
        var killed = new TaskCompletionSource();
        var process = new VirtualProcess(
            world.Time, world.Table, world.Plan.Random($"tool {_tools}"), $"tool {_tools++}", world.Partitions, connect: clock => world.Sabotage.Connect(world.Table, clock));
        if (!world.IsCalm && world.Plan.Has(FaultKind.GrowthCrashes) && _random.Next(2) == 0)
        {
            process.After(_random.Next(60), () =>
            {
                world.Fired(FaultKind.GrowthCrashes);
                process.Kill();
                killed.SetResult();
            });
        }

        var growing = process.Start(async () =>
        {
            try
            {
                await new LogGrowth(process.Table, new StoreClock(process.Time, NullLogger<StoreClock>.Instance), process.Sources).GrowAsync(partitions, null, CancellationToken.None);
                return true;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
            catch (Exception e)
            {
                world.Judge.Wrong($"growing failed: {e}");
                return true;
            }
        });
        await Task.WhenAny(growing, killed.Task);
        process.Metrics.Dispose();
        return growing.IsCompleted && await growing;
    }
}
