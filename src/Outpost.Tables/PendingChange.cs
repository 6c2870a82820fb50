using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>A change on its way into the log, and whoever waits for what comes of it.</summary>
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
        // Made once: measuring needs them, and each try builds its rows of them.
        StateText = PayloadColumns.Text(MediaType.Json, change.State);
        PayloadTexts = [.. change.Events.Select(each => PayloadColumns.Text(each.ContentType, each.Payload))];
        Rows = 1 + (ReceiptKey is null ? 0 : 1) + change.Events.Count;
        Bytes = Measure();
    }

    public Change Change { get; }

    /// <summary>Whether it creates its entity.</summary>
    public bool IsNewEntity => Change.Expected is null;

    /// <summary>When it began to wait, as a timestamp of the time source.</summary>
    public long QueuedAt { get; }

    public CancellationToken Caller { get; }

    public string EntityKey { get; }

    public string? ReceiptKey { get; }

    /// <summary>The entity's state as text; null: it is none.</summary>
    public string? StateText { get; }

    /// <summary>Each event's payload as text; null: it is none.</summary>
    public IReadOnlyList<string?> PayloadTexts { get; }

    /// <summary>Rows it adds to a transaction.</summary>
    public int Rows { get; }

    /// <summary>Bytes it adds to a transaction's body, from above.</summary>
    public long Bytes { get; }

    public Task<CommitResult> Result => _result.Task;

    public void Complete(CommitResult result) => _result.TrySetResult(result);

    public void Fail(Exception exception) => _result.TrySetException(exception);

    /// <summary>Takes it into a batch, from when on it may be in the log. False: it has its answer, or its caller left.</summary>
    public bool TryTake()
    {
        lock (_lock)
        {
            if (Caller.IsCancellationRequested) _result.TrySetCanceled(Caller);
            return _isTaken = !_result.Task.IsCompleted;
        }
    }

    /// <summary>Gives it back: it is not in the log, nor under way there.</summary>
    public void PutBack()
    {
        lock (_lock) _isTaken = false;
    }

    /// <summary>
    /// The caller waits no longer. What waits for its turn is dropped, and nobody else notices; of what was sent nobody
    /// knows.
    /// </summary>
    public void Leave()
    {
        lock (_lock)
        {
            if (_isTaken) _result.TrySetResult(CommitResult.Unknown);
            else _result.TrySetCanceled(Caller);
        }
    }

    /// <summary>It has waited for its turn for too long, or the queue closes.</summary>
    public void LeaveQueue()
    {
        lock (_lock)
        {
            if (!_isTaken) _result.TrySetResult(CommitResult.QueueFull);
        }
    }

    /// <summary>The entity's row, written only where the entity is what the decision was made on.</summary>
    public TableTransactionAction EntityAction(string partitionKey, string commitId)
    {
        var row = EntityRow.Write(partitionKey, Change, StateText, commitId);
        return Change.Expected is { } expected
            ? new TableTransactionAction(TableTransactionActionType.UpdateReplace, row, new ETag(expected.Tag))
            : new TableTransactionAction(TableTransactionActionType.Add, row);
    }

    // Checked before anything is queued: what does not fit in one transaction never enters one.
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
