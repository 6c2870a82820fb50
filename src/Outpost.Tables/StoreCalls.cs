using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>
/// Calls to the store. Each ends within <see cref="Limits.StoreCallMax"/> with all its tries, whether or not the client
/// returns by then, and its faults come as the log's own.
/// </summary>
internal sealed class StoreCalls(TableClient table, TimeProvider time, StoreProblems? problems = null)
{
    public TableClient Table => table;

    /// <summary>One call, or several that belong together.</summary>
    /// <exception cref="StoreUnavailableException">There was no answer, or none of the store's.</exception>
    public async Task<T> ReachAsync<T>(Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
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
        catch (DamagedRowException e)
        {
            throw Found(e);
        }
    }

    /// <summary>What was found to be damaged, with the table's name; from now on health and status tell of it.</summary>
    public DamagedRowException Found(DamagedRowException damage)
    {
        var named = damage.In(table.Name);
        problems?.Damaged(named);
        return named;
    }

    /// <summary>A partition that is not the one it was.</summary>
    public LayoutMismatchException WentBack(string partition, string detail)
    {
        problems?.WentBack(partition, detail);
        return new LayoutMismatchException(detail);
    }

    /// <summary>A row; null: the table has none of these keys.</summary>
    public async Task<TableEntity?> FindAsync(string partitionKey, string rowKey, CancellationToken cancellationToken, params string[] select)
    {
        NullableResponse<TableEntity> answer;
        try
        {
            // Without its keys nobody could tell whose row it is.
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

    /// <summary>Rows of one partition from one key on and below another, in order.</summary>
    public async IAsyncEnumerable<TableEntity> RowsAsync(
        string partitionKey, string from, string below, int? size, IEnumerable<string>? select,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var page in PagesAsync(partitionKey, from, below, size, select, cancellationToken))
        {
            foreach (var row in page.Values) yield return row;
        }
    }

    /// <summary>Pages of rows of one partition from one key on and below another, in order.</summary>
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
                // Another query's answer.
                if (row.PartitionKey != partitionKey || row.RowKey is not { } key || string.CompareOrdinal(key, from) < 0 ||
                    string.CompareOrdinal(key, below) >= 0 || string.CompareOrdinal(key, last) <= 0)
                    throw Unreadable();
                last = key;
            }

            yield return pages.Current;
        }
    }

    // The client takes any object for a page, one without rows for an empty one.
    private static bool HasRows(Response answer)
    {
        if (answer.ContentStream is not MemoryStream) return true;
        using var body = JsonDocument.Parse(answer.Content.ToMemory());
        return body.RootElement.TryGetProperty("value", out var rows) && rows.ValueKind == JsonValueKind.Array;
    }

    /// <summary>The tag that a write left on its row.</summary>
    public static string TagOf(Response answer) => answer.Headers.ETag?.ToString() ?? throw Unreadable();

    /// <summary>What was answered is no answer to what was asked, or that this app may not ask.</summary>
    public static StoreUnavailableException Unreadable(Exception? cause = null) => cause is not null && TableErrors.IsForbidden(cause)
        ? new("Table Storage does not let this app in.", cause) { Code = "store-forbidden" }
        : new("What was answered is not what Table Storage was asked for.", cause) { Code = "store-unreadable" };

    // Also where the call does not heed its token; what becomes of it then interests nobody.
    private static async Task<T> WithinAsync<T>(Task<T> call, CancellationToken end)
    {
        if (call.IsCompleted) return await call;
        // Goes on in place: an answer costs no detour.
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
#pragma warning disable CA1031 // Handed to who waits.
        catch (Exception e)
#pragma warning restore CA1031
        {
            to.TrySetException(e);
        }
    }
}
