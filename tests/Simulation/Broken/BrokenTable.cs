using Azure;
using Azure.Data.Tables;

namespace Outpost.Tests.Simulation;

/// <summary>Between a process and the table: sends and tells something else than what was asked for and what is there.</summary>
internal sealed class BrokenTable(Broken broken, SimulatedTable table, StoreClockPolicy clock)
    : ProcessTable(table, clock)
{
    private readonly List<(ITableEntity Head, ETag Tag, TableUpdateMode Mode)> _unwritten = [];

    public override async Task<Response<IReadOnlyList<Response>>> SubmitTransactionAsync(
        IEnumerable<TableTransactionAction> transactionActions, CancellationToken cancellationToken = default)
    {
        var actions = transactionActions.ToList();
        if (actions[0].Entity.RowKey != "!head") return await base.SubmitTransactionAsync(actions, cancellationToken);
        switch (broken)
        {
            case Broken.HeadWithoutIfMatch:
                actions[0] = new TableTransactionAction(TableTransactionActionType.UpsertReplace, actions[0].Entity);
                break;
            case Broken.CommitIdReused:
                foreach (var action in actions) OtherId((TableEntity)action.Entity);
                break;
            case Broken.ReceiptOutsideTransaction:
                return await InTwoAsync(actions, action => action.Entity.RowKey[0] != 'r', cancellationToken);
            case Broken.TransactionSplit:
                return await InTwoAsync(actions, action => action.Entity.RowKey[0] is '!' or 'e', cancellationToken);
        }

        return await base.SubmitTransactionAsync(actions, cancellationToken);
    }

    public override async Task<NullableResponse<T>> GetEntityIfExistsAsync<T>(
        string partitionKey, string rowKey, IEnumerable<string>? select = null, CancellationToken cancellationToken = default)
    {
        // What became of a commit.
        var isOutcome = rowKey[0] == 'e' && select?.Contains("Commit") == true;
        if (broken == Broken.RepeatRefused && rowKey[0] == 'r')
            return await base.GetEntityIfExistsAsync<T>(partitionKey, rowKey + "?", select, cancellationToken);
        var answer = await base.GetEntityIfExistsAsync<T>(partitionKey, rowKey, select, cancellationToken);
        return (broken, isOutcome) switch
        {
            (Broken.OwnCommitNotRecognised, true) when answer.HasValue => Somebody(answer, partitionKey, rowKey),
            (Broken.RegroupedBeforeItCannotLand, true) when !answer.HasValue => Somebody(answer, partitionKey, rowKey),
            _ => answer,
        };
    }

    // Only a backup asks for these columns.
    public override AsyncPageable<T> QueryAsync<T>(
        string? filter = null, int? maxPerPage = null, IEnumerable<string>? select = null, CancellationToken cancellationToken = default)
    {
        var isOfCommits = ReferenceEquals(select, Tables.Copies.CommittedEntities.Columns);
        return base.QueryAsync<T>(broken == Broken.BackupWithoutCut && isOfCommits ? "PartitionKey eq 'nothing'" : filter, maxPerPage, select, cancellationToken);
    }

    private static NullableResponse<T> Somebody<T>(NullableResponse<T> answer, string partitionKey, string rowKey)
        where T : class, ITableEntity =>
        Response.FromValue((T)(object)new TableEntity(partitionKey, rowKey) { ["Commit"] = "somebody else's" }, answer.GetRawResponse());

    // Only growing writes a head by itself.
    public override async Task<Response> UpdateEntityAsync<T>(
        T entity, ETag ifMatch, TableUpdateMode mode = TableUpdateMode.Merge, CancellationToken cancellationToken = default)
    {
        if (entity.RowKey == "!head" && broken is Broken.FenceLeftOut or Broken.OldHeadWrittenLast)
        {
            _unwritten.Add((entity, ifMatch, mode));
            return (await base.GetEntityIfExistsAsync<TableEntity>(entity.PartitionKey, entity.RowKey, null, cancellationToken)).GetRawResponse();
        }

        var answer = await base.UpdateEntityAsync(entity, ifMatch, mode, cancellationToken);
        if (entity.RowKey == "layout" && broken == Broken.OldHeadWrittenLast)
        {
            foreach (var (head, tag, how) in _unwritten) await base.UpdateEntityAsync((TableEntity)head, tag, how, cancellationToken);
        }

        return answer;
    }

    // As if the number began again with each list.
    private static void OtherId(TableEntity row)
    {
        if (row.GetString("Commit") is { Length: > 16 } commit) row["Commit"] = commit[..16] + "-1";
    }

    private async Task<Response<IReadOnlyList<Response>>> InTwoAsync(
        List<TableTransactionAction> actions, Func<TableTransactionAction, bool> isFirst, CancellationToken cancellationToken)
    {
        var answer = await base.SubmitTransactionAsync(actions.Where(isFirst), cancellationToken);
        var rest = actions.Where(action => !isFirst(action)).ToList();
        if (rest.Count > 0) await base.SubmitTransactionAsync(rest, cancellationToken);
        return answer;
    }
}
