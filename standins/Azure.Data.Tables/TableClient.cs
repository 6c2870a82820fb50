#nullable disable annotations // like the real surface

using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables.Internal;
using Azure.Data.Tables.Models;

namespace Azure.Data.Tables;

/// <summary>One table. Safe to share; asynchronous members only, see standins/README.md for what is left out.</summary>
public partial class TableClient
{
    private readonly TableRest _rest;

    protected TableClient()
    {
    }

    public TableClient(string connectionString, string tableName)
        : this(connectionString, tableName, null)
    {
    }

    public TableClient(string connectionString, string tableName, TableClientOptions options = null)
        : this(ConnectionString.Parse(connectionString), tableName, options)
    {
    }

    /// <summary>The table's address, with a shared access signature as its query or from the credential.</summary>
    public TableClient(Uri endpoint, AzureSasCredential credential, TableClientOptions options = null)
        : this(endpoint, Endpoint.TableName(endpoint), options, Endpoint.Signature(endpoint, credential)) =>
        ArgumentNullException.ThrowIfNull(credential);

    public TableClient(Uri endpoint, TableClientOptions options = null)
        : this(endpoint, Endpoint.TableName(endpoint), options, Endpoint.Signature(endpoint, null))
    {
    }

    public TableClient(Uri endpoint, string tableName, TableSharedKeyCredential credential)
        : this(endpoint, tableName, credential, null)
    {
    }

    public TableClient(
        Uri endpoint, string tableName, TableSharedKeyCredential credential, TableClientOptions options = null)
        : this(endpoint, tableName, options, Endpoint.SharedKey(credential)) =>
        AccountName = credential.AccountName;

    public TableClient(
        Uri endpoint, string tableName, TokenCredential tokenCredential, TableClientOptions options = null)
        : this(endpoint, tableName, options, Endpoint.Token(tokenCredential, endpoint, options))
    {
    }

    internal TableClient(TableRest rest, string accountName, string tableName)
    {
        ArgumentException.ThrowIfNullOrEmpty(tableName);
        _rest = rest;
        AccountName = accountName;
        Name = tableName;
        Uri = Endpoint.WithoutQuery(rest.Endpoint, tableName);
    }

    private TableClient(ConnectionString connection, string tableName, TableClientOptions options)
        : this(connection.Endpoint, tableName, options, connection.Authentication) =>
        AccountName = connection.AccountName ?? AccountName;

    private TableClient(Uri endpoint, string tableName, TableClientOptions options, HttpPipelinePolicy authentication)
        : this(
            Endpoint.Rest(Endpoint.Account(endpoint, tableName), options, authentication),
            Endpoint.AccountName(endpoint),
            tableName)
    {
    }

    public virtual string AccountName { get; }

    public virtual string Name { get; }

    /// <summary>The table's address without any signature.</summary>
    public virtual Uri Uri { get; }

    /// <summary>Quotes and escapes the interpolated values.</summary>
    public static string CreateQueryFilter(FormattableString filter) => OdataFilter.Create(filter);

    public virtual async Task<Response<TableItem>> CreateAsync(CancellationToken cancellationToken = default)
    {
        var response = await _rest.CreateTableAsync(Name, mayExist: false, cancellationToken).ConfigureAwait(false);
        return Response.FromValue(new TableItem(Name), response);
    }

    /// <summary>A table that is there already gives a response with status 409, not an exception.</summary>
    public virtual async Task<Response<TableItem>> CreateIfNotExistsAsync(CancellationToken cancellationToken = default)
    {
        var response = await _rest.CreateTableAsync(Name, mayExist: true, cancellationToken).ConfigureAwait(false);
        return Response.FromValue(new TableItem(Name), Endpoint.UnlessBeingDeleted(response));
    }

    /// <summary>A table that is not there gives a response with status 404, not an exception.</summary>
    public virtual Task<Response> DeleteAsync(CancellationToken cancellationToken = default) =>
        _rest.DeleteTableAsync(Name, cancellationToken);

    /// <summary>
    /// All or nothing. Traps: the client checks neither the 100 actions, nor the 4 MiB, nor that there is one partition
    /// key; the pipeline repeats the POST after 408, 429, 5xx and lost connections, so a transaction that was applied
    /// can come back as a conflict; a 5xx or 429 inside an accepted (202) answer is not repeated.
    /// </summary>
    public virtual async Task<Response<IReadOnlyList<Response>>> SubmitTransactionAsync(
        IEnumerable<TableTransactionAction> transactionActions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transactionActions);
        var batch = new BatchWriter(_rest, Name);
        var body = batch.Write(transactionActions);
        var answer = await _rest.BatchAsync(body, batch.ContentType, cancellationToken).ConfigureAwait(false);
        var content = answer.ContentStream is null ? default : answer.Content.ToMemory();
        var responses = BatchAnswer.Parse(content, answer.Headers.ContentType, batch.Count);

        if (responses.Find(response => response.Status >= 400) is { } refusal)
            throw new TableTransactionFailedException(new(refusal, null, OdataErrorParser.Shared));
        // Stricter than the real package, which passes any number of responses on.
        if (responses.Count != batch.Count)
        {
            throw new InvalidOperationException(
                $"Expected {batch.Count} responses for the batch request, not {responses.Count}.");
        }
        return Response.FromValue<IReadOnlyList<Response>>(responses, answer);
    }
}
