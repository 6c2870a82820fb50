using System.Globalization;

namespace Outpost.Tests.Simulation;

/// <summary>
/// What may be deleted: what is old, what every forwarder has, what is not parked; and readers are told first.
/// </summary>
internal sealed class RetentionModel(Judge judge, LogModel log, IReadOnlyList<ForwardModel> forwarders, GoneForwarder gone, int partitions)
{
    private static readonly TimeSpan ClockSpare = TimeSpan.FromSeconds(2);
    private readonly long[] _oldest = new long[partitions];

    /// <summary>How long receipts and entries are kept.</summary>
    public static readonly TimeSpan Keeps = TimeSpan.FromSeconds(75);

    public long Oldest(int partition) => _oldest[partition];

    public void Changed(int partition, IReadOnlyList<RowChange> changes, DateTimeOffset now)
    {
        foreach (var change in changes)
        {
            if (change.Row == "!oldest") Moved(partition, change);
            else if (change.Row[0] == 'e' && change.After is null) Deleted(partition, change, now);
            else if (change.Row[0] == 'r' && change is { Before: { } receipt, After: null } && receipt.Text("Commit") is not null)
            {
                if (now - receipt.Time("At") < Keeps - ClockSpare) judge.Wrong($"a receipt was deleted after {now - receipt.Time("At")}");
            }
        }
    }

    private void Moved(int partition, RowChange change)
    {
        var oldest = change.After?.Number("Offset") ?? 0;
        if (oldest < _oldest[partition]) judge.Wrong($"the oldest offset of partition {partition} went back from {_oldest[partition]} to {oldest}");
        if (oldest > _oldest[partition]) Needed(partition, _oldest[partition], oldest, "is no longer offered");
        _oldest[partition] = oldest;
    }

    private void Deleted(int partition, RowChange change, DateTimeOffset now)
    {
        var offset = long.Parse(change.Row.AsSpan(2), CultureInfo.InvariantCulture);
        if (offset >= _oldest[partition]) judge.Wrong($"entry {offset} of partition {partition} was deleted, and readers were told that {_oldest[partition]} is the oldest");
        Needed(partition, offset, offset + 1, "was deleted");
        var age = now - log.Entry(partition, offset).At;
        if (age < Keeps - ClockSpare) judge.Wrong($"entry {offset} of partition {partition} was deleted after {age}");
    }

    private void Needed(int partition, long from, long to, string what)
    {
        if (gone.Holds(partition) < to) judge.Wrong($"entry {to - 1} of partition {partition} {what}; {GoneForwarder.Name} is not forgotten yet");
        foreach (var forwarder in forwarders)
        {
            if ((forwarder.Next(partition) ?? 0) < to) judge.Wrong($"entry {to - 1} of partition {partition} {what}; {forwarder.Name} is at {forwarder.Next(partition)}");
            foreach (var parked in forwarder.Parked(partition))
            {
                if (parked >= from && parked < to) judge.Wrong($"entry {parked} of partition {partition} {what}; it is parked by {forwarder.Name}");
            }
        }
    }
}
