using System.Text.Json;
using Outpost.Forwarding;

namespace Outpost.Tests.Simulation;

/// <summary>What people are told of a forwarder: exactly what is there.</summary>
internal sealed partial class ForwardModel
{
    /// <summary>Somebody has damaged its checkpoint, or mended it.</summary>
    public void IsDamaged(int partition, bool isDamaged) => _partitions[partition].IsDamaged = isDamaged;

    /// <summary>There are entries that it has to forward, and nobody has paused it there.</summary>
    public bool HasWork(int partitions) =>
        Enumerable.Range(0, partitions).Any(number => (Next(number) ?? 0) < _log.Head(number) && !_partitions[number].IsPaused);

    /// <summary>Checks what was told of a partition that did not change meanwhile.</summary>
    /// <param name="told">What somebody was told.</param>
    /// <param name="now">By the store's clock.</param>
    public void CheckTold(ForwarderStanding told, DateTimeOffset now)
    {
        var (number, partition) = (told.Partition, _partitions[told.Partition]);
        if (partition.IsDamaged)
        {
            if (told.LastError is null) Untold(number, "the damage", "a damaged row", "none");
            return;
        }

        var row = partition.Checkpoint;
        // It may begin at the oldest entry, where it has no checkpoint yet.
        if (row is not null) Same(number, "its place", row.Number("Next"), told.NextOffset);
        Same(number, "its backlog", _log.Head(number) - told.NextOffset, told.Backlog);
        Same(number, "parked entries", partition.Parked.Count, told.Parked);
        Same(number, "the pause", partition.IsPaused, told.IsPaused);
        var waiting = string.Join(' ', Waiting(partition));
        // Why it failed last says nothing where nothing is left to do.
        Same(number, "the error", told.Backlog > 0 || waiting.Length > 0 ? row?.Text("LastError") : null, told.LastError);
        Same(number, "requests", waiting, string.Join(' ', told.Requests.Select(request => request.Request.Number)));
        // A lease that is over may be told for a while: answers that were long under way are as old as they say.
        if (Owner(number) is { } owner && now - row!.Timestamp < Checkpoint.LeaseTime) Same(number, "the owner", owner, told.LeaseOwner);
    }

    // One that is done may stand behind another that was taken back: then nobody counts on.
    private static IReadOnlyList<long> Waiting(Partition partition)
    {
        if (partition.Requests.Count == 0) return [];
        var done = partition.Checkpoint?.Number("RequestDone") ?? 0;
        using var progress = JsonDocument.Parse(partition.Checkpoint?.Text("Requests") ?? "[]");
        var isDone = progress.RootElement.EnumerateArray()
            .Where(one => one.TryGetProperty("IsDone", out var flag) && flag.GetBoolean()).Select(one => one.GetProperty("Number").GetInt64()).ToList();
        return [.. partition.Requests.Where(request => request > done && !isDone.Contains(request))];
    }

    private void Same<T>(int partition, string what, T there, T told)
    {
        if (!EqualityComparer<T>.Default.Equals(there, told)) Untold(partition, what, $"{there}", $"{told}");
    }

    private void Untold(int partition, string what, string there, string told) =>
        _judge.Wrong($"{_name}, partition {partition}: somebody was told of {what}: '{told}', and there is '{there}'");
}
