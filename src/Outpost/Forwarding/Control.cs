using System.Text.Json;

namespace Outpost.Forwarding;

/// <summary>What operators ask of a forwarder in one partition. Written by operators only.</summary>
/// <param name="IsPaused">Nothing is delivered until it is resumed.</param>
/// <param name="Requests">Asked for, in order of <see cref="ControlRequest.Number"/>; those carried out drop out later.</param>
/// <param name="Tag">The store's concurrency token; null: not stored yet.</param>
internal sealed record Control(bool IsPaused, IReadOnlyList<ControlRequest> Requests, string? Tag)
{
    /// <summary>Requests waiting in one partition; more would not fit in one property, and nobody would oversee them.</summary>
    public const int RequestsMax = 100;

    // Of ids, names and reasons, as JSON: with everything else of a hundred requests it stays below the 32 Ki of a property.
    private const int TextMax = 16 * 1024;

    /// <summary>Nothing is asked.</summary>
    public static readonly Control None = new(false, [], null);

    /// <summary>Since when it is paused; null: it is not, or an older version did not say.</summary>
    public DateTimeOffset? PausedAt { get; init; }

    /// <summary>Who paused it; null: nobody knows.</summary>
    public string? PausedBy { get; init; }

    /// <summary>Why it is paused, where somebody said so.</summary>
    public string? PausedFor { get; init; }

    /// <summary>The highest number ever given: a request that was taken back leaves its number unused.</summary>
    public long Last { get; init; }

    /// <summary>The requests that are still to be carried out.</summary>
    public IEnumerable<ControlRequest> Waiting(Checkpoint? checkpoint) =>
        Requests.Where(request => checkpoint is null || !checkpoint.IsDone(request));

    /// <summary>With one more request. Requests carried out drop out. Null: too many wait.</summary>
    public Control? With(ControlRequest request, Checkpoint? checkpoint)
    {
        var waiting = Waiting(checkpoint).ToList();
        if (waiting.Count >= RequestsMax || waiting.Append(request).Sum(TextOf) > TextMax) return null;
        // Rows of older versions do not say what the last number was.
        var last = Math.Max(Math.Max(Last, Requests.Count == 0 ? 0 : Requests[^1].Number), checkpoint?.RequestDone ?? 0);
        return this with { Requests = [.. waiting, request with { Number = last + 1 }], Last = last + 1 };
    }

    /// <summary>Without those that are taken back.</summary>
    public Control Without(Func<ControlRequest, bool> isTakenBack) => this with
    {
        Requests = [.. Requests.Where(request => !isTakenBack(request))],
        Last = Math.Max(Last, Requests.Count == 0 ? 0 : Requests[^1].Number),
    };

    private static int TextOf(ControlRequest request) =>
        Length(request.Id) + Length(request.By) + Length(request.Reason) + Length(request.Filter?.Reason) + Length(request.Filter?.Subject) + (request.Filter?.Types ?? []).Sum(Length);

    private static int Length(string? text) => text is null ? 0 : JsonEncodedText.Encode(text).Value.Length;
}

/// <summary>One thing an operator asks for. Each is carried out by itself: none waits for another.</summary>
/// <param name="Number">1, 2, 3, … in a partition; given when it is stored.</param>
/// <param name="Kind">What.</param>
/// <param name="Offset">The parked entry, or the first of a replay.</param>
/// <param name="ToOffset">The last of a replay.</param>
/// <param name="Id">Names it; the messages of a replay carry it. Older versions gave ids to replays only.</param>
internal sealed record ControlRequest(long Number, ControlRequestKind Kind, long Offset, long? ToOffset = null, string? Id = null)
{
    /// <summary>When it was asked for; null: an older version did not say.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Who asked for it; null: nobody knows.</summary>
    public string? By { get; init; }

    /// <summary>Why, where somebody said so.</summary>
    public string? Reason { get; init; }

    /// <summary>Of a range, or of what is parked, only what matches; null: all.</summary>
    public EntryFilter? Filter { get; init; }

    /// <summary>How many parked entries matched when it was asked for; null: it is about one, or a range.</summary>
    public long? Count { get; init; }

    /// <summary>What it is called in status, and taken back by.</summary>
    public string NameIn(int partition) => Id is { } id && (Kind == ControlRequestKind.Replay || At is not null) ? id : $"{partition}-{Number}";

    // Older versions had the reason of a discard in the place of its id.
    internal string? Why => Kind == ControlRequestKind.Discard && At is null ? Id : Reason;
}

/// <summary>How far one request has come: kept with the checkpoint, by whoever carries it out.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Id">Its id.</param>
internal sealed record RequestProgress(long Number, string? Id)
{
    /// <summary>Where a replay goes on; null: it has not begun.</summary>
    public long? Next { get; init; }

    /// <summary>Parked entries of many that were dealt with.</summary>
    public long? Handled { get; init; }

    /// <summary>It is carried out, and an earlier request is not yet.</summary>
    public bool IsDone { get; init; }

    /// <summary>It cannot go on, whatever is tried: somebody has to take it back.</summary>
    public bool IsBlocked { get; init; }

    /// <summary>Why it does not go on; null: it does.</summary>
    public string? Reason { get; init; }
}

/// <summary>What can be asked for.</summary>
internal enum ControlRequestKind
{
    /// <summary>Deliver a range again, marked as a replay.</summary>
    Replay,

    /// <summary>Deliver a parked entry, and then those behind it.</summary>
    Retry,

    /// <summary>Give a parked entry up; those behind it are delivered.</summary>
    Discard,

    /// <summary>As <see cref="Retry"/>, for all that matched when it was asked for.</summary>
    RetryMatching,

    /// <summary>As <see cref="Discard"/>, for all that matched when it was asked for.</summary>
    DiscardMatching,
}
