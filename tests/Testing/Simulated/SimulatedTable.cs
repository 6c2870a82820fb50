using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;

namespace Outpost.Tests.Testing;

/// <summary>
/// A table in memory that keeps all of the service's promises and none beyond them: transactions are isolated and all
/// or nothing, limits hold, and an update without an ETag is an upsert. Any request can be made to go wrong.
/// </summary>
public sealed partial class SimulatedTable(TimeProvider time, bool exists = true) : TableClient
{
    private const int PageMax = 1000;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<(string Partition, string Row), StoredRow> _rows = new(KeyOrder.Instance);
    private readonly ConcurrentQueue<TableRequest> _requests = new();
    private bool _exists = exists;
    private long _writes;
    private int _sent;

    public override string Name => "outpost";

    /// <summary>Decides what goes wrong with each request; null: nothing.</summary>
    public Func<TableRequest, TableFault?>? Faults { get; set; }

    /// <summary>How long requests take and how many it takes; null: no time at all, and all of them. For virtual time.</summary>
    public TableService? Service { get; init; }

    /// <summary>Rows of a page, where it is less than asked for: a service may cut pages wherever it likes.</summary>
    public int RowsPerPage { get; set; } = PageMax;

    /// <summary>Whether each query begins with an empty page that has a continuation.</summary>
    public bool BeginsWithEmptyPages { get; set; }

    /// <summary>Whether answers have a Date.</summary>
    public bool HasDates { get; set; } = true;

    private DateTimeOffset? Now => HasDates ? time.GetUtcNow() : null;

    /// <summary>All requests so far.</summary>
    public IReadOnlyList<TableRequest> Requests => [.. _requests];

    public int Sent(TableOperation kind) => _requests.Count(request => request.Kind == kind);

    public void ForgetRequests() => _requests.Clear();

    /// <summary>All rows of a partition, in key order.</summary>
    public IReadOnlyList<TableEntity> Rows(string partitionKey)
    {
        lock (_lock) return [.. _rows.Where(row => row.Key.Partition == partitionKey).Select(row => row.Value.ToEntity(row.Key))];
    }

    /// <summary>One row; null: there is none.</summary>
    public TableEntity? Row(string partitionKey, string rowKey)
    {
        lock (_lock) return _rows.TryGetValue((partitionKey, rowKey), out var row) ? row.ToEntity((partitionKey, rowKey)) : null;
    }

    /// <summary>Writes a row as somebody else would, whatever is there.</summary>
    public void Put(TableEntity row)
    {
        lock (_lock) _rows[(row.PartitionKey, row.RowKey)] = Stamp(RowRules.Values(row));
    }

    /// <summary>Deletes a row as somebody else would.</summary>
    public bool Remove(string partitionKey, string rowKey)
    {
        lock (_lock) return _rows.Remove((partitionKey, rowKey));
    }

    public override Task<Response<TableItem>> CreateIfNotExistsAsync(CancellationToken cancellationToken = default) =>
        SendAsync(
            TableOperation.CreateTable,
            "",
            [Name],
            () =>
            {
                var status = _exists ? 409 : 204;
                _exists = true;
                return Response.FromValue(new TableItem(Name), new SimulatedResponse(status));
            },
            cancellationToken);

    public override Task<Response> AddEntityAsync<T>(T entity, CancellationToken cancellationToken = default) =>
        SendAsync<Response>(TableOperation.Add, entity.PartitionKey, [entity.RowKey], () => WriteOne(TableTransactionActionType.Add, entity), cancellationToken);

    public override Task<Response> UpdateEntityAsync<T>(
        T entity, ETag ifMatch, TableUpdateMode mode = TableUpdateMode.Merge, CancellationToken cancellationToken = default)
    {
        if (ifMatch == default) throw new ArgumentException("Value cannot be empty.", nameof(ifMatch));
        var kind = mode == TableUpdateMode.Replace ? TableTransactionActionType.UpdateReplace : TableTransactionActionType.UpdateMerge;
        return SendAsync<Response>(TableOperation.Update, entity.PartitionKey, [entity.RowKey], () => WriteOne(kind, entity, ifMatch), cancellationToken);
    }

    public override Task<Response> UpsertEntityAsync<T>(
        T entity, TableUpdateMode mode = TableUpdateMode.Merge, CancellationToken cancellationToken = default)
    {
        var kind = mode == TableUpdateMode.Replace ? TableTransactionActionType.UpsertReplace : TableTransactionActionType.UpsertMerge;
        return SendAsync<Response>(TableOperation.Upsert, entity.PartitionKey, [entity.RowKey], () => WriteOne(kind, entity), cancellationToken);
    }

    public override Task<Response> DeleteEntityAsync(
        string partitionKey, string rowKey, ETag ifMatch = default, CancellationToken cancellationToken = default) =>
        SendAsync<Response>(TableOperation.Delete, partitionKey, [rowKey], () => DeleteOne(partitionKey, rowKey, ifMatch), cancellationToken);

    public override Task<NullableResponse<T>> GetEntityIfExistsAsync<T>(
        string partitionKey, string rowKey, IEnumerable<string>? select = null, CancellationToken cancellationToken = default) =>
        SendAsync(
            TableOperation.Get,
            partitionKey,
            [rowKey],
            () => _rows.TryGetValue((partitionKey, rowKey), out var row)
                ? Response.FromValue((T)(object)row.ToEntity((partitionKey, rowKey), select), new SimulatedResponse(200, row.Tag))
                : (NullableResponse<T>)new NothingThere<T>(),
            cancellationToken);

    public override AsyncPageable<T> QueryAsync<T>(
        string? filter = null, int? maxPerPage = null, IEnumerable<string>? select = null, CancellationToken cancellationToken = default) =>
        new Pages<T>(this, filter ?? "", Math.Min(maxPerPage ?? PageMax, PageMax), cancellationToken);

    public override Task<Response<IReadOnlyList<Response>>> SubmitTransactionAsync(
        IEnumerable<TableTransactionAction> transactionActions, CancellationToken cancellationToken = default)
    {
        var actions = transactionActions.ToList();
        if (actions.Count == 0) throw new InvalidOperationException("Transaction is empty.");
        return SendAsync(
            TableOperation.Transaction, actions[0].Entity.PartitionKey, [.. actions.Select(a => a.Entity.RowKey)], () => Write(actions), cancellationToken);
    }

    // Takes time, or yields, around the effect, so that callers really overlap.
    private async Task<T> SendAsync<T>(
        TableOperation kind, string partition, IReadOnlyList<string> keys, Func<T> effect, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var request = new TableRequest(Interlocked.Increment(ref _sent) - 1, kind, keys);
        _requests.Enqueue(request);
        if (Service is null)
        {
            await Task.Yield();
            return await AnswerAsync(request, effect, cancellationToken);
        }

        await Service.ArriveAsync(partition, keys.Count, cancellationToken);
        try
        {
            return await AnswerAsync(request, effect, cancellationToken);
        }
        finally
        {
            await Service.TravelAsync(cancellationToken);
        }
    }

    private async Task<T> AnswerAsync<T>(TableRequest request, Func<T> effect, CancellationToken cancellationToken)
    {
        switch (Faults?.Invoke(request))
        {
            case TableFault.BeforeEffect before:
                throw before.Error();
            case TableFault.AfterEffect after:
                Locked(effect);
                throw after.Error();
            case TableFault.LandsLate late:
                late.Landing.Add(() => Land(effect));
                throw late.Error();
            case TableFault.SentTwice:
                Locked(effect);
                return Locked(effect);
            case TableFault.HeldBack held:
                await held.Release.WaitAsync(cancellationToken);
                return Locked(effect);
            case TableFault.SlowAnswer slow:
                var answer = Locked(effect);
                await slow.Release.WaitAsync(cancellationToken);
                return answer;
            default:
                var result = Locked(effect);
                if (Service is null) await Task.Yield();
                return result;
        }
    }

    private void Land<T>(Func<T> effect)
    {
        try
        {
            Locked(effect);
        }
        catch (RequestFailedException)
        {
            // Refused; nobody is there to hear it.
        }
    }

    private T Locked<T>(Func<T> effect)
    {
        lock (_lock) return effect();
    }

    private SimulatedResponse WriteOne(TableTransactionActionType kind, ITableEntity entity, ETag ifMatch = default)
    {
        var written = new Dictionary<(string, string), StoredRow?>();
        if (Apply(new TableTransactionAction(kind, entity, ifMatch), written) is { } refusal)
            throw new RequestFailedException(refusal.Status, refusal.Code, refusal.Code, null);
        Keep(written);
        return new SimulatedResponse(204, _rows[(entity.PartitionKey, entity.RowKey)].Tag);
    }

    private SimulatedResponse DeleteOne(string partitionKey, string rowKey, ETag ifMatch)
    {
        var action = new TableTransactionAction(TableTransactionActionType.Delete, new TableEntity(partitionKey, rowKey), ifMatch);
        var written = new Dictionary<(string, string), StoredRow?>();
        if (Apply(action, written) is { } refusal)
        {
            return refusal.Status == 404
                ? new SimulatedResponse(404)
                : throw new RequestFailedException(refusal.Status, refusal.Code, refusal.Code, null);
        }

        Keep(written);
        return new SimulatedResponse(204);
    }

    private Response<IReadOnlyList<Response>> Write(List<TableTransactionAction> actions)
    {
        if (RowRules.IsTooLarge(actions)) throw TableError.Status(413, "RequestBodyTooLarge");
        var written = new Dictionary<(string, string), StoredRow?>();
        for (var i = 0; i < actions.Count; i++)
        {
            var entity = actions[i].Entity;
            if (i >= RowRules.TransactionRows) throw TableError.Transaction(400, "InvalidInput", i);
            if (entity.PartitionKey != actions[0].Entity.PartitionKey)
                throw TableError.Transaction(400, "CommandsInBatchActOnDifferentPartitions", i);
            if (written.ContainsKey((entity.PartitionKey, entity.RowKey))) throw TableError.Transaction(400, "InvalidDuplicateRow", i);
            if (Apply(actions[i], written) is { } refusal) throw TableError.Transaction(refusal.Status, refusal.Code, i);
        }

        Keep(written);
        return Response.FromValue<IReadOnlyList<Response>>(
            [.. written.Values.Select(row => new SimulatedResponse(204, row?.Tag))], new SimulatedResponse(202));
    }

    private (int Status, string Code)? Apply(
        TableTransactionAction action, Dictionary<(string, string), StoredRow?> written)
    {
        if (!_exists) return (404, "TableNotFound");
        var entity = action.Entity;
        if (RowRules.Refuse(entity) is { } code) return (400, code);
        var key = (entity.PartitionKey, entity.RowKey);
        _rows.TryGetValue(key, out var old);
        var kind = action.ActionType;
        if (kind == TableTransactionActionType.Add && old is not null) return (409, "EntityAlreadyExists");
        if (kind is TableTransactionActionType.UpdateMerge or TableTransactionActionType.UpdateReplace or TableTransactionActionType.Delete)
        {
            // Without an ETag a delete is sent with "*", and an update as an upsert.
            var mustExist = kind == TableTransactionActionType.Delete || action.ETag != default;
            if (mustExist && old is null) return (404, "ResourceNotFound");
            if (action.ETag != default && action.ETag != ETag.All && action.ETag.ToString() != old!.Tag)
                return (412, "UpdateConditionNotSatisfied");
        }

        written[key] = kind == TableTransactionActionType.Delete ? null : Stamp(Merged(kind, old, RowRules.Values(entity)));
        return null;
    }

    private static Dictionary<string, object> Merged(TableTransactionActionType kind, StoredRow? old, Dictionary<string, object> values)
    {
        if (old is null || kind is not (TableTransactionActionType.UpdateMerge or TableTransactionActionType.UpsertMerge)) return values;
        var merged = new Dictionary<string, object>(old.Values, StringComparer.Ordinal);
        foreach (var (name, value) in values) merged[name] = value;
        return merged;
    }

    private void Keep(Dictionary<(string, string), StoredRow?> written)
    {
        foreach (var (key, row) in written)
        {
            if (row is null) _rows.Remove(key);
            else _rows[key] = row;
        }
    }

    private StoredRow Stamp(Dictionary<string, object> values)
    {
        var number = Interlocked.Increment(ref _writes).ToString("D7", CultureInfo.InvariantCulture);
        return new StoredRow(values, $"W/\"datetime'2026-11-22T08%3A00%3A00.{number}Z'\"", time.GetUtcNow());
    }

    private (List<TableEntity> Rows, string? More) ReadPage(string filter, int max, string? from)
    {
        var isWanted = Filter(filter);
        var rows = new List<TableEntity>();
        foreach (var (key, row) in _rows)
        {
            if (from is not null && string.CompareOrdinal($"{key.Partition} {key.Row}", from) < 0) continue;
            if (!isWanted(key)) continue;
            if (rows.Count == Math.Min(max, RowsPerPage)) return (rows, $"{key.Partition} {key.Row}");
            rows.Add(row.ToEntity(key));
        }

        return (rows, null);
    }

    private static Func<(string Partition, string Row), bool> Filter(string filter)
    {
        var conditions = filter.Length == 0 ? [] : filter.Split(" and ").Select(text =>
        {
            var match = Condition().Match(text);
            if (!match.Success) throw new NotSupportedException($"The simulated table cannot answer '{filter}'.");
            return (IsRow: match.Groups[1].Value == "RowKey", By: match.Groups[2].Value, Value: match.Groups[3].Value.Replace("''", "'", StringComparison.Ordinal));
        }).ToList();
        return key => conditions.All(condition =>
        {
            var order = string.CompareOrdinal(condition.IsRow ? key.Row : key.Partition, condition.Value);
            return condition.By switch
            {
                "eq" => order == 0,
                "ge" => order >= 0,
                "gt" => order > 0,
                "le" => order <= 0,
                _ => order < 0,
            };
        });
    }

    [GeneratedRegex("^(PartitionKey|RowKey) (eq|ge|gt|le|lt) '(.*)'$", RegexOptions.Singleline)]
    private static partial Regex Condition();

    private sealed record StoredRow(Dictionary<string, object> Values, string Tag, DateTimeOffset Timestamp)
    {
        public TableEntity ToEntity((string Partition, string Row) key, IEnumerable<string>? select = null)
        {
            var chosen = select?.ToHashSet(StringComparer.Ordinal);
            var entity = new TableEntity(
                Values.Where(value => chosen?.Contains(value.Key) ?? true)
                    .ToDictionary(value => value.Key, value => value.Value is byte[] bytes ? bytes.ToArray() : value.Value));
            // With a selection the service answers only what was asked for.
            if (chosen is null) (entity.PartitionKey, entity.RowKey, entity.Timestamp) = (key.Partition, key.Row, Timestamp);
            entity.ETag = new ETag(Tag);
            return entity;
        }
    }

    private sealed class KeyOrder : IComparer<(string Partition, string Row)>
    {
        public static readonly KeyOrder Instance = new();

        public int Compare((string Partition, string Row) x, (string Partition, string Row) y)
        {
            var byPartition = string.CompareOrdinal(x.Partition, y.Partition);
            return byPartition != 0 ? byPartition : string.CompareOrdinal(x.Row, y.Row);
        }
    }

    // Each page is a request of its own, and sees the table as it is at that moment.
    private sealed class Pages<T>(SimulatedTable table, string filter, int max, CancellationToken cancellationToken)
        : AsyncPageable<T>(cancellationToken)
        where T : notnull
    {
        public override async IAsyncEnumerable<Page<T>> AsPages(string? continuationToken = null, int? pageSizeHint = null)
        {
            var partition = Condition().Match(filter.Split(" and ")[0]).Groups[3].Value;
            if (table.BeginsWithEmptyPages && continuationToken is null) yield return Page<T>.FromValues([], " ", new SimulatedResponse(200, date: table.Now));
            do
            {
                var from = continuationToken;
                var (rows, more) = await table.SendAsync(
                    TableOperation.QueryPage, partition, [filter], () => table.ReadPage(filter, Math.Min(pageSizeHint ?? max, max), from), CancellationToken);
                // One was counted when it was asked for.
                if (table.Service is { } service && rows.Count > 1) await service.WorkAsync(partition, rows.Count - 1, CancellationToken);
                yield return Page<T>.FromValues([.. rows.Cast<T>()], more, new SimulatedResponse(200, date: table.Now));
                continuationToken = more;
            }
            while (continuationToken is not null);
        }
    }
}
