using Outpost.Forwarding;

namespace Outpost.Testing;

/// <summary>A target that remembers what it got: where a test's entries go in place of a broker.</summary>
public sealed class RecordingTarget : IForwardTarget
{
    private readonly Lock _lock = new();
    private readonly List<EventEntry> _received = [];

    /// <summary>What it has accepted, in order.</summary>
    public IReadOnlyList<EventEntry> Received
    {
        get
        {
            lock (_lock) return [.. _received];
        }
    }

    /// <summary>
    /// What it answers for an entry; null: it takes it. Such as <c>new Delivery.Failed(new IOException("away"), IsTransient: true)</c>,
    /// or <c>new Delivery.Refused(1, "not like this")</c>. Default: it takes all.
    /// </summary>
    public Func<EventEntry, Delivery?>? Answer { get; set; }

    /// <inheritdoc/>
    public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        for (var taken = 0; taken < entries.Count; taken++)
        {
            if (Answer?.Invoke(entries[taken]) is { } answer) return Task.FromResult(taken == 0 ? answer : new Delivery.Accepted(taken));
            lock (_lock) _received.Add(entries[taken]);
        }

        return Task.FromResult<Delivery>(new Delivery.Accepted(entries.Count));
    }
}
