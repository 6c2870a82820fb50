using System.Net;

namespace Outpost.Client;

/// <summary>Why a reader stopped. Trying again would not help; each needs somebody to decide.</summary>
public enum FeedFailure
{
    /// <summary>The server refuses the request: a wrong key, address or option. <see cref="FeedException.StatusCode"/> says which.</summary>
    Refused,

    /// <summary>Retention has deleted entries that this reader had not read. They begin at <see cref="FeedException.OldestOffset"/> now.</summary>
    Expired,

    /// <summary>
    /// The log ends, at <see cref="FeedException.HeadOffset"/>, before the position: it was restored to an earlier state,
    /// and what this reader handled last may have been undone, or its offsets given to other events.
    /// </summary>
    BeyondHead,

    /// <summary>The position belongs to another log than the server has now, <see cref="FeedException.Log"/>.</summary>
    OtherLog,

    /// <summary>The server left out entries.</summary>
    Hole,

    /// <summary>The server's answer is not one of the event API, or contradicts itself.</summary>
    InvalidAnswer,

    /// <summary>What is stored as the position cannot be read.</summary>
    InvalidPosition,

    /// <summary>Another reader of the same name has stored a position since this one loaded it.</summary>
    Fenced,
}

/// <summary>
/// The reader has stopped so as not to skip anything. To go on all the same, store the position to go on at
/// (<see cref="IOffsetStore.StoreAsync"/>) and run again. An <see cref="IOffsetStore"/> of your own throws it where no reader may go on.
/// </summary>
/// <param name="failure">Why.</param>
/// <param name="message">Why, for people.</param>
/// <param name="innerException">What it comes from.</param>
public sealed class FeedException(FeedFailure failure, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    /// <summary>Why.</summary>
    public FeedFailure Failure { get; } = failure;

    /// <summary>The position that was asked for; null: none was.</summary>
    public FeedPosition? Position { get; init; }

    /// <summary>The log that the server has now; null: not known.</summary>
    public string? Log { get; internal init; }

    /// <summary>The oldest offset that is still there; null: not known.</summary>
    public long? OldestOffset { get; internal init; }

    /// <summary>The next offset to be written; null: not known.</summary>
    public long? HeadOffset { get; internal init; }

    /// <summary>The server's status, with <see cref="FeedFailure.Refused"/>.</summary>
    public HttpStatusCode? StatusCode { get; internal init; }

    internal static FeedException OtherLog(FeedPosition position, string? now) => new(
        FeedFailure.OtherLog, $"The position {position} is of another log than the server has now{(now is null ? "" : $", '{now}'")}.")
    {
        Position = position,
        Log = now,
    };
}
