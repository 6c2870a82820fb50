using System.Globalization;
using Azure.Data.Tables;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// The rows a log wrote for commands with a key, to be written again by others: the very same kinds and sizes, only the
/// row keys are new each time. They are built before anything is measured, so whoever writes them is spared that work,
/// which the log has to do. For one writer at a time.
/// </summary>
internal sealed class RecordedCommands
{
    /// <summary>Commands of a full transaction: 33 × (entity, receipt, event) and the head are 100 rows.</summary>
    public const int PerTransaction = 33;

    public const string Partition = "0000";
    public const string HeadKey = "!head";

    // Odd, so that each number gives another product; spread over all keys like the hashes real keys are made of.
    private const ulong Spread = 0x9E3779B97F4A7C15;

    private readonly TableEntity _head;
    private readonly TableTransactionAction[] _entities;
    private readonly TableTransactionAction[] _receipts;
    private readonly TableTransactionAction[] _events;

    private RecordedCommands(IReadOnlyList<TableTransactionAction> actions)
    {
        _head = (TableEntity)actions.Last(action => action.Entity.RowKey == HeadKey).Entity;
        _entities = OfKind("d|");
        _receipts = OfKind("r|");
        _events = OfKind("e|");

        TableTransactionAction[] OfKind(string prefix) =>
            [.. actions.Where(action => action.Entity.RowKey.StartsWith(prefix, StringComparison.Ordinal)).TakeLast(PerTransaction)];
    }

    /// <summary>Has a log of its own place orders and keeps what it writes.</summary>
    public static async Task<RecordedCommands> RecordAsync()
    {
        var actions = new List<TableTransactionAction>();
        await using var log = await MeasuredLog.CreateAsync(recorded: actions);
        return new RecordedCommands(actions);
    }

    /// <summary>
    /// The rows of some commands in a log's own order: head, entities, receipts, events. Good until the next call.
    /// </summary>
    /// <param name="first">Number of the first command.</param>
    /// <param name="count">How many, up to <see cref="PerTransaction"/>.</param>
    /// <param name="head">The head's tag; null: it does not exist yet.</param>
    public List<TableTransactionAction> Rows(int first, int count, Azure.ETag? head)
    {
        for (var i = 0; i < count; i++)
        {
            var spread = ((ulong)(first + i) * Spread).ToString("x16", CultureInfo.InvariantCulture);
            _entities[i].Entity.RowKey = $"d|order|o-0000{spread}";
            _receipts[i].Entity.RowKey = $"r|{spread}{spread}{spread}{spread}";
            _events[i].Entity.RowKey = string.Create(CultureInfo.InvariantCulture, $"e|{first + i:D19}");
        }

        return
        [
            head is { } tag
                ? new TableTransactionAction(TableTransactionActionType.UpdateReplace, _head, tag)
                : new TableTransactionAction(TableTransactionActionType.Add, _head),
            .. _entities[..count],
            .. _receipts[..count],
            .. _events[..count],
        ];
    }
}
