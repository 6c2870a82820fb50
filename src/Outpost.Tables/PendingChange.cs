using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>A change on its way into the log, and the caller who waits for its outcome.</summary>
internal sealed class PendingChange
{
    private readonly TaskCompletionSource<CommitResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private bool _isTaken;

    public PendingChange(Change change, long queuedAt, CancellationToken caller)
    {
        ChangeLimits.Check(change);
        Change = change;
        QueuedAt = queuedAt;
        Caller = caller;
        EntityKey = Keys.Entity(change.EntityType, change.EntityId);
        ReceiptKey = change.Idempotency is { } i ? Keys.Receipt(i.Scope, i.Key) : null;
        // Made once. The measure needs them, and each try builds its rows from them.
        StateText = PayloadColumns.Text(MediaType.Json, change.State);
        PayloadTexts = [.. change.Events.Select(each => PayloadColumns.Text(each.ContentType, each.Payload))];
        Rows = 1 + (ReceiptKey is null ? 0 : 1) + change.Events.Count;
        Bytes = Measure();
    }

    public Change Change { get; }

    /// <summary>Whether it creates its entity.</summary>
    public bool IsNewEntity => Change.Expected is null;

    /// <summary>When the change began to wait, as a timestamp of the time source.</summary>
    public long QueuedAt { get; }

    public CancellationToken Caller { get; }

    public string EntityKey { get; }

    public string? ReceiptKey { get; }

    /// <summary>The entity's state as text; null if it is stored as bytes.</summary>
    public string? StateText { get; }

    /// <summary>Each event's payload as text; null if it is stored as bytes.</summary>
    public IReadOnlyList<string?> PayloadTexts { get; }

    /// <summary>Rows that the change adds to a transaction.</summary>
    public int Rows { get; }

    /// <summary>Upper bound of the bytes that the change adds to a transaction's body.</summary>
    public long Bytes { get; }

    public Task<CommitResult> Result => _result.Task;

    public void Complete(CommitResult result) => _result.TrySetResult(result);

    public void Fail(Exception exception) => _result.TrySetException(exception);

    /// <summary>Takes the change into a batch. From then on it may be in the log. False if it has its answer, or its caller left.</summary>
    public bool TryTake()
    {
        lock (_lock)
        {
            if (Caller.IsCancellationRequested) _result.TrySetCanceled(Caller);
            return _isTaken = !_result.Task.IsCompleted;
        }
    }

    /// <summary>Gives the change back: it is not in the log, and not under way there.</summary>
    public void PutBack()
    {
        lock (_lock) _isTaken = false;
    }

    /// <summary>
    /// The caller waits no longer. A change that still waits for its turn is dropped. If it was sent, nobody knows its outcome.
    /// </summary>
    public void Leave()
    {
        lock (_lock)
        {
            if (_isTaken) _result.TrySetResult(CommitResult.Unknown);
            else _result.TrySetCanceled(Caller);
        }
    }

    /// <summary>The change has waited for its turn for too long, or the queue closes.</summary>
    public void LeaveQueue()
    {
        lock (_lock)
        {
            if (!_isTaken) _result.TrySetResult(CommitResult.QueueFull);
        }
    }

    /// <summary>The entity's row. It is written only if the entity has not changed since the decision.</summary>
    public TableTransactionAction EntityAction(string partitionKey, string commitId)
    {
        var row = EntityRow.Write(partitionKey, Change, StateText, commitId);
        return Change.Expected is { } expected
            ? new TableTransactionAction(TableTransactionActionType.UpdateReplace, row, new ETag(expected.Tag))
            : new TableTransactionAction(TableTransactionActionType.Add, row);
    }

    // Checked before the change is queued. A change that does not fit in one transaction never enters one.
    private long Measure()
    {
        long bytes = WireSize.Of(EntityRow.Write("0000", Change, StateText, ""));
        if (Change.Idempotency is { } idempotency)
            bytes += WireSize.Of(ReceiptRow.Write("0000", Change, StateText, idempotency, "", default));
        for (var i = 0; i < Change.Events.Count; i++)
            bytes += WireSize.Of(EventRow.Write("0000", 0, Change.Events[i], PayloadTexts[i], Change, "", default));
        ChangeLimits.CheckTogether(bytes);
        return bytes;
    }
}
