using Outpost.Forwarding;

namespace Outpost.Testing;

/// <summary>A target that records what it receives, for tests without a broker.</summary>
public sealed class RecordingTarget : IForwardTarget
{
    private readonly Lock _lock = new();
    private readonly List<EventEntry> _received = [];

    /// <summary>The entries that the target has accepted, in order.</summary>
    public IReadOnlyList<EventEntry> Received
    {
        get
        {
            lock (_lock) return [.. _received];
        }
    }

    /// <summary>
    /// Returns the answer to an entry, such as <c>new Delivery.Failed(new IOException("away"), IsTransient: true)</c> or
    /// <c>new Delivery.Refused(1, "not like this")</c>. If it returns null, the target accepts the entry. By default, it accepts all.
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
