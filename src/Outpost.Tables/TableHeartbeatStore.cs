using Azure;
using Azure.Data.Tables;
using Outpost.Forwarding;

namespace Outpost.Tables;

/// <summary>Keeps heartbeats of processes in a table partition of their own. Thread-safe.</summary>
internal sealed class TableHeartbeatStore(TableClient table, Sources sources, StoreProblems? problems = null) : IHeartbeatStore
{
    // No app runs as more processes than this.
    private const int ProcessesMax = 1000;

    private readonly StoreCalls _calls = new(table, sources.Time, problems);

    /// <inheritdoc/>
    public Task SaveAsync(Heartbeat heartbeat, CancellationToken cancellationToken) =>
        _calls.ReachAsync(end => table.UpsertEntityAsync(HeartbeatRow.Write(heartbeat), TableUpdateMode.Replace, end), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Heartbeat>> ReadAsync(CancellationToken cancellationToken) => _calls.ReachAsync<IReadOnlyList<Heartbeat>>(
        async end =>
        {
            var found = new List<Heartbeat>();
            await foreach (var row in _calls.RowsAsync(Keys.Heartbeats, Keys.HeartbeatsFrom, Keys.HeartbeatsEnd, ProcessesMax, null, end))
            {
                try
                {
                    found.Add(HeartbeatRow.Read(row));
                }
                catch (DamagedRowException damage)
                {
                    // Health reports the damage. Only this one heartbeat is lost.
                    _calls.Found(damage);
                }

                if (found.Count == ProcessesMax) break;
            }

            return found;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(string process, CancellationToken cancellationToken) =>
        _calls.ReachAsync(end => table.DeleteEntityAsync(Keys.Heartbeats, Keys.Heartbeat(process), ETag.All, end), cancellationToken);
}

/// <summary>The row of one process's heartbeat.</summary>
internal static class HeartbeatRow
{
    public static TableEntity Write(Heartbeat heartbeat)
    {
        var row = new TableEntity(Keys.Heartbeats, Keys.Heartbeat(heartbeat.Process))
        {
            ["At"] = heartbeat.At,
            ["PeriodSeconds"] = ((long)Math.Ceiling(heartbeat.Period.TotalSeconds)),
            ["Forwarders"] = string.Join(',', heartbeat.Forwarders),
            ["Stopped"] = heartbeat.IsStopped,
        };
        if (heartbeat.TimerAt is { } timer) row["TimerAt"] = timer;
        return row;
    }

    public static Heartbeat Read(TableEntity row) => new(
        Keys.HeartbeatProcess(row.RowKey),
        row.Time("At"),
        row.TimeOrNull("TimerAt"),
        TimeSpan.FromSeconds(row.Whole("PeriodSeconds", int.MaxValue)),
        row.TextOrNull("Forwarders")?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [],
        row.Flag("Stopped"));
}
