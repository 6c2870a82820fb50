using System.Text.Json;

namespace Azure.Data.Tables.Internal;

/// <summary>
/// A transaction's body: one multipart/mixed part that is the change set, in it one application/http part per action.
/// Lines end in CRLF and each entity is one line; the development store finds bodies line by line.
/// </summary>
internal sealed class BatchWriter
{
    private static int _lastLength = 16 * 1024;

    private readonly string _table;
    private readonly string _endpoint;
    private readonly string _host;
    private readonly string _version;
    private readonly string _batch = $"batch_{Guid.NewGuid()}";
    private readonly string _changeset = $"changeset_{Guid.NewGuid()}";

    public BatchWriter(TableRest rest, string table)
    {
        var address = Tables.Internal.Endpoint.WithoutQuery(rest.Endpoint, null);
        _endpoint = address.AbsoluteUri.TrimEnd('/');
        _host = address.Authority;
        _version = rest.Version;
        _table = table;
    }

    public string ContentType => $"multipart/mixed; boundary={_batch}";

    /// <summary>Actions written.</summary>
    public int Count { get; private set; }

    public PooledBytes Write(IEnumerable<TableTransactionAction> actions)
    {
        var body = new PooledBytes(Volatile.Read(ref _lastLength));
        using var json = new Utf8JsonWriter(body);
        Line(body, "--", _batch);
        Line(body, "Content-Type: multipart/mixed; boundary=", _changeset);
        Line(body);
        foreach (var action in actions)
        {
            Action(body, json, action);
            Count++;
        }
        if (Count == 0)
            throw new InvalidOperationException("Transaction is empty.");
        Line(body, "--", _changeset, "--");
        Line(body);
        Line(body, "--", _batch, "--");
        Volatile.Write(ref _lastLength, body.Length + 1024);
        return body;
    }

    private static string Method(TableTransactionActionType type) => type switch
    {
        TableTransactionActionType.Add => "POST ",
        TableTransactionActionType.Delete => "DELETE ",
        TableTransactionActionType.UpdateReplace or TableTransactionActionType.UpsertReplace => "PUT ",
        TableTransactionActionType.UpdateMerge or TableTransactionActionType.UpsertMerge => "PATCH ",
        _ => throw new InvalidOperationException("Unknown request type."),
    };

    /// <summary>Traps kept: without an ETag an update is sent without If-Match, a delete with <c>*</c>.</summary>
    private static string? IfMatch(TableTransactionAction action) => action.ActionType switch
    {
        TableTransactionActionType.Delete => action.ETag == default ? "*" : action.ETag.ToString(),
        TableTransactionActionType.UpdateMerge or TableTransactionActionType.UpdateReplace =>
            action.ETag == default ? null : action.ETag.ToString(),
        _ => null,
    };

    private static void Line(PooledBytes body, string first = "", string second = "", string third = "")
    {
        body.Append(first.AsSpan());
        body.Append(second.AsSpan());
        body.Append(third.AsSpan());
        body.Append("\r\n"u8);
    }

    private void Action(PooledBytes body, Utf8JsonWriter json, TableTransactionAction action)
    {
        Line(body, "--", _changeset);
        body.Append("Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"u8);

        body.Append(Method(action.ActionType).AsSpan());
        body.Append(_endpoint.AsSpan());
        if (action.ActionType == TableTransactionActionType.Add)
        {
            body.Append("/"u8);
            body.Append(_table.AsSpan());
        }
        else
        {
            EntityPath.Append(body, _table, action.Entity.PartitionKey, action.Entity.RowKey);
        }
        body.Append("?$format=application%2Fjson%3Bodata%3Dminimalmetadata HTTP/1.1\r\n"u8);

        Line(body, "Host: ", _host);
        Line(body, "x-ms-version: ", _version);
        body.Append("DataServiceVersion: 3.0\r\n"u8);
        body.Append("Accept: application/json;odata=minimalmetadata\r\n"u8);
        if (action.ActionType == TableTransactionActionType.Add)
            body.Append("Prefer: return-no-content\r\n"u8);
        if (IfMatch(action) is { } etag)
            Line(body, "If-Match: ", etag);
        if (action.ActionType == TableTransactionActionType.Delete)
        {
            Line(body);
            return;
        }
        body.Append("Content-Type: application/json\r\n\r\n"u8);
        json.Reset();
        EntityWriter.Write(json, action.Entity);
        json.Flush();
        Line(body);
    }
}
