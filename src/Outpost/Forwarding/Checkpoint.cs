namespace Outpost.Forwarding;

/// <summary>
/// How far a forwarder has come in one partition, and who holds the lease on it. One row, written by compare-and-swap
/// only, so that of two processes that both think they hold the lease only one can go on.
/// </summary>
public sealed record Checkpoint
{
    /// <summary>
    /// Longest time from a write by its owner until others may take over, by the store's clock. Long enough for a send
    /// and its own retries, short enough that a crash is made up for within twenty seconds.
    /// </summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(15);

    /// <summary>Name of the forwarder.</summary>
    public required string Forwarder { get; init; }

    /// <summary>Everything below was accepted by the target, or is parked.</summary>
    public required long NextOffset { get; init; }

    /// <summary>Rises whenever the lease is taken.</summary>
    public long Epoch { get; init; }

    /// <summary>The process that holds the lease; null: nobody.</summary>
    public string? Owner { get; init; }

    /// <summary>Rises with each write: tells an own write whose answer got lost from somebody else's.</summary>
    public long Write { get; init; }

    /// <summary>How many entries are parked.</summary>
    public int Parked { get; init; }

    /// <summary>The last operator's request that was carried out; see <see cref="Control"/>.</summary>
    public long RequestDone { get; init; }

    /// <summary>Where the replay under way goes on; null: none is.</summary>
    public long? ReplayNext { get; init; }

    /// <summary>It has not moved since it was begun: should what it began with be gone, it begins with what is there.</summary>
    public bool IsNew { get; init; }

    /// <summary>Why the last attempt failed; null: it did not.</summary>
    public string? LastError { get; init; }

    /// <summary>Runs in a row that ended with an error.</summary>
    public int Failures { get; init; }

    /// <summary>When it was written, by the store's clock; null: not stored yet.</summary>
    public DateTimeOffset? StoredAt { get; init; }

    /// <summary>The store's concurrency token; null: not stored yet.</summary>
    public string? Tag { get; init; }

    /// <summary>How much longer the lease lasts for somebody who read the row at <paramref name="readAt"/> by the store's clock.</summary>
    public TimeSpan LeaseLeft(DateTimeOffset readAt)
    {
        if (Owner is null || StoredAt is not { } storedAt) return TimeSpan.Zero;
        var left = LeaseTime - (readAt - storedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>Whether <paramref name="stored"/> is this very write.</summary>
    public bool IsSameWrite(Checkpoint stored) => (stored.Owner, stored.Epoch, stored.Write) == (Owner, Epoch, Write);
}
