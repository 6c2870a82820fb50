using System.Text.Json;

namespace Outpost.Forwarding;

/// <summary>What operators ask of a forwarder in one partition. Only operators write it.</summary>
/// <param name="IsPaused">Whether the forwarder delivers nothing until it is resumed.</param>
/// <param name="Requests">Requests in order of <see cref="ControlRequest.Number"/>. Those carried out drop out later.</param>
/// <param name="Tag">The store's concurrency token; null if the row is not stored yet.</param>
internal sealed record Control(bool IsPaused, IReadOnlyList<ControlRequest> Requests, string? Tag)
{
    /// <summary>How many requests may wait in one partition. More would not fit in one property, and nobody could keep track of them.</summary>
    public const int RequestsMax = 100;

    // Characters of ids, names and reasons, as JSON. With everything else of a hundred requests, they stay below the 32 Ki of a property.
    private const int TextMax = 16 * 1024;

    /// <summary>A control that asks for nothing.</summary>
    public static readonly Control None = new(false, [], null);

    /// <summary>When the forwarder was paused; null if it is not, or if an older version did not store it.</summary>
    public DateTimeOffset? PausedAt { get; init; }

    /// <summary>Who paused the forwarder; null if that is unknown.</summary>
    public string? PausedBy { get; init; }

    /// <summary>Why the forwarder is paused; null if nobody said.</summary>
    public string? PausedFor { get; init; }

    /// <summary>The highest number given so far. A request that was taken back leaves its number unused.</summary>
    public long Last { get; init; }

    /// <summary>The requests that are still to be carried out.</summary>
    public IEnumerable<ControlRequest> Waiting(Checkpoint? checkpoint) =>
        Requests.Where(request => checkpoint is null || !checkpoint.IsDone(request));

    /// <summary>This control with one more request, and without those carried out. Null if too many wait.</summary>
    public Control? With(ControlRequest request, Checkpoint? checkpoint)
    {
        var waiting = Waiting(checkpoint).ToList();
        if (waiting.Count >= RequestsMax || waiting.Append(request).Sum(TextOf) > TextMax) return null;
        // Rows of older versions do not hold the last number.
        var last = Math.Max(Math.Max(Last, Requests.Count == 0 ? 0 : Requests[^1].Number), checkpoint?.RequestDone ?? 0);
        return this with { Requests = [.. waiting, request with { Number = last + 1 }], Last = last + 1 };
    }

    /// <summary>This control without the requests that are taken back.</summary>
    public Control Without(Func<ControlRequest, bool> isTakenBack) => this with
    {
        Requests = [.. Requests.Where(request => !isTakenBack(request))],
        Last = Math.Max(Last, Requests.Count == 0 ? 0 : Requests[^1].Number),
    };

    private static int TextOf(ControlRequest request) =>
        Length(request.Id) + Length(request.By) + Length(request.Reason) + Length(request.Filter?.Reason) + Length(request.Filter?.Subject) + (request.Filter?.Types ?? []).Sum(Length);

    private static int Length(string? text) => text is null ? 0 : JsonEncodedText.Encode(text).Value.Length;
}

/// <summary>One request of an operator. Each is carried out by itself: none waits for another.</summary>
/// <param name="Number">1, 2, 3, … in a partition; given when the request is stored.</param>
/// <param name="Kind">What is asked for.</param>
/// <param name="Offset">Offset of the parked entry, or of the first entry of a replay.</param>
/// <param name="ToOffset">Offset of the last entry of a replay.</param>
/// <param name="Id">The request's id, which the messages of a replay carry. Older versions gave ids to replays only.</param>
internal sealed record ControlRequest(long Number, ControlRequestKind Kind, long Offset, long? ToOffset = null, string? Id = null)
{
    /// <summary>When the request was made; null if an older version did not store it.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Who made the request; null if that is unknown.</summary>
    public string? By { get; init; }

    /// <summary>Why the request was made; null if nobody said.</summary>
    public string? Reason { get; init; }

    /// <summary>Limits a range, or the parked entries, to those that match; null for all.</summary>
    public EntryFilter? Filter { get; init; }

    /// <summary>How many parked entries matched when the request was made; null if it is about one entry or a range.</summary>
    public long? Count { get; init; }

    /// <summary>The request's name in status, by which operators take it back.</summary>
    public string NameIn(int partition) => Id is { } id && (Kind == ControlRequestKind.Replay || At is not null) ? id : $"{partition}-{Number}";

    // Older versions stored the reason of a discard in place of its id.
    internal string? Why => Kind == ControlRequestKind.Discard && At is null ? Id : Reason;
}

/// <summary>The progress of one request. The process that carries out the request stores it with the checkpoint.</summary>
/// <param name="Number">The request's number.</param>
/// <param name="Id">The request's id; null if an older version gave it none.</param>
internal sealed record RequestProgress(long Number, string? Id)
{
    /// <summary>The offset at which a replay goes on; null if it has not begun.</summary>
    public long? Next { get; init; }

    /// <summary>How many of the matching parked entries have been dealt with.</summary>
    public long? Handled { get; init; }

    /// <summary>Whether the request is carried out, while an earlier one is not.</summary>
    public bool IsDone { get; init; }

    /// <summary>Whether the request cannot go on, whatever is tried: somebody must take it back.</summary>
    public bool IsBlocked { get; init; }

    /// <summary>Why the request does not go on; null if it does.</summary>
    public string? Reason { get; init; }
}

/// <summary>What operators can ask for.</summary>
internal enum ControlRequestKind
{
    /// <summary>Deliver a range again, marked as a replay.</summary>
    Replay,

    /// <summary>Deliver a parked entry, and then those behind it.</summary>
    Retry,

    /// <summary>Give up a parked entry, and deliver those behind it.</summary>
    Discard,

    /// <summary>As <see cref="Retry"/>, for all entries that matched when the request was made.</summary>
    RetryMatching,

    /// <summary>As <see cref="Discard"/>, for all entries that matched when the request was made.</summary>
    DiscardMatching,
}
