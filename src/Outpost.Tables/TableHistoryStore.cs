using Azure;
using Azure.Data.Tables;
using Outpost.Forwarding;

namespace Outpost.Tables;

/// <summary>Keeps operators' actions in a table partition of their own. Thread-safe.</summary>
internal sealed class TableHistoryStore(TableClient table, Sources sources, StoreProblems? problems = null) : IHistoryStore
{
    private readonly StoreCalls _calls = new(table, sources.Time, problems);

    /// <inheritdoc/>
    public async Task SaveAsync(OperatorAction action, CancellationToken cancellationToken)
    {
        await _calls.ReachAsync(end => table.UpsertEntityAsync(ActionRow.Write(action), TableUpdateMode.Replace, end), cancellationToken);
        await TrimAsync(action.Forwarder, cancellationToken);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(OperatorAction action, CancellationToken cancellationToken) =>
        _calls.ReachAsync(end => table.DeleteEntityAsync(Keys.History, ActionRow.Key(action), ETag.All, end), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<OperatorAction>> ReadAsync(string forwarder, int limit, CancellationToken cancellationToken) => _calls.ReachAsync<IReadOnlyList<OperatorAction>>(
        async end =>
        {
            var found = new List<OperatorAction>();
            await foreach (var row in _calls.RowsAsync(Keys.History, Keys.ActionsFrom(forwarder), Keys.ActionsEnd(forwarder), limit, null, end))
            {
                try
                {
                    found.Add(ActionRow.Read(row, forwarder));
                }
                catch (DamagedRowException damage)
                {
                    // Health reports the damage. Only this one action is lost.
                    _calls.Found(damage);
                }

                if (found.Count == limit) break;
            }

            return found;
        },
        cancellationToken);

    // Each action adds one row, so usually at most one row is too many. The next action deletes what is left.
    private Task<int> TrimAsync(string forwarder, CancellationToken cancellationToken) => _calls.ReachAsync(
        async end =>
        {
            var keys = new List<string>();
            const int ReadMax = OperatorAction.KeptMax + Limits.TransactionRowsMax;
            await foreach (var row in _calls.RowsAsync(Keys.History, Keys.ActionsFrom(forwarder), Keys.ActionsEnd(forwarder), ReadMax, ["PartitionKey", "RowKey"], end))
            {
                keys.Add(row.RowKey);
                if (keys.Count == ReadMax) break;
            }

            foreach (var key in keys.Skip(OperatorAction.KeptMax)) await table.DeleteEntityAsync(Keys.History, key, ETag.All, end);
            return keys.Count;
        },
        cancellationToken);
}

/// <summary>The row of one action of an operator.</summary>
internal static class ActionRow
{
    public static string Key(OperatorAction action) => Keys.Action(action.Forwarder, action.At, action.Id);

    public static TableEntity Write(OperatorAction action)
    {
        var row = new TableEntity(Keys.History, Key(action)) { ["At"] = action.At, ["What"] = action.What, ["Detail"] = action.Detail };
        (string Name, string? Value)[] others =
        [
            ("By", action.By), ("Why", action.Why), ("Request", action.Request), ("Outcome", action.Outcome), ("OutcomeDetail", action.OutcomeDetail),
        ];
        foreach (var (name, value) in others)
        {
            if (value is not null) row[name] = value;
        }

        return row;
    }

    public static OperatorAction Read(TableEntity row, string forwarder) => new(
        Keys.ActionId(row.RowKey), row.Time("At"), forwarder, row.Text("What"), row.TextOrNull("Detail") ?? "", row.TextOrNull("By"), row.TextOrNull("Why"))
    {
        Request = row.TextOrNull("Request"),
        Outcome = row.TextOrNull("Outcome"),
        OutcomeDetail = row.TextOrNull("OutcomeDetail"),
    };
}
