namespace Outpost.Tests.Simulation;

/// <summary>
/// A forwarder that no process has any more: where it stood, and what it had parked. It holds retention until somebody has
/// it forgotten, and no longer.
/// </summary>
internal sealed class GoneForwarder(Judge judge, int partitions)
{
    public const string Name = "old";
    private readonly long?[] _next = new long?[partitions];
    private int _rows;

    /// <summary>Somebody asked for it to be forgotten.</summary>
    public bool IsToBeForgotten { get; set; }

    /// <summary>Nothing of it is left.</summary>
    public bool IsForgotten => _rows == 0;

    /// <summary>The first entry it did not have, or had parked; null: it does not hold retention.</summary>
    public long? Holds(int partition) => _next[partition];

    public void Changed(int partition, IReadOnlyList<RowChange> changes)
    {
        foreach (var change in changes)
        {
            if (change.Row != $"c|{Name}" && !change.Row.StartsWith($"p|{Name}|", StringComparison.Ordinal)) continue;
            _rows += (change.After is null ? 0 : 1) - (change.Before is null ? 0 : 1);
            if (change.Row[0] == 'c') _next[partition] = change.After is null ? null : 0;
            if (change.After is null && !IsToBeForgotten) judge.Wrong($"{change.Row} of partition {partition} was deleted, and nobody asked for it");
        }
    }
}
