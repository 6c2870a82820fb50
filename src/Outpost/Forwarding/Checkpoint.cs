namespace Outpost.Forwarding;

/// <summary>
/// How far a forwarder has come in one partition, and who holds the lease. A checkpoint is one row, written only by
/// compare-and-swap. So if two processes both think that they hold the lease, only one of them can go on.
/// </summary>
internal sealed record Checkpoint
{
    /// <summary>
    /// The longest time from a write by the owner until others may take over, by the store's clock. This is long enough for a send
    /// and its retries, and short enough to make up for a crash within twenty seconds.
    /// </summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(15);

    /// <summary>Name of the forwarder.</summary>
    public required string Forwarder { get; init; }

    /// <summary>The target has accepted every entry below this offset, or the entry is parked.</summary>
    public required long NextOffset { get; init; }

    /// <summary>Rises each time the lease is taken.</summary>
    public long Epoch { get; init; }

    /// <summary>The process that holds the lease; null if nobody does.</summary>
    public string? Owner { get; init; }

    /// <summary>Rises with each write. By this number, a process tells its own write, whose answer was lost, from somebody else's.</summary>
    public long Write { get; init; }

    /// <summary>Number of parked entries.</summary>
    public int Parked { get; init; }

    /// <summary>All requests of operators up to this number are carried out or taken back; see <see cref="Control"/>.</summary>
    public long RequestDone { get; init; }

    /// <summary>The progress of requests above <see cref="RequestDone"/>.</summary>
    public IReadOnlyList<RequestProgress> Requests { get; init; } = [];

    /// <summary>Number of entries that the target has refused since it last accepted one, or since an operator last decided about one.</summary>
    public int Refused { get; init; }

    /// <summary>Whether the checkpoint has not moved since it was created. If its first entry is gone by then, it begins with the oldest.</summary>
    public bool IsNew { get; init; }

    /// <summary>Why the last attempt failed; null if it did not.</summary>
    public string? LastError { get; init; }

    /// <summary>Number of failed runs in a row, including the one under way.</summary>
    public int Failures { get; init; }

    /// <summary>When the first of these runs failed; null if none did, or if an older version did not store it.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>
    /// The forwarder's "within", so that processes without this forwarder can count late entries too. Null if an older version did
    /// not store it.
    /// </summary>
    public TimeSpan? Within { get; init; }

    /// <summary>When the row was written, by the store's clock; null if it is not stored yet.</summary>
    public DateTimeOffset? StoredAt { get; init; }

    /// <summary>The store's concurrency token; null if the row is not stored yet.</summary>
    public string? Tag { get; init; }

    /// <summary>How long the lease still lasts, for a process that read the row at <paramref name="readAt"/> by the store's clock.</summary>
    public TimeSpan LeaseLeft(DateTimeOffset readAt)
    {
        if (Owner is null || StoredAt is not { } storedAt) return TimeSpan.Zero;
        var left = LeaseTime - (readAt - storedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>Whether a request is carried out.</summary>
    public bool IsDone(ControlRequest request) => request.Number <= RequestDone || ProgressOf(request) is { IsDone: true };

    /// <summary>The progress of a request; null if it has not begun.</summary>
    public RequestProgress? ProgressOf(ControlRequest request) =>
        Requests.FirstOrDefault(progress => IsOf(progress, request));

    /// <summary>This checkpoint with the progress of a request. Drops the progress of requests that are done or no longer exist.</summary>
    internal Checkpoint With(RequestProgress progress, Control control)
    {
        var all = this with { Requests = [.. Requests.Where(one => one.Number != progress.Number), progress] };
        var waiting = control.Waiting(all).ToList();
        var seen = Math.Max(control.Last, control.Requests.Count == 0 ? 0 : control.Requests[^1].Number);
        var done = Math.Max(RequestDone, waiting.Count == 0 ? seen : waiting[0].Number - 1);
        return all with
        {
            RequestDone = done,
            // A request newer than those seen here was seen by another process, which stored its progress.
            Requests = [.. all.Requests
                .Where(one => one.Number > done && (one.Number > seen || control.Requests.Any(request => IsOf(one, request))))
                .OrderBy(one => one.Number)],
        };
    }

    // Older versions stored no ids. After their writes, a number may be given again, since they do not keep the last one.
    private static bool IsOf(RequestProgress progress, ControlRequest request) =>
        progress.Number == request.Number && (progress.Id is null || progress.Id == request.Id);

    /// <summary>This checkpoint when the target accepts entries.</summary>
    internal Checkpoint Works => this with { LastError = null, Failures = 0, FailingSince = null };

    /// <summary>This checkpoint when a run has failed. <paramref name="isCounted"/> says whether the run is counted already.</summary>
    internal Checkpoint Fails(string reason, DateTimeOffset now, bool isCounted) => this with
    {
        LastError = reason,
        FailingSince = FailingSince ?? now,
        Failures = isCounted ? Failures : Failures + 1,
    };

    /// <summary>Whether <paramref name="stored"/> is this very write.</summary>
    public bool IsSameWrite(Checkpoint stored) => (stored.Owner, stored.Epoch, stored.Write) == (Owner, Epoch, Write);
}
