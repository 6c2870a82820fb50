namespace Outpost.Tests.Simulation;

/// <summary>
/// Somebody writes over a checkpoint, so that it cannot be read, and puts it right some seconds later. Meanwhile nobody may
/// write over it, and whoever reads the partition is told which forwarder it stops.
/// </summary>
internal sealed class Damage(World world)
{
    private const int ReadsMax = 3;
    private readonly HashSet<(string Forwarder, int Partition)> _damaged = [];

    public bool Do(Random random)
    {
        var (forwarder, partition) = (world.Forwards[random.Next(world.Forwards.Count)].Name, random.Next(world.Partitions));
        if (!_damaged.Add((forwarder, partition))) return false;
        if (Write(() => world.Table.Damage(Key(partition), $"c|{forwarder}", "Next", "?")) is not { } before)
        {
            _damaged.Remove((forwarder, partition));
            return false;
        }

        world.Forward(forwarder).IsDamaged(partition, true);
        world.Judge.Note($"the checkpoint of {forwarder} in partition {partition} is damaged");
        _ = MendAsync(forwarder, partition, before, world.Table.Row(Key(partition), $"c|{forwarder}")!.ETag.ToString(), TimeSpan.FromSeconds(1 + (6 * random.NextDouble())));
        return true;
    }

    private static string Key(int partition) => Outpost.Tables.Keys.Partition(partition);

    private async Task MendAsync(string forwarder, int partition, SimulatedRow before, string tag, TimeSpan after)
    {
        await Task.Delay(after, world.Time);
        var node = world.Nodes[0];
        var asked = node.Process.Start(() => IsToldAsync(node, forwarder, partition));
        await Task.WhenAny(asked, Task.Delay(TimeSpan.FromSeconds(10), world.Time));
        if (asked.IsCompleted && !await asked) world.Judge.Wrong($"the checkpoint of {forwarder} in partition {partition} is damaged, and {node.Process.Name} does not say so");
        if (Write(() => world.Table.Mend(Key(partition), $"c|{forwarder}", before))?.Tag != tag)
            world.Judge.Wrong($"somebody wrote over the damaged checkpoint of {forwarder} in partition {partition}");
        world.Forward(forwarder).IsDamaged(partition, false);
        world.Judge.Note($"the checkpoint of {forwarder} in partition {partition} is mended");
        _damaged.Remove((forwarder, partition));
    }

    // The first read may be one that another caller began before the damage.
    private static async Task<bool> IsToldAsync(Node node, string forwarder, int partition)
    {
        for (var read = 0; read < ReadsMax; read++)
        {
            try
            {
                await node.Opened;
                if ((await node.Process.Store.ReadPartitionAsync(partition, CancellationToken.None)).Damaged.ContainsKey(forwarder)) return true;
            }
            catch (StoreUnavailableException)
            {
                return true;
            }
        }

        return false;
    }

    private SimulatedRow? Write(Func<SimulatedRow?> write)
    {
        world.IsDamaging = true;
        var row = write();
        world.IsDamaging = false;
        return row;
    }
}
