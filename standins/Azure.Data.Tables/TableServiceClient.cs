#nullable disable annotations // like the real surface

using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables.Internal;
using Azure.Data.Tables.Models;

namespace Azure.Data.Tables;

/// <summary>An account's tables. Clients made from it share its pipeline.</summary>
public class TableServiceClient
{
    private readonly TableRest _rest;

    protected TableServiceClient()
    {
    }

    public TableServiceClient(string connectionString)
        : this(connectionString, null)
    {
    }

    public TableServiceClient(string connectionString, TableClientOptions options = null)
        : this(ConnectionString.Parse(connectionString), options)
    {
    }

    /// <summary>The address ends in a shared access signature.</summary>
    public TableServiceClient(Uri endpoint, TableClientOptions options = null)
        : this(endpoint, options, Endpoint.Signature(endpoint, null))
    {
    }

    public TableServiceClient(Uri endpoint, AzureSasCredential credential)
        : this(endpoint, credential, null)
    {
    }

    public TableServiceClient(Uri endpoint, AzureSasCredential credential, TableClientOptions options = null)
        : this(endpoint, options, Endpoint.Signature(endpoint, credential)) =>
        ArgumentNullException.ThrowIfNull(credential);

    public TableServiceClient(Uri endpoint, TableSharedKeyCredential credential)
        : this(endpoint, credential, null)
    {
    }

    public TableServiceClient(Uri endpoint, TableSharedKeyCredential credential, TableClientOptions options)
        : this(endpoint, options, Endpoint.SharedKey(credential)) =>
        AccountName = credential.AccountName;

    public TableServiceClient(Uri endpoint, TokenCredential tokenCredential, TableClientOptions options = null)
        : this(endpoint, options, Endpoint.Token(tokenCredential, endpoint, options))
    {
    }

    private TableServiceClient(ConnectionString connection, TableClientOptions options)
        : this(connection.Endpoint, options, connection.Authentication) =>
        AccountName = connection.AccountName ?? AccountName;

    private TableServiceClient(Uri endpoint, TableClientOptions options, HttpPipelinePolicy authentication)
    {
        _rest = Endpoint.Rest(Endpoint.Account(endpoint, null), options, authentication);
        AccountName = Endpoint.AccountName(endpoint);
        Uri = Endpoint.WithoutQuery(_rest.Endpoint, null);
    }

    public virtual string AccountName { get; }

    public virtual Uri Uri { get; }

    /// <summary>Quotes and escapes the interpolated values.</summary>
    public static string CreateQueryFilter(FormattableString filter) => OdataFilter.Create(filter);

    public virtual TableClient GetTableClient(string tableName) => new(_rest, AccountName, tableName);

    public virtual async Task<Response<TableItem>> CreateTableAsync(
        string tableName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tableName);
        var response = await _rest
            .CreateTableAsync(tableName, mayExist: false, cancellationToken)
            .ConfigureAwait(false);
        return Response.FromValue(new TableItem(tableName), response);
    }

    /// <summary>A table that is there already gives a response with status 409, not an exception.</summary>
    public virtual async Task<Response<TableItem>> CreateTableIfNotExistsAsync(
        string tableName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tableName);
        var response = await _rest
            .CreateTableAsync(tableName, mayExist: true, cancellationToken)
            .ConfigureAwait(false);
        return Response.FromValue(new TableItem(tableName), Endpoint.UnlessBeingDeleted(response));
    }

    /// <summary>A table that is not there gives a response with status 404, not an exception.</summary>
    public virtual Task<Response> DeleteTableAsync(string tableName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tableName);
        return _rest.DeleteTableAsync(tableName, cancellationToken);
    }

    public virtual AsyncPageable<TableItem> QueryAsync(
        string filter = null, int? maxPerPage = null, CancellationToken cancellationToken = default) =>
        new TablePages(_rest, new Query(filter, null), maxPerPage, cancellationToken);

    public virtual AsyncPageable<TableItem> QueryAsync(
        FormattableString filter, int? maxPerPage = null, CancellationToken cancellationToken = default) =>
        QueryAsync(OdataFilter.Create(filter), maxPerPage, cancellationToken);
}
