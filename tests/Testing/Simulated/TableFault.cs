using Azure;
using Azure.Data.Tables;

namespace Outpost.Tests.Testing;

/// <summary>What goes wrong with one request to a <see cref="SimulatedTable"/>.</summary>
internal abstract record TableFault
{
    private TableFault()
    {
    }

    /// <summary>The request never reaches the service.</summary>
    public sealed record BeforeEffect(Func<Exception> Error) : TableFault;

    /// <summary>The service does what it was asked and its answer gets lost.</summary>
    public sealed record AfterEffect(Func<Exception> Error) : TableFault;

    /// <summary>The caller gets its error at once; the request takes effect, or is refused, only when the test says so.</summary>
    public sealed record LandsLate(Func<Exception> Error, Landing Landing) : TableFault;

    /// <summary>The answer got lost and the client sent the request again by itself: the caller gets the second answer.</summary>
    public sealed record SentTwice : TableFault;

    /// <summary>The request reaches the service only when the test says so; the caller waits.</summary>
    public sealed record HeldBack(Task Release) : TableFault;

    /// <summary>As held back; what goes wrong then (null: nothing) is decided only when it is released.</summary>
    public sealed record ToldLater(Task<TableFault?> Fault) : TableFault;

    /// <summary>Nothing happens, ever, and the caller's wish to end it is not heard.</summary>
    public sealed record Silence : TableFault;

    /// <summary>The service has done its work at once; its answer arrives only when the test says so.</summary>
    public sealed record SlowAnswer(Task Release) : TableFault;
}

/// <summary>The moment at which requests arrive that were under way for longer than their caller waited.</summary>
internal sealed class Landing
{
    private readonly Lock _lock = new();
    private readonly List<Action> _underWay = [];
    private bool _landed;

    /// <summary>They arrive now, on the caller's thread, before this returns.</summary>
    public void Now()
    {
        List<Action> arriving;
        lock (_lock)
        {
            _landed = true;
            arriving = [.. _underWay];
            _underWay.Clear();
        }

        foreach (var request in arriving) request();
    }

    internal void Add(Action request)
    {
        lock (_lock)
        {
            if (!_landed)
            {
                _underWay.Add(request);
                return;
            }
        }

        request();
    }
}

/// <summary>Errors as the real client throws them.</summary>
internal static class TableError
{
    public static Exception Unreachable() =>
        new RequestFailedException(0, "Connection refused", null, new HttpRequestException("Connection refused"));

    /// <summary>The pipeline's own timeout for one attempt.</summary>
    public static Exception TimedOut() =>
        new TaskCanceledException("The operation was cancelled because it exceeded the configured timeout of 0:00:10.");

    /// <summary>All attempts failed on the way.</summary>
    public static Exception RetriesFailed() =>
        new AggregateException("Retry failed after 3 tries.", Unreachable(), TimedOut(), Unreachable());

    /// <summary>As the product's client says it, whatever was asked.</summary>
    public static Exception TableMissing() =>
        new StoreUnavailableException("The log's table is not there.", Status(404, "TableNotFound")) { Code = "table-missing" };

    public static Exception ConnectionReset() => new IOException("The response ended prematurely.");

    public static Exception Status(int status, string code) => new RequestFailedException(status, code, code, null);

    /// <summary>A proxy's answer, as the product's client reports it.</summary>
    public static Exception Foreign() =>
        new RequestFailedException(0, "An answer of status 403 without x-ms-request-id is not Table Storage's.", new InvalidDataException("<html>Forbidden</html>"));

    /// <summary>An answer whose body is cut short, as the client's parser reports it.</summary>
    public static Exception Unreadable() => new System.Text.Json.JsonException("'<' is an invalid start of a value.");

    /// <summary>The role is missing.</summary>
    public static Exception Forbidden() => Status(403, "AuthorizationPermissionMismatch");

    public static Exception InternalError() => Status(500, "InternalError");

    public static Exception Busy() => Status(503, "ServerBusy");

    public static Exception TooManyRequests() => Status(429, "TooManyRequests");

    /// <summary>An accepted transaction (202) whose only inner answer is an error; the client repeats none of these.</summary>
    public static Exception Transaction(int status, string code, int? index = null)
    {
        var inner = new RequestFailedException(status, $"{index}:{code}", code, null);
        if (index is { } number) inner.Data["FailedEntity"] = number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new TableTransactionFailedException(inner);
    }
}

/// <summary>One request that reached, or should have reached, the service.</summary>
/// <param name="Number">0, 1, 2, … in the order of sending.</param>
/// <param name="Kind">Which operation.</param>
/// <param name="Partition">Partition key of the rows; empty: the table itself.</param>
/// <param name="Keys">Row keys of what was written or read; the filter of a query.</param>
internal sealed record TableRequest(int Number, TableOperation Kind, string Partition, IReadOnlyList<string> Keys);

public enum TableOperation
{
    CreateTable,
    Get,
    QueryPage,
    Add,
    Update,
    Upsert,
    Delete,
    Transaction,
}
