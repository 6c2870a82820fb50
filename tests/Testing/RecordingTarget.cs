using Outpost.Forwarding;

namespace Outpost.Tests.Testing;

/// <summary>A target that remembers what it accepted, and fails when told to.</summary>
internal sealed class RecordingTarget(int batchSize = 10) : IForwardTarget
{
    private readonly Lock _lock = new();
    private readonly List<EventEntry> _delivered = [];
    private readonly List<(string Replay, long Offset)> _replayed = [];

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

    /// <summary>Entries it will never take: the whole delivery is refused while one of them is in it.</summary>
    public Func<EventEntry, bool>? Refuses { get; set; }

    /// <summary>Replays it was asked for, with what came in them.</summary>
    public IReadOnlyList<(string Replay, long Offset)> Replayed
    {
        get
        {
            lock (_lock) return [.. _replayed];
        }
    }

    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        int number;
        lock (_lock) number = ++Deliveries;
        if (Before is not null) await Before(number, entries);
        var count = Math.Min(batchSize, entries.Count);
        if (Refuses is not null && entries.Take(count).Any(Refuses)) return new Delivery.Refused(count, "It is refused.");
        lock (_lock)
        {
            if (replay is null) _delivered.AddRange(entries.Take(count));
            else _replayed.AddRange(entries.Take(count).Select(entry => (replay, entry.Offset)));
        }

        if (After is not null) await After(number);
        return new Delivery.Accepted(count);
    }
}
