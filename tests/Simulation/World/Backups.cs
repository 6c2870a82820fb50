using Outpost.Tables;
using Outpost.Tables.Copies;

namespace Outpost.Tests.Simulation;

/// <summary>
/// People who back the log up while it is in use, with the tool, restore the file into another table and look at what they
/// got: a log without damage, which has each partition as it was at some moment of the backup.
/// </summary>
internal sealed class Backups(World world)
{
    private readonly Random _random = world.Plan.Random("backups");
    private int _tools;

    public async Task RunAsync()
    {
        while (!world.IsCalm && world.Plan.Has(FaultKind.OperatorBacksUp))
        {
            await Task.Delay(TimeSpan.FromSeconds(4 + (20 * _random.NextDouble())), world.Time);
            if (world.IsCalm) return;
            var before = Places();
            if (await WriteAsync() is { } file) await CheckAsync(file, before);
        }
    }

    private Place[] Places() => [.. Enumerable.Range(0, world.Partitions).Select(partition => new Place(
        world.Log.Head(partition), world.Retention.Oldest(partition), [.. world.Forwards.Select(forward => forward.Next(partition) ?? 0)]))];

    // Null: the log grew meanwhile, or the table was away for too long.
    private async Task<MemoryStream?> WriteAsync()
    {
        var process = new VirtualProcess(
            world.Time, world.Table, world.Plan.Random($"backup {_tools}"), $"backup {_tools++}", world.Partitions, connect: clock => world.Sabotage.Connect(world.Table, clock));
        var stream = new MemoryStream();
        var isDone = await process.Start(async () =>
        {
            try
            {
                await new LogBackup(process.Table, process.Sources).WriteAsync(stream, CancellationToken.None);
                return true;
            }
            catch (Exception e) when (e is BackupException or StoreUnavailableException or DamagedRowException)
            {
                world.Judge.Note($"no backup: {e.Message}");
                return false;
            }
            catch (Exception e)
            {
                world.Judge.Wrong($"a backup failed: {e}");
                return false;
            }
        });
        process.Metrics.Dispose();
        return isDone ? stream : null;
    }

    private async Task CheckAsync(MemoryStream file, Place[] before)
    {
        world.Fired(FaultKind.OperatorBacksUp);
        var after = Places();
        var table = new SimulatedTable(world.Time, exists: false);
        var sources = new Sources(world.Time, Guid.NewGuid, () => 0.5);
        try
        {
            file.Position = 0;
            var (_, end) = await BackupReader.CheckAsync(file, CancellationToken.None);
            file.Position = 0;
            await new LogRestore(table, sources).WriteAsync(file, end, CancellationToken.None);
            var verified = await new LogVerification(table, sources).RunAsync(CancellationToken.None);
            foreach (var finding in verified.Findings.Told) world.Judge.Wrong($"a restored log has {finding}");
            for (var partition = 0; partition < before.Length; partition++) Check(table, partition, before[partition], after[partition]);
        }
        catch (Exception e) when (e is BackupException or StoreUnavailableException or DamagedRowException)
        {
            world.Judge.Wrong($"a backup cannot be restored: {e}");
        }
    }

    private void Check(SimulatedTable table, int partition, Place before, Place after)
    {
        var rows = table.Rows(Keys.Partition(partition));
        var head = rows.FirstOrDefault(row => row.RowKey == Keys.Head) is { } one ? HeadRow.Read(one).Next : 0;
        if (head < before.Head || head > after.Head) world.Judge.Wrong($"a backup ends partition {partition} at {head}, and the log was at {before.Head}, then at {after.Head}");
        var entries = rows.Where(row => row.RowKey.StartsWith("e|", StringComparison.Ordinal)).ToList();
        if (head - entries.Count > after.Oldest) world.Judge.Wrong($"a backup of partition {partition} has {entries.Count} entries below {head}, and {after.Oldest} is the oldest");
        foreach (var row in entries)
        {
            var known = world.Log.Entry(partition, Keys.EventOffset(row.RowKey));
            if (row.GetString("Subject") != known.Subject || row.GetInt64("Version") != known.Version)
                world.Judge.Wrong($"a backup has {row.RowKey} of partition {partition} as it is not in the log");
        }

        for (var i = 0; i < world.Forwards.Count; i++)
        {
            var next = rows.FirstOrDefault(row => row.RowKey == Keys.Checkpoint(world.Forwards[i].Name))?.GetInt64("Next") ?? 0;
            if (next < Math.Min(before.Next[i], head) || next > after.Next[i])
                world.Judge.Wrong($"a backup has {world.Forwards[i].Name} at {next} in partition {partition}; it was at {before.Next[i]}, then at {after.Next[i]}");
        }
    }

    private sealed record Place(long Head, long Oldest, long[] Next);
}
