using Outpost.Forwarding;

namespace Outpost.Tests.Testing;

/// <summary>A target that remembers what it accepted, and fails when told to.</summary>
public sealed class RecordingTarget(int batchSize = 10) : IForwardTarget
{
    private readonly Lock _lock = new();
    private readonly List<EventEntry> _delivered = [];

    /// <summary>Asked before each delivery with its number, from 1; what it throws is the delivery's failure.</summary>
    public Func<int, IReadOnlyList<EventEntry>, Task>? Before { get; set; }

    /// <summary>Asked after each delivery was accepted.</summary>
    public Func<int, Task>? After { get; set; }

    public int Deliveries { get; private set; }

    public IReadOnlyList<EventEntry> Delivered
    {
        get
        {
            lock (_lock) return [.. _delivered];
        }
    }

    public async Task<int> DeliverAsync(IReadOnlyList<EventEntry> entries, CancellationToken cancellationToken)
    {
        int number;
        lock (_lock) number = ++Deliveries;
        if (Before is not null) await Before(number, entries);
        var count = Math.Min(batchSize, entries.Count);
        lock (_lock) _delivered.AddRange(entries.Take(count));
        if (After is not null) await After(number);
        return count;
    }
}
