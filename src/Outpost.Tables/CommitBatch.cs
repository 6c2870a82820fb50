using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>
/// The changes of one entity group transaction, and its list of rows. A commit id names one exact list, and another list gets another
/// id. So a commit id found in the table tells what was written.
/// </summary>
internal sealed class CommitBatch
{
    private const long HeadBytes = 4096;
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly List<PendingChange> _changes = [];
    private int _rows = 1;
    private long _bytes = HeadBytes;

    public IReadOnlyList<PendingChange> Changes => _changes;

    /// <summary>The newest layout by which one of its new entities was looked for; 0 if it creates no entity.</summary>
    public int Generation => _changes.Max(pending => pending.IsNewEntity ? pending.Change.Generation : 0);

    /// <summary>Changes whose new entity was looked for by an older layout than the head's. The entity may belong elsewhere by now.</summary>
    public IReadOnlyList<PendingChange> OlderThan(HeadRow head) => head.Tag is null
        ? []
        : [.. _changes.Where(pending => pending.IsNewEntity && pending.Change.Generation < head.Generation)];

    public Fit TryAdd(PendingChange pending)
    {
        // A transaction may hold a row only once.
        if (_keys.Contains(pending.EntityKey) || (pending.ReceiptKey is { } key && _keys.Contains(key))) return Fit.NotThisTime;
        if (_changes.Count > 0 &&
            (_rows + pending.Rows > Limits.TransactionRowsMax || _bytes + pending.Bytes > Limits.TransactionBytesMax))
            return Fit.Full;
        _keys.Add(pending.EntityKey);
        if (pending.ReceiptKey is not null) _keys.Add(pending.ReceiptKey);
        _changes.Add(pending);
        _rows += pending.Rows;
        _bytes += pending.Bytes;
        return Fit.Added;
    }

    /// <summary>
    /// Builds the rows: head, entities, receipts, events. Rows that can be refused come before those that cannot. A repeat of a transaction
    /// that landed is refused by its first row.
    /// </summary>
    public RowList Build(string partitionKey, HeadRow head, string commitId, DateTimeOffset now, string? line = null)
    {
        var at = now > head.At ? now : head.At;
        var next = head with
        {
            Next = head.Next + _changes.Sum(p => p.Change.Events.Count),
            Commit = commitId,
            At = at,
            Line = line,
            // The first commit of a partition that the log was created with.
            Generation = head.Tag is null ? _changes.Max(p => p.Change.Generation) : head.Generation,
        };
        var actions = new List<TableTransactionAction>(_rows) { next.Write(partitionKey) };
        var owners = new List<PendingChange?>(_rows) { null };
        foreach (var pending in _changes)
        {
            actions.Add(pending.EntityAction(partitionKey, commitId));
            owners.Add(pending);
        }

        foreach (var pending in _changes.Where(p => p.ReceiptKey is not null))
        {
            var row = ReceiptRow.Write(partitionKey, pending.Change, pending.StateText, pending.Change.Idempotency!, commitId, at);
            actions.Add(new TableTransactionAction(TableTransactionActionType.Add, row));
            owners.Add(pending);
        }

        var receiptRows = actions.Count - 1 - _changes.Count;
        var offset = head.Next;
        foreach (var pending in _changes)
        {
            for (var i = 0; i < pending.Change.Events.Count; i++)
            {
                var row = EventRow.Write(partitionKey, offset++, pending.Change.Events[i], pending.PayloadTexts[i], pending.Change, commitId, at);
                actions.Add(new TableTransactionAction(TableTransactionActionType.Add, row));
                owners.Add(pending);
            }
        }

        return new RowList(commitId, head, next, actions, owners, EntityRows: _changes.Count, receiptRows);
    }

    internal enum Fit
    {
        Added,

        /// <summary>One of its rows is in the batch already, so it goes with the next batch.</summary>
        NotThisTime,

        /// <summary>There is no room left, so the batch is ready.</summary>
        Full,
    }
}

/// <summary>The exact rows of one transaction.</summary>
/// <param name="CommitId">Names this list. Every row of the list holds it.</param>
/// <param name="Before">The head that the list was built on.</param>
/// <param name="After">The head that the list writes, still with the old tag.</param>
/// <param name="Actions">Head, entities, receipts, events.</param>
/// <param name="Owners">The change that each action belongs to; null for the head.</param>
/// <param name="EntityRows">How many entity rows follow the head.</param>
/// <param name="ReceiptRows">How many receipts follow those; the rest are events.</param>
internal sealed record RowList(
    string CommitId,
    HeadRow Before,
    HeadRow After,
    IReadOnlyList<TableTransactionAction> Actions,
    IReadOnlyList<PendingChange?> Owners,
    int EntityRows,
    int ReceiptRows)
{
    /// <summary>Whether the action at this index is a domain entity's row.</summary>
    public bool IsEntity(int index) => index >= 1 && index <= EntityRows;

    /// <summary>The entries it adds to the log, in order.</summary>
    public IReadOnlyList<EventEntry> Entries(string log, int partition)
    {
        var entries = new List<EventEntry>();
        foreach (var change in Owners.Skip(1).Take(EntityRows).Select(owner => owner!.Change))
        {
            foreach (var @event in change.Events)
            {
                entries.Add(new EventEntry(
                    new EventId(log, partition, Before.Next + entries.Count),
                    @event.Type, @event.ContentType, @event.Payload, After.At, change.Subject, change.Version, change.TraceParent, change.CorrelationId));
            }
        }

        return entries;
    }

    /// <summary>Whether the action at this index is a receipt.</summary>
    public bool IsReceipt(int index) => index > EntityRows && index <= EntityRows + ReceiptRows;

    /// <summary>The offset of the event in this action; null if the action is no event.</summary>
    public long? EventAt(int index) => index - 1 - EntityRows - ReceiptRows is var place && place >= 0 ? Before.Next + place : null;
}
