using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>
/// Calls the store. Each call ends within <see cref="Limits.StoreCallMax"/> with all its tries, even if the client has not
/// returned by then. Its faults become the log's own exceptions.
/// </summary>
internal sealed class StoreCalls(TableClient table, TimeProvider time, StoreProblems? problems = null)
{
    public TableClient Table => table;

    /// <summary>Makes one request, or several that belong together.</summary>
    /// <param name="request">Makes the request.</param>
    /// <param name="cancellationToken">Ends the wait for the answer.</param>
    /// <param name="tellsRefusals">Whether a missing permission stays the store's own refusal, for a caller that asks whether a write was carried out.</param>
    /// <exception cref="StoreUnavailableException">There was no answer, it was not the store's, or this app has no permission.</exception>
    public async Task<T> ReachAsync<T>(Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken, bool tellsRefusals = false)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var deadline = new CancellationTokenSource(Limits.StoreCallMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            return await WithinAsync(request(either.Token), either.Token);
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && (e is OperationCanceledException || TableErrors.IsGivenUp(e, cancellationToken)))
        {
            throw new OperationCanceledException("The caller gave up.", e, cancellationToken);
        }
        catch (Exception e) when (e is not StoreUnavailableException && TableErrors.IsTransient(e, cancellationToken))
        {
            throw new StoreUnavailableException("Table Storage did not answer, or is overloaded.", e);
        }
        catch (RequestFailedException e) when (!tellsRefusals && TableErrors.IsForbidden(e))
        {
            throw Unreadable(e);
        }
        catch (DamagedRowException e)
        {
            throw Found(e);
        }
    }

    /// <summary>Adds the table's name to the damage, and reports it to health and status.</summary>
    public DamagedRowException Found(DamagedRowException damage)
    {
        var named = damage.In(table.Name);
        problems?.Damaged(named);
        return named;
    }

    /// <summary>Reports a partition that is not the one it was, and returns the exception to throw.</summary>
    public LayoutMismatchException WentBack(string partition, string detail)
    {
        problems?.WentBack(partition, detail);
        return new LayoutMismatchException(detail);
    }

    /// <summary>A row; null if the table has none with these keys.</summary>
    public async Task<TableEntity?> FindAsync(string partitionKey, string rowKey, CancellationToken cancellationToken, params string[] select)
    {
        NullableResponse<TableEntity> answer;
        try
        {
            // The keys are needed to check that the answer is the row that was asked for.
            string[]? columns = select.Length == 0 ? null : ["PartitionKey", "RowKey", .. select];
            answer = await table.GetEntityIfExistsAsync<TableEntity>(partitionKey, rowKey, columns, cancellationToken);
        }
        catch (Exception e) when (TableErrors.IsUnreadable(e) || TableErrors.IsForbidden(e))
        {
            throw Unreadable(e);
        }

        if (!answer.HasValue) return null;
        return answer.Value is { } row && row.PartitionKey == partitionKey && row.RowKey == rowKey ? row : throw Unreadable();
    }

    /// <summary>Rows of one partition from one key (inclusive) to another (exclusive), in order.</summary>
    public async IAsyncEnumerable<TableEntity> RowsAsync(
        string partitionKey, string from, string below, int? size, IEnumerable<string>? select,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var page in PagesAsync(partitionKey, from, below, size, select, cancellationToken))
        {
            foreach (var row in page.Values) yield return row;
        }
    }

    /// <summary>Pages of rows of one partition from one key (inclusive) to another (exclusive), in order.</summary>
    public async IAsyncEnumerable<Page<TableEntity>> PagesAsync(
        string partitionKey, string from, string below, int? size, IEnumerable<string>? select,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var filter = from.Length == 0
            ? TableClient.CreateQueryFilter($"PartitionKey eq {partitionKey} and RowKey lt {below}")
            : TableClient.CreateQueryFilter($"PartitionKey eq {partitionKey} and RowKey ge {from} and RowKey lt {below}");
        await using var pages = table.QueryAsync<TableEntity>(filter, size, select, cancellationToken).AsPages().GetAsyncEnumerator(cancellationToken);
        var last = "";
        while (true)
        {
            try
            {
                if (!await pages.MoveNextAsync()) yield break;
            }
            catch (Exception e) when (TableErrors.IsUnreadable(e) || TableErrors.IsForbidden(e))
            {
                throw Unreadable(e);
            }

            if (pages.Current.Values.Count == 0 && !HasRows(pages.Current.GetRawResponse())) throw Unreadable();
            foreach (var row in pages.Current.Values)
            {
                // A row outside the range means that this is the answer to another query.
                if (row.PartitionKey != partitionKey || row.RowKey is not { } key || string.CompareOrdinal(key, from) < 0 ||
                    string.CompareOrdinal(key, below) >= 0 || string.CompareOrdinal(key, last) <= 0)
                    throw Unreadable();
                last = key;
            }

            yield return pages.Current;
        }
    }

    // The client takes any JSON object for a page, and an object without rows for an empty page.
    private static bool HasRows(Response answer)
    {
        if (answer.ContentStream is not MemoryStream) return true;
        using var body = JsonDocument.Parse(answer.Content.ToMemory());
        return body.RootElement.TryGetProperty("value", out var rows) && rows.ValueKind == JsonValueKind.Array;
    }

    /// <summary>The tag that a write left on its row.</summary>
    public static string TagOf(Response answer) => answer.Headers.ETag?.ToString() ?? throw Unreadable();

    /// <summary>The fault of an answer that does not fit the request, or that says that this app has no permission.</summary>
    public static StoreUnavailableException Unreadable(Exception? cause = null) => cause is not null && TableErrors.IsForbidden(cause)
        ? new("Table Storage does not let this app in.", cause) { Code = "store-forbidden" }
        : new("The answer does not fit what Table Storage was asked for.", cause) { Code = "store-unreadable" };

    // Ends in time even if the call ignores its token. Then nobody uses the call's result.
    private static async Task<T> WithinAsync<T>(Task<T> call, CancellationToken end)
    {
        if (call.IsCompleted) return await call;
        // The continuation runs in place, so that an answer costs no change of thread.
        var first = new TaskCompletionSource<T>();
        using var ending = end.UnsafeRegister(static (first, end) => ((TaskCompletionSource<T>)first!).TrySetCanceled(end), first);
        _ = PassOnAsync(call, first);
        return await first.Task;
    }

    private static async Task PassOnAsync<T>(Task<T> call, TaskCompletionSource<T> to)
    {
        try
        {
            to.TrySetResult(await call);
        }
#pragma warning disable CA1031 // The exception goes to whoever waits.
        catch (Exception e)
#pragma warning restore CA1031
        {
            to.TrySetException(e);
        }
    }
}
