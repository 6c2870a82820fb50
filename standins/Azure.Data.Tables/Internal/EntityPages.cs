namespace Azure.Data.Tables.Internal;

/// <summary>
/// A query's pages. Traps kept: pages come as the service sends them, so one may be empty and still have a
/// continuation; only the token given to the query cancels, not one given to the enumeration.
/// </summary>
internal sealed class EntityPages<T>(
    TableRest rest, string table, Query query, int? maxPerPage, CancellationToken cancellationToken)
    : AsyncPageable<T>(cancellationToken)
    where T : class, ITableEntity
{
    private const string NextPartitionKey = "NextPartitionKey";
    private const string NextRowKey = "NextRowKey";

    public override async IAsyncEnumerable<Page<T>> AsPages(string? continuationToken = null, int? pageSizeHint = null)
    {
        var reader = new EntityReader();
        var path = $"/{table}()";
        do
        {
            var page = query with { Top = pageSizeHint ?? maxPerPage, From = Parse(continuationToken) };
            var response = await rest.QueryAsync(path, page, CancellationToken).ConfigureAwait(false);
            var rows = reader.ReadMany<T>(response.Content.ToMemory().Span);
            continuationToken = Continuation(response);
            yield return Page<T>.FromValues(rows, continuationToken, response);
        }
        while (continuationToken is not null);
    }

    private static string? Continuation(Response response)
    {
        var hasPartition = response.Headers.TryGetValue("x-ms-continuation-" + NextPartitionKey, out var partition);
        var hasRow = response.Headers.TryGetValue("x-ms-continuation-" + NextRowKey, out var row);
        return hasPartition || hasRow ? $"{partition} {row}" : null;
    }

    private static List<(string Name, string Value)> Parse(string? token)
    {
        var from = new List<(string, string)>(2);
        if (token is null || token.Length <= 1)
            return from;
        var space = token.IndexOf(' ', StringComparison.Ordinal);
        from.Add((NextPartitionKey, space < 0 ? token : token[..space]));
        if (space >= 0 && space + 1 < token.Length)
            from.Add((NextRowKey, token[(space + 1)..]));
        return from;
    }
}
