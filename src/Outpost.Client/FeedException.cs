using System.Net;

namespace Outpost.Client;

/// <summary>Why a reader stopped. Another try would not help in any of these cases: somebody has to decide.</summary>
public enum FeedFailure
{
    /// <summary>The server refuses the request: a wrong key, address or option. <see cref="FeedException.StatusCode"/> says which.</summary>
    Refused,

    /// <summary>
    /// Retention has deleted entries that this reader had not read. The oldest that is left is at
    /// <see cref="FeedException.OldestOffset"/>.
    /// </summary>
    Expired,

    /// <summary>
    /// The log ends before the position, at <see cref="FeedException.HeadOffset"/>. It was restored to an earlier
    /// state, so what this reader handled last may be undone, or its offsets may belong to other events.
    /// </summary>
    BeyondHead,

    /// <summary>
    /// The position belongs to another log than the one that the server has now, <see cref="FeedException.Log"/>.
    /// </summary>
    OtherLog,

    /// <summary>The server's answer leaves out entries.</summary>
    Hole,

    /// <summary>The server's answer does not come from an event API, or contradicts itself.</summary>
    InvalidAnswer,

    /// <summary>The stored position cannot be read.</summary>
    InvalidPosition,

    /// <summary>Another reader of the same name has stored a position since this one loaded it.</summary>
    Fenced,
}

/// <summary>
/// The reader has stopped, because it would have to skip something to go on. To go on all the same, store the position
/// to continue from (<see cref="IOffsetStore.StoreAsync"/>) and run the reader again. An <see cref="IOffsetStore"/> of
/// your own throws this exception when no reader may go on.
/// </summary>
/// <param name="failure">Why, for programs.</param>
/// <param name="message">Why, for people.</param>
/// <param name="innerException">The cause; null: there is none.</param>
public sealed class FeedException(FeedFailure failure, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    /// <summary>Why the reader stopped, for programs.</summary>
    public FeedFailure Failure { get; } = failure;

    /// <summary>The position that the reader asked for; null: it had none.</summary>
    public FeedPosition? Position { get; init; }

    /// <summary>The log that the server has now; null: not known.</summary>
    public string? Log { get; internal init; }

    /// <summary>The oldest offset that is still there; null: not known.</summary>
    public long? OldestOffset { get; internal init; }

    /// <summary>The next offset to be written; null: not known.</summary>
    public long? HeadOffset { get; internal init; }

    /// <summary>The server's HTTP status; null: the server answered no error.</summary>
    public HttpStatusCode? StatusCode { get; internal init; }

    internal static FeedException OtherLog(FeedPosition position, string? now) => new(
        FeedFailure.OtherLog, $"The position {position} is of another log than the server has now{(now is null ? "" : $", '{now}'")}.")
    {
        Position = position,
        Log = now,
    };
}
