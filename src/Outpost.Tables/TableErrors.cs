using System.Text.Json;
using Azure;
using Azure.Identity;

namespace Outpost.Tables;

/// <summary>
/// The only reader of the service's status and error codes. A status alone proves nothing, because anything in between can give
/// any status. Only the service knows its codes.
/// </summary>
internal static class TableErrors
{
    public const string TableNotFound = "TableNotFound";
    public const string TableBeingDeleted = "TableBeingDeleted";

    /// <summary>The row exists already.</summary>
    public static bool IsConflict(RequestFailedException e) => e is { Status: 409, ErrorCode: "EntityAlreadyExists" };

    /// <summary>The row does not exist, or has changed.</summary>
    public static bool IsChangedOrGone(RequestFailedException e) => IsGone(e) || e is
    {
        Status: 412,
        ErrorCode: "UpdateConditionNotSatisfied" or "ConditionNotMet",
    };

    /// <summary>The row does not exist.</summary>
    public static bool IsGone(RequestFailedException e) => e is { Status: 404, ErrorCode: "ResourceNotFound" or "EntityNotFound" };

    /// <summary>
    /// The service refused the request (a precondition, a limit, a permission) and did not carry it out. After a timeout or a 5xx,
    /// on the other hand, it may have carried the request out.
    /// </summary>
    public static bool IsRefusal(Exception e) => e is RequestFailedException
    {
        Status: >= 400 and < 500 and not 408 and not 429,
        ErrorCode: { Length: > 0 } and not TableNotFound and not TableBeingDeleted,
    };

    /// <summary>This app has no permission for the request.</summary>
    public static bool IsForbidden(Exception e) => e is RequestFailedException { Status: 401 or 403 };

    /// <summary>The table itself does not exist, as <see cref="StoreAnswers"/> reports it.</summary>
    public static bool IsTableMissing(Exception e) =>
        e is StoreUnavailableException { InnerException: RequestFailedException { ErrorCode: TableNotFound } };

    /// <summary>Retrying at once does not help: the table is gone, or this app may not read it.</summary>
    public static bool IsHopeless(Exception e) => IsTableMissing(e) || e is StoreUnavailableException { InnerException: RequestFailedException { Status: 401 or 403 } };

    /// <summary>The caller left after some tries had failed. The client then throws the failures of all tries together.</summary>
    public static bool IsGivenUp(Exception e, CancellationToken callers) =>
        callers.IsCancellationRequested && e is AggregateException tries && tries.InnerExceptions.Any(one => one is OperationCanceledException);

    /// <summary>The store is unreachable, overloaded or too slow, or somebody else answered. Trying again later helps.</summary>
    public static bool IsTransient(Exception e, CancellationToken callers) => e switch
    {
        StoreUnavailableException => true,
        RequestFailedException { Status: 0 or 408 or 429 or >= 500 } => true,
        // A part of a transaction's answer that has no code is not the service's.
        RequestFailedException { ErrorCode: null or "" or TableNotFound or TableBeingDeleted } => true,
        RequestFailedException => false,
        AggregateException all => all.InnerExceptions.All(inner => IsTransient(inner, callers)),
        // The pipeline timed out; the caller did not cancel.
        OperationCanceledException => !callers.IsCancellationRequested,
        IOException or HttpRequestException or TimeoutException => true,
        // The service that issues tokens is away.
        AuthenticationFailedException => true,
        _ => false,
    };

    /// <summary>
    /// The answer does not fit the request: it belongs to another one, or its body is cut short. The client throws what its parsers
    /// throw. A write may have been carried out.
    /// </summary>
    public static bool IsUnreadable(Exception e) =>
        e is InvalidOperationException or InvalidDataException or FormatException or JsonException or KeyNotFoundException or ArgumentException
            or NullReferenceException or InvalidCastException or IndexOutOfRangeException or OverflowException;
}
