namespace Outpost.Forwarding;

/// <summary>
/// How far a forwarder has come in one partition, and who holds the lease on it. One row, written by compare-and-swap
/// only, so that of two processes that both think they hold the lease only one can go on.
/// </summary>
internal sealed record Checkpoint
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

    /// <summary>All operators' requests up to this number are carried out or taken back; see <see cref="Control"/>.</summary>
    public long RequestDone { get; init; }

    /// <summary>How far those above it have come.</summary>
    public IReadOnlyList<RequestProgress> Requests { get; init; } = [];

    /// <summary>Entries that the target refused since it last took one, or an operator last decided about one.</summary>
    public int Refused { get; init; }

    /// <summary>It has not moved since it was begun: should what it began with be gone, it begins with what is there.</summary>
    public bool IsNew { get; init; }

    /// <summary>Why the last attempt failed; null: it did not.</summary>
    public string? LastError { get; init; }

    /// <summary>Runs in a row that failed, the one under way too.</summary>
    public int Failures { get; init; }

    /// <summary>When the first of them failed; null: none did, or an older version did not say.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>The "at the latest by" of whoever wrote it, so that processes without this forwarder count what is late too; null: an older version did not say.</summary>
    public TimeSpan? Within { get; init; }

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

    /// <summary>Whether a request is carried out.</summary>
    public bool IsDone(ControlRequest request) => request.Number <= RequestDone || ProgressOf(request) is { IsDone: true };

    /// <summary>How far a request has come; null: it has not begun.</summary>
    public RequestProgress? ProgressOf(ControlRequest request) =>
        Requests.FirstOrDefault(progress => IsOf(progress, request));

    /// <summary>With what came of a request. What is told of requests that are done, or are no more, drops out.</summary>
    internal Checkpoint With(RequestProgress progress, Control control)
    {
        var all = this with { Requests = [.. Requests.Where(one => one.Number != progress.Number), progress] };
        var waiting = control.Waiting(all).ToList();
        var seen = Math.Max(control.Last, control.Requests.Count == 0 ? 0 : control.Requests[^1].Number);
        var done = Math.Max(RequestDone, waiting.Count == 0 ? seen : waiting[0].Number - 1);
        return all with
        {
            RequestDone = done,
            // Newer ones than were seen are somebody else's, who saw them.
            Requests = [.. all.Requests
                .Where(one => one.Number > done && (one.Number > seen || control.Requests.Any(request => IsOf(one, request))))
                .OrderBy(one => one.Number)],
        };
    }

    // Older versions told no ids. A number may be given again after they wrote, since they do not know the last one.
    private static bool IsOf(RequestProgress progress, ControlRequest request) =>
        progress.Number == request.Number && (progress.Id is null || progress.Id == request.Id);

    /// <summary>As it is when the target takes entries.</summary>
    internal Checkpoint Works => this with { LastError = null, Failures = 0, FailingSince = null };

    /// <summary>As it is when a run has failed; <paramref name="isCounted"/>: it is counted already.</summary>
    internal Checkpoint Fails(string reason, DateTimeOffset now, bool isCounted) => this with
    {
        LastError = reason,
        FailingSince = FailingSince ?? now,
        Failures = isCounted ? Failures : Failures + 1,
    };

    /// <summary>Whether <paramref name="stored"/> is this very write.</summary>
    public bool IsSameWrite(Checkpoint stored) => (stored.Owner, stored.Epoch, stored.Write) == (Owner, Epoch, Write);
}
