using System.Text.Json;
using Azure;
using Azure.Identity;

namespace Outpost.Tables;

/// <summary>
/// The only reader of the service's status and error codes. A status by itself is no fact: whatever stands between may
/// give any status, and only the service knows its codes.
/// </summary>
internal static class TableErrors
{
    public const string TableNotFound = "TableNotFound";
    public const string TableBeingDeleted = "TableBeingDeleted";

    /// <summary>The row is there already.</summary>
    public static bool IsConflict(RequestFailedException e) => e is { Status: 409, ErrorCode: "EntityAlreadyExists" };

    /// <summary>The row is not there, or not as it was expected.</summary>
    public static bool IsChangedOrGone(RequestFailedException e) => IsGone(e) || e is
    {
        Status: 412,
        ErrorCode: "UpdateConditionNotSatisfied" or "ConditionNotMet",
    };

    /// <summary>The row is not there.</summary>
    public static bool IsGone(RequestFailedException e) => e is { Status: 404, ErrorCode: "ResourceNotFound" or "EntityNotFound" };

    /// <summary>
    /// The service said no to the request as such (a precondition, a limit, a permission) and did not do it; unlike a
    /// timeout or a 5xx, after which it may have done it.
    /// </summary>
    public static bool IsRefusal(Exception e) => e is RequestFailedException
    {
        Status: >= 400 and < 500 and not 408 and not 429,
        ErrorCode: { Length: > 0 } and not TableNotFound and not TableBeingDeleted,
    };

    /// <summary>Who asked may not do it, whatever it is.</summary>
    public static bool IsForbidden(Exception e) => e is RequestFailedException { Status: 401 or 403 };

    /// <summary>The table itself is not there, as <see cref="StoreAnswers"/> says it.</summary>
    public static bool IsTableMissing(Exception e) =>
        e is StoreUnavailableException { InnerException: RequestFailedException { ErrorCode: TableNotFound } };

    /// <summary>Asking again at once does not help: the table is gone, or this app may not read it.</summary>
    public static bool IsHopeless(Exception e) => IsTableMissing(e) || e is StoreUnavailableException { InnerException: RequestFailedException { Status: 401 or 403 } };

    /// <summary>The caller left after some tries had failed already: the client then throws them all together.</summary>
    public static bool IsGivenUp(Exception e, CancellationToken callers) =>
        callers.IsCancellationRequested && e is AggregateException tries && tries.InnerExceptions.Any(one => one is OperationCanceledException);

    /// <summary>Unreachable, overloaded, too slow, or answered by somebody else: trying again later helps.</summary>
    public static bool IsTransient(Exception e, CancellationToken callers) => e switch
    {
        StoreUnavailableException => true,
        RequestFailedException { Status: 0 or 408 or 429 or >= 500 } => true,
        // An answer inside a transaction's that has no code is not the service's.
        RequestFailedException { ErrorCode: null or "" or TableNotFound or TableBeingDeleted } => true,
        RequestFailedException => false,
        AggregateException all => all.InnerExceptions.All(inner => IsTransient(inner, callers)),
        // The pipeline's own timeout, not the caller's wish.
        OperationCanceledException => !callers.IsCancellationRequested,
        IOException or HttpRequestException or TimeoutException => true,
        // Whoever gives the tokens is away.
        AuthenticationFailedException => true,
        _ => false,
    };

    /// <summary>
    /// The answer is no answer to what was asked (another request's, a body cut short). The client throws what its parsers
    /// throw; a write may have been done.
    /// </summary>
    public static bool IsUnreadable(Exception e) =>
        e is InvalidOperationException or InvalidDataException or FormatException or JsonException or KeyNotFoundException or ArgumentException
            or NullReferenceException or InvalidCastException or IndexOutOfRangeException or OverflowException;
}
