using System.Text.Json;
using Azure.Data.Tables.Models;

namespace Azure.Data.Tables.Internal;

/// <summary>The account's tables, page by page.</summary>
internal sealed class TablePages(TableRest rest, Query query, int? maxPerPage, CancellationToken cancellationToken)
    : AsyncPageable<TableItem>(cancellationToken)
{
    private const string NextTableName = "NextTableName";

    public override async IAsyncEnumerable<Page<TableItem>> AsPages(
        string? continuationToken = null, int? pageSizeHint = null)
    {
        do
        {
            var page = query with
            {
                Top = pageSizeHint ?? maxPerPage,
                From = continuationToken is null ? [] : [(NextTableName, continuationToken)],
            };
            var response = await rest.QueryAsync("/Tables", page, CancellationToken).ConfigureAwait(false);
            using var document = JsonDocument.Parse(response.Content.ToMemory());
            var tables = new List<TableItem>();
            foreach (var item in document.RootElement.GetProperty("value").EnumerateArray())
                tables.Add(new TableItem(item.GetProperty("TableName").GetString()));
            continuationToken = response.Headers.TryGetValue("x-ms-continuation-" + NextTableName, out var next)
                ? next
                : null;
            yield return Page<TableItem>.FromValues(tables, continuationToken, response);
        }
        while (continuationToken is not null);
    }
}
