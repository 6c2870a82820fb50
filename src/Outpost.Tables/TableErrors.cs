using Azure;
using Azure.Identity;

namespace Outpost.Tables;

/// <summary>The only reader of the service's status and error codes.</summary>
internal static class TableErrors
{
    public static bool IsConflict(RequestFailedException e) => e.Status is 409;

    public static bool IsChangedOrGone(RequestFailedException e) => e.Status is 404 or 412;

    /// <summary>
    /// The service said no to the request as such (a precondition, a limit, a permission) and did not do it; unlike a
    /// timeout or a 5xx, after which it may have done it.
    /// </summary>
    public static bool IsRefusal(Exception e) => e is RequestFailedException { Status: >= 400 and < 500 and not 408 and not 429 };

    /// <summary>Who asked may not do it, whatever it is.</summary>
    public static bool IsForbidden(Exception e) => e is RequestFailedException { Status: 401 or 403 };

    /// <summary>The caller left after some tries had failed already: the client then throws them all together.</summary>
    public static bool IsGivenUp(Exception e, CancellationToken callers) =>
        callers.IsCancellationRequested && e is AggregateException tries && tries.InnerExceptions.Any(one => one is OperationCanceledException);

    /// <summary>Unreachable, overloaded or too slow: trying again later helps.</summary>
    public static bool IsTransient(Exception e, CancellationToken callers) => e switch
    {
        RequestFailedException { Status: 0 or 408 or 429 or >= 500 } => true,
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
    /// A write was answered by something that is no answer (a proxy's page, a body cut short): it may have been done. The
    /// client throws what its parsers throw.
    /// </summary>
    public static bool IsUnreadable(Exception e) => e is InvalidOperationException or InvalidDataException or FormatException;

    /// <summary>A request whose faults come as the log's own: the store is not available, or the caller left.</summary>
    public static async Task<T> ReachAsync<T>(Func<Task<T>> request, CancellationToken cancellationToken)
    {
        try
        {
            return await request();
        }
        catch (Exception e) when (IsTransient(e, cancellationToken))
        {
            throw new StoreUnavailableException("Table Storage did not answer, or is overloaded.", e);
        }
        catch (Exception e) when (IsGivenUp(e, cancellationToken))
        {
            throw new OperationCanceledException("The caller gave up.", e, cancellationToken);
        }
    }
}
