using System.Globalization;
using System.Text.Json;
using Outpost.Forwarding;

namespace Outpost.Tests.Simulation;

/// <summary>
/// One forwarder as it must be: what its target has, what is parked, and where its checkpoints are. A checkpoint never
/// goes back, nor past what was neither accepted nor parked; a living lease is nobody else's; the target gets each
/// subject's entries in order.
/// </summary>
internal sealed partial class ForwardModel
{
    private readonly string _name;
    private readonly LogModel _log;
    private readonly Judge _judge;
    private readonly FaultTally _faults;
    private readonly Partition[] _partitions;
    private readonly Dictionary<string, int> _placeOf = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Replay, int Partition), HashSet<long>> _replayed = [];

    public ForwardModel(string name, LogModel log, Judge judge, FaultTally faults, int partitions)
    {
        (_name, _log, _judge, _faults) = (name, log, judge, faults);
        _partitions = [.. Enumerable.Range(0, partitions).Select(_ => new Partition())];
    }

    public string Name => _name;

    public int TakeOvers { get; private set; }

    /// <summary>Where the checkpoint is; null: there is none.</summary>
    public long? Next(int partition) => _partitions[partition].Checkpoint?.Number("Next");

    /// <summary>Who has the lease, or had it last; null: nobody.</summary>
    public string? Owner(int partition) => _partitions[partition].Checkpoint?.Text("Owner") is { Length: > 0 } owner ? owner : null;

    public IReadOnlyCollection<long> Parked(int partition) => _partitions[partition].Parked.Keys;

    /// <summary>The parked entries an operator can decide about.</summary>
    public IReadOnlyList<long> Refused(int partition) =>
        [.. _partitions[partition].Parked.Where(parked => parked.Value.Number("Behind") is null).Select(parked => parked.Key)];

    public bool IsParked(int partition, long offset) => _partitions[partition].Parked.ContainsKey(offset);

    /// <summary>Nothing is left to do.</summary>
    /// <param name="partition">Which partition.</param>
    /// <param name="now">By the store's clock: the lease of a process that died stays in the row, where nobody needs it.</param>
    public bool IsIdle(int partition, DateTimeOffset now) =>
        (Next(partition) ?? 0) == _log.Head(partition) && _partitions[partition].Parked.Count == 0 && !IsAsked(partition)
        && (Owner(partition) is null || now - _partitions[partition].Checkpoint!.Timestamp > Checkpoint.LeaseTime);

    /// <summary>An operator asked for something that is still to be done.</summary>
    public bool IsAsked(int partition) => Waiting(_partitions[partition]).Count > 0;

    /// <summary>Whatever is parked may be discarded from now on: the request says which entries by their reason.</summary>
    public void DiscardsInBulk(int partition) => _partitions[partition].IsDiscardedInBulk = true;

    public void Discards(int partition, long offset) => _partitions[partition].Discards.Add(offset);

    /// <summary>The target has these entries now.</summary>
    public void Accept(IReadOnlyList<EventEntry> entries, string? replay)
    {
        foreach (var entry in entries)
        {
            var known = entry.Offset < _log.Head(entry.Partition) ? _log.Entry(entry.Partition, entry.Offset) : null;
            if (known is null || known.Subject != entry.Subject || known.Version != entry.Version || known.Payload != System.Text.Encoding.UTF8.GetString(entry.Payload.Span))
                _judge.Wrong($"{_name} got {entry.Id}, which is not in the log like that");
            else if (replay is not null) Replayed(replay, entry.Partition).Add(entry.Offset);
            else Accept(entry);
        }
    }

    /// <summary>What a replay has delivered.</summary>
    public HashSet<long> Replayed(string replay, int partition)
    {
        if (!_replayed.TryGetValue((replay, partition), out var offsets)) _replayed[(replay, partition)] = offsets = [];
        return offsets;
    }

    private void Accept(EventEntry entry)
    {
        var partition = _partitions[entry.Partition];
        if (!partition.Accepted.Add(entry.Offset))
        {
            _faults.Fired(FaultKind.DuplicateDelivery);
            return;
        }

        // All earlier ones of the subject are there, or were given up.
        var offsets = _log.OffsetsOf(entry.Subject);
        var place = _placeOf.GetValueOrDefault(entry.Subject);
        while (place < offsets.Count && (partition.Accepted.Contains(offsets[place]) || partition.IsDiscarded(offsets[place]))) place++;
        _placeOf[entry.Subject] = place;
        if (place < offsets.Count && offsets[place] < entry.Offset)
            _judge.Wrong($"{_name} got {entry.Offset} of {entry.Subject} in partition {entry.Partition} before {offsets[place]}");
    }

    /// <summary>Rows of this forwarder that one transaction wrote.</summary>
    public void Changed(int number, IReadOnlyList<RowChange> changes)
    {
        var partition = _partitions[number];
        RowChange? checkpoint = null;
        foreach (var change in changes)
        {
            if (change.Row == $"c|{_name}") checkpoint = change;
            else if (change.Row == $"c|{_name}|control") Asked(partition, change);
            else if (change.Row.StartsWith($"p|{_name}|", StringComparison.Ordinal)) ParkedChanged(number, partition, change);
        }

        if (checkpoint is not null) Moved(number, partition, checkpoint);
        else if (changes.Any(change => change.Row.StartsWith($"p|{_name}|", StringComparison.Ordinal)))
            _judge.Wrong($"{_name}: parked entries were written without the checkpoint");
    }

    private static void Asked(Partition partition, RowChange change)
    {
        using var requests = JsonDocument.Parse(change.After?.Text("Requests") ?? "[]");
        // What was taken back is not there any more.
        partition.Requests = [.. requests.RootElement.EnumerateArray().Select(request => request.GetProperty("Number").GetInt64())];
        partition.IsPaused = change.After?.Values.GetValueOrDefault("Paused") is true;
    }

    private void ParkedChanged(int number, Partition partition, RowChange change)
    {
        var offset = long.Parse(change.Row.AsSpan(change.Row.Length - 19), CultureInfo.InvariantCulture);
        if (change.After is { } row)
        {
            partition.Parked[offset] = row;
            return;
        }

        partition.Parked.Remove(offset);
        if (partition.IsDiscardedInBulk && change.Before!.Number("Behind") is null && !partition.Accepted.Contains(offset)) partition.Discards.Add(offset);
        if (!partition.Accepted.Contains(offset) && !partition.Discards.Contains(offset))
            _judge.Wrong($"{_name}: {offset} of partition {number} is no longer parked, but neither accepted nor discarded");
    }

    private void Moved(int number, Partition partition, RowChange change)
    {
        if (change.After is not { } now)
        {
            _judge.Wrong($"{_name}: the checkpoint of partition {number} was deleted");
            return;
        }

        partition.Checkpoint = now;
        var next = now.Number("Next")!.Value;
        var from = change.Before?.Number("Next") ?? 0;
        if (next < from) _judge.Wrong($"{_name}: the checkpoint of partition {number} went back from {from} to {next}");
        for (var offset = from; offset < next; offset++)
        {
            if (!partition.Accepted.Contains(offset) && !partition.Parked.ContainsKey(offset))
                _judge.Wrong($"{_name}: the checkpoint of partition {number} went from {from} to {next}; {offset} was neither accepted nor parked");
        }

        if (now.Number("Parked") != partition.Parked.Count) _judge.Wrong($"{_name}: {now.Number("Parked")} parked entries by the checkpoint, {partition.Parked.Count} by the rows");
        if (change.Before is { } before) Leased(number, before, now);
    }

    private void Leased(int number, SimulatedRow before, SimulatedRow now)
    {
        if (now.Number("Write") != before.Number("Write") + 1) _judge.Wrong($"{_name}: write {now.Number("Write")} of partition {number} follows {before.Number("Write")}");
        var (holder, owner) = (before.Text("Owner")!, now.Text("Owner")!);
        var rise = now.Number("Epoch") - before.Number("Epoch");
        if (owner.Length > 0 && owner != holder && rise != 1) _judge.Wrong($"{_name}: {owner} took partition {number} and the epoch rose by {rise}");
        if (rise is not (0 or 1)) _judge.Wrong($"{_name}: the epoch of partition {number} rose by {rise}");
        if (holder.Length == 0 || owner.Length == 0 || owner == holder) return;
        TakeOvers++;
        var age = now.Timestamp - before.Timestamp;
        if (age < Checkpoint.LeaseTime) _judge.Wrong($"{_name}: {owner} took the lease of {holder} on partition {number} after {age.TotalSeconds:F1} s");
    }

    private sealed class Partition
    {
        public readonly HashSet<long> Accepted = [];
        public readonly HashSet<long> Discards = [];
        public readonly SortedDictionary<long, SimulatedRow> Parked = [];
        public SimulatedRow? Checkpoint;
        public IReadOnlyList<long> Requests = [];
        public bool IsPaused;
        public bool IsDamaged;
        public bool IsDiscardedInBulk;

        public bool IsDiscarded(long offset) => Discards.Contains(offset) && !Parked.ContainsKey(offset);
    }
}
