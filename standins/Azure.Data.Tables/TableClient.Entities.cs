#nullable disable annotations // like the real surface

using Azure.Data.Tables.Internal;

namespace Azure.Data.Tables;

public partial class TableClient
{
    public virtual Task<Response> AddEntityAsync<T>(T entity, CancellationToken cancellationToken = default)
        where T : ITableEntity
    {
        RequireKeys(entity);
        return _rest.InsertAsync(Name, entity, cancellationToken);
    }

    public virtual async Task<Response<T>> GetEntityAsync<T>(
        string partitionKey,
        string rowKey,
        IEnumerable<string> select = null,
        CancellationToken cancellationToken = default)
        where T : class, ITableEntity
    {
        var response = await _rest
            .ReadAsync(Name, partitionKey, rowKey, Joined(select), mayBeMissing: false, cancellationToken)
            .ConfigureAwait(false);
        return Response.FromValue(Read<T>(response), response);
    }

    /// <summary>Trap: any 404 counts as "no such entity", a missing table too.</summary>
    public virtual async Task<NullableResponse<T>> GetEntityIfExistsAsync<T>(
        string partitionKey,
        string rowKey,
        IEnumerable<string> select = null,
        CancellationToken cancellationToken = default)
        where T : class, ITableEntity
    {
        var response = await _rest
            .ReadAsync(Name, partitionKey, rowKey, Joined(select), mayBeMissing: true, cancellationToken)
            .ConfigureAwait(false);
        return response.Status == 404 ? new NoValue<T>(response) : Response.FromValue(Read<T>(response), response);
    }

    /// <summary>Never sends If-Match, whatever ETag the entity has.</summary>
    public virtual Task<Response> UpsertEntityAsync<T>(
        T entity, TableUpdateMode mode = TableUpdateMode.Merge, CancellationToken cancellationToken = default)
        where T : ITableEntity
    {
        RequireKeys(entity);
        return _rest.UpdateAsync(Name, entity, null, mode, cancellationToken);
    }

    /// <summary>Refuses <c>default</c> for the ETag; <see cref="SubmitTransactionAsync"/> does not.</summary>
    public virtual Task<Response> UpdateEntityAsync<T>(
        T entity,
        ETag ifMatch,
        TableUpdateMode mode = TableUpdateMode.Merge,
        CancellationToken cancellationToken = default)
        where T : ITableEntity
    {
        RequireKeys(entity);
        if (ifMatch == default)
            throw new ArgumentException("Value cannot be empty.", nameof(ifMatch));
        return _rest.UpdateAsync(Name, entity, ifMatch.ToString(), mode, cancellationToken);
    }

    /// <summary>
    /// Traps: without an ETag it deletes whatever is there; a missing row gives a response with status 404, not an
    /// exception.
    /// </summary>
    public virtual Task<Response> DeleteEntityAsync(
        string partitionKey, string rowKey, ETag ifMatch = default, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(partitionKey);
        ArgumentNullException.ThrowIfNull(rowKey);
        var etag = ifMatch == default ? ETag.All : ifMatch;
        return _rest.DeleteAsync(Name, partitionKey, rowKey, etag.ToString(), cancellationToken);
    }

    /// <summary>As the other overload; the entity's own ETag is not looked at.</summary>
    public virtual Task<Response> DeleteEntityAsync(
        ITableEntity entity, ETag ifMatch = default, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return DeleteEntityAsync(entity.PartitionKey, entity.RowKey, ifMatch, cancellationToken);
    }

    public virtual AsyncPageable<T> QueryAsync<T>(
        string filter = null,
        int? maxPerPage = null,
        IEnumerable<string> select = null,
        CancellationToken cancellationToken = default)
        where T : class, ITableEntity =>
        new EntityPages<T>(_rest, Name, new Query(filter, Joined(select)), maxPerPage, cancellationToken);

    private static T Read<T>(Response response)
        where T : class, ITableEntity =>
        new EntityReader().ReadOne<T>(response.Content.ToMemory().Span);

    private static string Joined(IEnumerable<string> select) => select is null ? null : string.Join(',', select);

    private static void RequireKeys<T>(T entity)
        where T : ITableEntity
    {
        ArgumentNullException.ThrowIfNull(entity);
        ArgumentNullException.ThrowIfNull(entity.PartitionKey, nameof(entity.PartitionKey));
        ArgumentNullException.ThrowIfNull(entity.RowKey, nameof(entity.RowKey));
    }
}
