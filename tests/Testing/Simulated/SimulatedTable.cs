using System.Collections.Concurrent;
using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;

namespace Outpost.Tests.Testing;

/// <summary>
/// A table in memory that keeps all of the service's promises and none beyond them: transactions are isolated and all
/// or nothing, limits hold, and an update without an ETag is an upsert. Any request can be made to go wrong.
/// </summary>
internal sealed class SimulatedTable(TimeProvider time, bool exists = true) : TableClient
{
    private const int PageMax = 1000;
    private readonly TimeProvider _time = time;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Partition> _partitions = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<TableRequest> _requests = new();
    private bool _exists = exists;
    private long _writes;
    private int _sent;

    public override string Name => "outpost";

    /// <summary>Decides what goes wrong with each request; null: nothing.</summary>
    public Func<TableRequest, TableFault?>? Faults { get; set; }

    /// <summary>How long requests take and how many it takes; null: no time at all, and all of them. For virtual time.</summary>
    public TableService? Service { get; init; }

    /// <summary>
    /// Asked when a caller gives up a request that is under way; true: it takes effect all the same. Not null also means that
    /// requests, once sent, are under way by themselves: they arrive while their sender is paused, and after it was killed.
    /// Needs a <see cref="Service"/>.
    /// </summary>
    public Func<bool>? OutlivesCaller { get; init; }

    /// <summary>Rows of a page, where it is less than asked for: a service may cut pages wherever it likes.</summary>
    public int RowsPerPage { get; set; } = PageMax;

    /// <summary>
    /// Rows that a page has at most, asked for each page: a service that has no more time ends a page wherever it is, with
    /// no row in it even, and says how to go on. Null: pages are as long as they may be.
    /// </summary>
    public Func<int>? PageCut { get; set; }

    /// <summary>Whether each query begins with an empty page that has a continuation.</summary>
    public bool BeginsWithEmptyPages { get; set; }

    /// <summary>Told of each write at the moment it takes effect: all rows of a transaction at once, in its order.</summary>
    public Action<IReadOnlyList<RowChange>>? Changed { get; set; }

    /// <summary>Whether answers have a Date.</summary>
    public bool HasDates { get; set; } = true;

    /// <summary>The Date of the next answer, where it is not the service's time; null: it is.</summary>
    public Func<DateTimeOffset, DateTimeOffset>? Dates { get; set; }

    private DateTimeOffset? Now => !HasDates ? null : Dates is null ? _time.GetUtcNow() : Dates(_time.GetUtcNow());

    /// <summary>All requests so far.</summary>
    public IReadOnlyList<TableRequest> Requests => [.. _requests];

    public int Sent(TableOperation kind) => _requests.Count(request => request.Kind == kind);

    public void ForgetRequests() => _requests.Clear();

    /// <summary>All rows of a partition, in key order.</summary>
    public IReadOnlyList<TableEntity> Rows(string partitionKey)
    {
        lock (_lock)
        {
            return _partitions.TryGetValue(partitionKey, out var partition)
                ? [.. partition.Keys.Select(key => partition.Rows[key].ToEntity(partitionKey, key))]
                : [];
        }
    }

    /// <summary>One row; null: there is none.</summary>
    public TableEntity? Row(string partitionKey, string rowKey)
    {
        lock (_lock) return Find(partitionKey, rowKey)?.ToEntity(partitionKey, rowKey);
    }

    /// <summary>Writes a row as somebody else would, whatever is there.</summary>
    public void Put(TableEntity row)
    {
        lock (_lock) Keep([((row.PartitionKey, row.RowKey), Stamp(RowRules.Values(row)))]);
    }

    /// <summary>Gives one property of a row another value, as somebody else would, and says what the row was; null: there is no such row.</summary>
    public SimulatedRow? Damage(string partitionKey, string rowKey, string property, object value)
    {
        lock (_lock)
        {
            if (Find(partitionKey, rowKey) is not { } row) return null;
            Keep([((partitionKey, rowKey), Stamp(new Dictionary<string, object>(row.Values, StringComparer.Ordinal) { [property] = value }))]);
            return row;
        }
    }

    /// <summary>Gives a row the values that it had, as somebody else would, and says what it was meanwhile; null: there is no such row.</summary>
    public SimulatedRow? Mend(string partitionKey, string rowKey, SimulatedRow before)
    {
        lock (_lock)
        {
            if (Find(partitionKey, rowKey) is not { } row) return null;
            Keep([((partitionKey, rowKey), Stamp(before.Values))]);
            return row;
        }
    }

    /// <summary>Deletes the table as somebody else would.</summary>
    public void Drop()
    {
        lock (_lock)
        {
            _exists = false;
            _partitions.Clear();
        }
    }

    /// <summary>Deletes a row as somebody else would.</summary>
    public bool Remove(string partitionKey, string rowKey)
    {
        lock (_lock)
        {
            var isThere = Find(partitionKey, rowKey) is not null;
            if (isThere) Keep([((partitionKey, rowKey), null)]);
            return isThere;
        }
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
                return Response.FromValue(new TableItem(Name), new SimulatedResponse(status, date: Now));
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
            () => Existing().Find(partitionKey, rowKey) is { } row
                ? Response.FromValue((T)(object)row.ToEntity(partitionKey, rowKey, select?.ToList()), new SimulatedResponse(200, row.Tag, Now))
                : (NullableResponse<T>)new NothingThere<T>(new SimulatedResponse(404, date: Now)),
            cancellationToken);

    public override AsyncPageable<T> QueryAsync<T>(
        string? filter = null, int? maxPerPage = null, IEnumerable<string>? select = null, CancellationToken cancellationToken = default) =>
        new Pages<T>(this, filter ?? "", select?.ToList(), Math.Min(maxPerPage ?? PageMax, PageMax), cancellationToken);

    public override Task<Response<IReadOnlyList<Response>>> SubmitTransactionAsync(
        IEnumerable<TableTransactionAction> transactionActions, CancellationToken cancellationToken = default)
    {
        var actions = transactionActions.ToList();
        if (actions.Count == 0) throw new InvalidOperationException("Transaction is empty.");
        return SendAsync(
            TableOperation.Transaction, actions[0].Entity.PartitionKey, [.. actions.Select(a => a.Entity.RowKey)], () => Write(actions), cancellationToken);
    }

    private Task<T> SendAsync<T>(
        TableOperation kind, string partition, IReadOnlyList<string> keys, Func<T> effect, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<T>(cancellationToken);
        var request = new TableRequest(Interlocked.Increment(ref _sent) - 1, kind, partition, keys);
        _requests.Enqueue(request);
        return OutlivesCaller is null
            ? SendAsync(request, effect, cancellationToken)
            : new Flight<T>(this, Service!, request, effect).Begin(cancellationToken);
    }

    // Takes time, or yields, around the effect, so that callers really overlap.
    private async Task<T> SendAsync<T>(TableRequest request, Func<T> effect, CancellationToken cancellationToken)
    {
        if (Service is null)
        {
            await Task.Yield();
            return await AnswerAsync(request, effect, cancellationToken);
        }

        await Service.ArriveAsync(request.Partition, request.Keys.Count, cancellationToken);
        try
        {
            return await AnswerAsync(request, effect, cancellationToken);
        }
        finally
        {
            await Service.TravelAsync(cancellationToken);
        }
    }

    private Task<T> AnswerAsync<T>(TableRequest request, Func<T> effect, CancellationToken cancellationToken) =>
        AnswerAsync(Faults?.Invoke(request), effect, cancellationToken);

    private async Task<T> AnswerAsync<T>(TableFault? fault, Func<T> effect, CancellationToken cancellationToken)
    {
        if (fault is TableFault.ToldLater later) fault = await later.Fault.WaitAsync(cancellationToken);
        switch (fault)
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
            case TableFault.Silence:
                return await new TaskCompletionSource<T>().Task;
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

    /// <summary>One request under way, from timer to timer.</summary>
    private sealed class Flight<T>(SimulatedTable table, TableService service, TableRequest request, Func<T> effect)
    {
        private readonly TaskCompletionSource<T> _answer = new();
        private CancellationTokenRegistration _leaving;
        private bool _isGivenUp;

        public Task<T> Begin(CancellationToken cancellationToken)
        {
            _leaving = cancellationToken.UnsafeRegister(static (flight, token) => ((Flight<T>)flight!).Leave(token), this);
            After(service.Way(), Arrive);
            return _answer.Task;
        }

        private void Leave(CancellationToken token)
        {
            if (!_answer.TrySetCanceled(token)) return;
            _isGivenUp = !table.OutlivesCaller!();
        }

        private void Arrive()
        {
            if (_isGivenUp) return;
            if (service.Admit(request.Partition, request.Keys.Count) is not { } wait) After(service.Way(), () => Fail(TableError.Busy()));
            else if (wait > TimeSpan.Zero) After(wait, TakeEffect);
            else TakeEffect();
        }

        private void TakeEffect()
        {
            if (_isGivenUp) return;
            // What goes wrong may take its time; mostly nothing does.
            if (table.Faults?.Invoke(request) is { } fault)
            {
                _ = GoWrongAsync(fault);
                return;
            }

            try
            {
                var answer = table.Locked(effect);
                After(service.Way(), () => Answer(answer));
            }
            catch (Exception e) when (e is RequestFailedException or StoreUnavailableException)
            {
                After(service.Way(), () => Fail(e));
            }
        }

        private async Task GoWrongAsync(TableFault fault)
        {
            try
            {
                var answer = await table.AnswerAsync(fault, effect, CancellationToken.None);
                After(service.Way(), () => Answer(answer));
            }
#pragma warning disable CA1031 // Whatever it is, its sender gets it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                After(service.Way(), () => Fail(e));
            }
        }

        private void Answer(T answer)
        {
            _leaving.Dispose();
            _answer.TrySetResult(answer);
        }

        private void Fail(Exception e)
        {
            _leaving.Dispose();
            _answer.TrySetException(e);
        }

        private void After(TimeSpan time, Action action) =>
            _ = table._time.CreateTimer(static next => ((Action)next!)(), action, time, Timeout.InfiniteTimeSpan);
    }

    private void Land<T>(Func<T> effect)
    {
        try
        {
            Locked(effect);
        }
        catch (Exception e) when (e is RequestFailedException or StoreUnavailableException)
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
        var (key, row, refusal) = Apply(new TableTransactionAction(kind, entity, ifMatch));
        if (refusal is { } no) throw new RequestFailedException(no.Status, no.Code, no.Code, null);
        Keep([(key, row)]);
        return new SimulatedResponse(204, row!.Tag, Now);
    }

    private SimulatedResponse DeleteOne(string partitionKey, string rowKey, ETag ifMatch)
    {
        var (key, _, refusal) = Apply(
            new TableTransactionAction(TableTransactionActionType.Delete, new TableEntity(partitionKey, rowKey), ifMatch));
        if (refusal is { } no)
        {
            return no.Status == 404
                ? new SimulatedResponse(404, date: Now)
                : throw new RequestFailedException(no.Status, no.Code, no.Code, null);
        }

        Keep([(key, null)]);
        return new SimulatedResponse(204, date: Now);
    }

    private Response<IReadOnlyList<Response>> Write(List<TableTransactionAction> actions)
    {
        if (RowRules.IsTooLarge(actions)) throw TableError.Status(413, "RequestBodyTooLarge");
        var written = new List<((string, string) Key, SimulatedRow? Row)>(actions.Count);
        var keys = new HashSet<string>(actions.Count, StringComparer.Ordinal);
        for (var i = 0; i < actions.Count; i++)
        {
            var entity = actions[i].Entity;
            if (i >= RowRules.TransactionRows) throw TableError.Transaction(400, "InvalidInput", i);
            if (entity.PartitionKey != actions[0].Entity.PartitionKey)
                throw TableError.Transaction(400, "CommandsInBatchActOnDifferentPartitions", i);
            if (!keys.Add(entity.RowKey)) throw TableError.Transaction(400, "InvalidDuplicateRow", i);
            var (key, row, refusal) = Apply(actions[i]);
            if (refusal is { } no) throw TableError.Transaction(no.Status, no.Code, i);
            written.Add((key, row));
        }

        Keep(written);
        return Response.FromValue<IReadOnlyList<Response>>(
            [.. written.Select(one => new SimulatedResponse(204, one.Row?.Tag))], new SimulatedResponse(202, date: Now));
    }

    private ((string, string) Key, SimulatedRow? Row, (int Status, string Code)? Refusal) Apply(TableTransactionAction action)
    {
        var entity = action.Entity;
        var key = (entity.PartitionKey, entity.RowKey);
        if (!_exists) throw TableError.TableMissing();
        var values = RowRules.Values(entity);
        if (RowRules.Refuse(entity, values) is { } code) return (key, null, (400, code));
        var old = Find(key.PartitionKey, key.RowKey);
        var kind = action.ActionType;
        if (kind == TableTransactionActionType.Add && old is not null) return (key, null, (409, "EntityAlreadyExists"));
        if (kind is TableTransactionActionType.UpdateMerge or TableTransactionActionType.UpdateReplace or TableTransactionActionType.Delete)
        {
            // Without an ETag a delete is sent with "*", and an update as an upsert.
            var mustExist = kind == TableTransactionActionType.Delete || action.ETag != default;
            if (mustExist && old is null) return (key, null, (404, "ResourceNotFound"));
            if (action.ETag != default && action.ETag != ETag.All && action.ETag.ToString() != old!.Tag)
                return (key, null, (412, "UpdateConditionNotSatisfied"));
        }

        return (key, kind == TableTransactionActionType.Delete ? null : Stamp(Merged(kind, old, values)), null);
    }

    private static Dictionary<string, object> Merged(TableTransactionActionType kind, SimulatedRow? old, Dictionary<string, object> values)
    {
        if (old is null || kind is not (TableTransactionActionType.UpdateMerge or TableTransactionActionType.UpsertMerge)) return values;
        var merged = new Dictionary<string, object>(old.Values, StringComparer.Ordinal);
        foreach (var (name, value) in values) merged[name] = value;
        return merged;
    }

    // As the product's client has it: see StoreAnswers.
    private SimulatedTable Existing() => _exists ? this : throw TableError.TableMissing();

    private SimulatedRow? Find(string partitionKey, string rowKey) =>
        _partitions.TryGetValue(partitionKey, out var partition) ? partition.Rows.GetValueOrDefault(rowKey) : null;

    private void Keep(IReadOnlyList<((string Partition, string Row) Key, SimulatedRow? Row)> written)
    {
        var changes = Changed is null ? null : new List<RowChange>(written.Count);
        foreach (var (key, row) in written)
        {
            if (!_partitions.TryGetValue(key.Partition, out var partition)) _partitions[key.Partition] = partition = new Partition();
            var before = partition.Rows.GetValueOrDefault(key.Row);
            changes?.Add(new RowChange(key.Partition, key.Row, before, row));
            if (row is not null) partition.Rows[key.Row] = row;
            else partition.Rows.Remove(key.Row);
            if (before is null && row is not null) partition.Keys.Add(key.Row);
            else if (before is not null && row is null) partition.Keys.Remove(key.Row);
        }

        if (changes is not null) Changed!(changes);
    }

    private SimulatedRow Stamp(Dictionary<string, object> values)
    {
        var number = Interlocked.Increment(ref _writes).ToString("D7", CultureInfo.InvariantCulture);
        return new SimulatedRow(values, $"W/\"datetime'2026-11-22T08%3A00%3A00.{number}Z'\"", _time.GetUtcNow());
    }

    private (List<TableEntity> Rows, string? More) ReadPage(KeyRange range, IReadOnlyList<string>? select, int max, string? from)
    {
        var rows = new List<TableEntity>();
        var most = Math.Min(PageCut?.Invoke() ?? max, Math.Min(max, RowsPerPage));
        if (!range.IsOfOnePartition) return ReadAcross(range, select, most, from);
        if (!_partitions.TryGetValue(range.Partition, out var partition)) return (rows, null);
        var start = from is null || string.CompareOrdinal(from, range.First) < 0 ? range.First : from;
        if (string.CompareOrdinal(start, range.Last) > 0) return (rows, null);
        foreach (var key in partition.Keys.GetViewBetween(start, range.Last))
        {
            if (!range.Has(key)) continue;
            if (rows.Count == most) return (rows, key);
            rows.Add(partition.Rows[key].ToEntity(range.Partition, key, select));
        }

        return (rows, null);
    }

    // The continuation names partition and row, with a space between, which no key of a partition has.
    private (List<TableEntity> Rows, string? More) ReadAcross(KeyRange range, IReadOnlyList<string>? select, int most, string? from)
    {
        var rows = new List<TableEntity>();
        foreach (var (name, partition) in _partitions.Where(one => range.HasPartition(one.Key)).OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            foreach (var key in partition.Keys)
            {
                var place = $"{name} {key}";
                if (from is not null && string.CompareOrdinal(place, from) < 0) continue;
                if (rows.Count == most) return (rows, place);
                rows.Add(partition.Rows[key].ToEntity(name, key, select));
            }
        }

        return (rows, null);
    }

    private sealed class Partition
    {
        public readonly Dictionary<string, SimulatedRow> Rows = new(StringComparer.Ordinal);
        public readonly SortedSet<string> Keys = new(StringComparer.Ordinal);
    }

    // Each page is a request of its own, and sees the table as it is at that moment.
    private sealed class Pages<T>(
        SimulatedTable table, string filter, IReadOnlyList<string>? select, int max, CancellationToken cancellationToken)
        : AsyncPageable<T>(cancellationToken)
        where T : notnull
    {
        public override async IAsyncEnumerable<Page<T>> AsPages(string? continuationToken = null, int? pageSizeHint = null)
        {
            var range = KeyRange.Of(filter);
            if (table.BeginsWithEmptyPages && continuationToken is null) yield return Page<T>.FromValues([], " ", new SimulatedResponse(200, date: table.Now));
            do
            {
                var from = continuationToken;
                var (rows, more) = await table.SendAsync(
                    TableOperation.QueryPage, range.Partition, [filter], () => table.Existing().ReadPage(range, select, Math.Min(pageSizeHint ?? max, max), from), CancellationToken);
                // One was counted when it was asked for.
                if (table.Service is { } service && rows.Count > 1) await service.WorkAsync(range.Partition, rows.Count - 1, CancellationToken);
                yield return Page<T>.FromValues((IReadOnlyList<T>)(object)rows, more, new SimulatedResponse(200, date: table.Now));
                continuationToken = more;
            }
            while (continuationToken is not null);
        }
    }
}
