using System.Text.Json;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Azure.Data.Tables.Internal;

/// <summary>The service's REST calls, one message each, through the client's pipeline.</summary>
internal sealed class TableRest(HttpPipeline pipeline, Uri endpoint, string version)
{
    private const string Json = "application/json;odata=minimalmetadata";

    private static readonly StatusCodeClassifier Created = new([201, 204]);
    private static readonly StatusCodeClassifier CreatedOrThere = new([201, 204, 409]);
    private static readonly StatusCodeClassifier Ok = new([200]);
    private static readonly StatusCodeClassifier OkOrMissing = new([200, 404]);
    private static readonly StatusCodeClassifier Done = new([204]);
    private static readonly StatusCodeClassifier Accepted = new([202]);

    /// <summary>The account's address; may end in a query that is a shared access signature.</summary>
    public Uri Endpoint { get; } = endpoint;

    public string Version { get; } = version;

    public async Task<Response> CreateTableAsync(string name, bool mayExist, CancellationToken cancellationToken)
    {
        using var message = Message(RequestMethod.Post, "/Tables", mayExist ? CreatedOrThere : Created);
        Format(message);
        message.Request.Headers.Add("Prefer", "return-no-content");
        var body = new PooledBytes(256);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("TableName", name);
            json.WriteEndObject();
        }
        return await SendAsync(message, body, cancellationToken).ConfigureAwait(false);
    }

    public async Task<Response> DeleteTableAsync(string name, CancellationToken cancellationToken)
    {
        using var message = Message(RequestMethod.Delete, $"/Tables('{Uri.EscapeDataString(name)}')", Done);
        return await SendAsync(message, null, cancellationToken, missingIsFine: true).ConfigureAwait(false);
    }

    public async Task<Response> InsertAsync(string table, ITableEntity entity, CancellationToken cancellationToken)
    {
        using var message = Message(RequestMethod.Post, "/" + table, Created);
        Format(message);
        message.Request.Headers.Add("Prefer", "return-no-content");
        return await SendAsync(message, Body(entity), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Without <paramref name="ifMatch"/> it is an upsert.</summary>
    public async Task<Response> UpdateAsync(
        string table, ITableEntity entity, string? ifMatch, TableUpdateMode mode, CancellationToken cancellationToken)
    {
        var method = mode switch
        {
            TableUpdateMode.Merge => RequestMethod.Patch,
            TableUpdateMode.Replace => RequestMethod.Put,
            _ => throw new ArgumentException($"Unexpected value for {nameof(mode)}: {mode}"),
        };
        using var message = Message(method, EntityPath.Of(table, entity.PartitionKey, entity.RowKey), Done);
        Format(message);
        if (ifMatch is not null)
            message.Request.Headers.Add("If-Match", ifMatch);
        return await SendAsync(message, Body(entity), cancellationToken).ConfigureAwait(false);
    }

    public async Task<Response> DeleteAsync(
        string table, string partitionKey, string rowKey, string ifMatch, CancellationToken cancellationToken)
    {
        using var message = Message(RequestMethod.Delete, EntityPath.Of(table, partitionKey, rowKey), Done);
        Format(message);
        message.Request.Headers.Add("If-Match", ifMatch);
        return await SendAsync(message, null, cancellationToken, missingIsFine: true).ConfigureAwait(false);
    }

    public async Task<Response> ReadAsync(
        string table,
        string partitionKey,
        string rowKey,
        string? select,
        bool mayBeMissing,
        CancellationToken cancellationToken)
    {
        using var message = Message(
            RequestMethod.Get, EntityPath.Of(table, partitionKey, rowKey), mayBeMissing ? OkOrMissing : Ok);
        Format(message);
        if (select is not null)
            message.Request.Uri.AppendQuery("$select", select, true);
        return await SendAsync(message, null, cancellationToken).ConfigureAwait(false);
    }

    /// <param name="path">"/Tables" or "/{table}()".</param>
    /// <param name="query">What to ask for.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public async Task<Response> QueryAsync(string path, Query query, CancellationToken cancellationToken)
    {
        using var message = Message(RequestMethod.Get, path, Ok);
        Format(message);
        query.AppendTo(message.Request.Uri);
        return await SendAsync(message, null, cancellationToken).ConfigureAwait(false);
    }

    public async Task<Response> BatchAsync(PooledBytes body, string contentType, CancellationToken cancellationToken)
    {
        using var message = Message(RequestMethod.Post, "/$batch", Accepted);
        message.Request.Headers.SetValue("Accept", "application/json");
        message.Request.Headers.Add("Content-Type", contentType);
        return await SendAsync(message, body, cancellationToken).ConfigureAwait(false);
    }

    private static PooledBytes Body(ITableEntity entity)
    {
        var body = new PooledBytes(2048);
        using var json = new Utf8JsonWriter(body);
        EntityWriter.Write(json, entity);
        return body;
    }

    private static void Format(HttpMessage message) => message.Request.Uri.AppendQuery("$format", Json, true);

    private HttpMessage Message(RequestMethod method, string path, ResponseClassifier success)
    {
        var message = pipeline.CreateMessage(null, success);
        var request = message.Request;
        request.Method = method;
        request.Uri.Reset(Endpoint);
        request.Uri.AppendPath(path, false);
        request.Headers.Add("x-ms-version", Version);
        request.Headers.Add("DataServiceVersion", "3.0");
        request.Headers.Add("Accept", Json);
        return message;
    }

    // Trap: what is missing already is no exception where missingIsFine, but the response is an error.
    private async Task<Response> SendAsync(
        HttpMessage message, PooledBytes? body, CancellationToken cancellationToken, bool missingIsFine = false)
    {
        if (body is not null)
        {
            message.Request.Content = RequestContent.Create(body.Written);
            if (!message.Request.Headers.Contains("Content-Type"))
                message.Request.Headers.Add("Content-Type", "application/json");
        }
        await pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
        if (message.Response.IsError && !(missingIsFine && message.Response.Status == 404))
            throw new RequestFailedException(message.Response);
        // A try that was given up may still be sending from the buffer.
        if (message.ProcessingContext.RetryNumber == 0)
            body?.Return();
        return message.Response;
    }
}
