using System.Threading.Channels;

namespace Outpost.Tables;

/// <summary>
/// The changes that wait for a partition's writer, in the order in which they came. Picks those for the next transaction. Bounded in
/// number and in time. Any thread adds; one writer takes.
/// </summary>
internal sealed class ChangeQueue(TimeProvider time)
{
    // Enough to find a full transaction behind a crowd on one entity. It also bounds what waits outside the queue.
    private const int PassedOverMax = 200;

    private readonly Channel<PendingChange> _queue = Channel.CreateBounded<PendingChange>(
        new BoundedChannelOptions(Limits.QueuedCommandsMax) { SingleReader = true });

    private readonly RecentVersions _recent = new(Limits.RecentVersionsMax);

    // Changes that did not fit the last transaction, or have to go again. They come before the queue.
    private LinkedList<PendingChange> _carry = new();

    /// <summary>How many changes wait.</summary>
    public int Count => _carry.Count + _queue.Reader.Count;

    /// <summary>Adds a change; false if the queue is full or closed.</summary>
    public bool TryAdd(PendingChange pending) => _queue.Writer.TryWrite(pending);

    /// <summary>Takes no more changes. Those in the queue are still carried out.</summary>
    public void Close() => _queue.Writer.TryComplete();

    /// <summary>Refuses the changes that are left. Only for when the writer has ended.</summary>
    public void Clear()
    {
        while (Take() is { } pending) pending.LeaveQueue();
    }

    /// <summary>Waits for a change; false if the queue is closed and empty.</summary>
    public async ValueTask<bool> WaitAsync() => _carry.Count > 0 || await _queue.Reader.WaitToReadAsync();

    /// <summary>
    /// As many changes as one transaction takes, and no more than asked for. A change whose caller left, that waited too long, or that was
    /// decided on an old version gets its answer here, and costs no transaction.
    /// </summary>
    public CommitBatch NextBatch(int max = int.MaxValue)
    {
        var batch = new CommitBatch();
        var later = new LinkedList<PendingChange>();
        while (later.Count < PassedOverMax && batch.Changes.Count < max && Take() is { } pending)
        {
            if (IsAnswered(pending) || !pending.TryTake()) continue;
            var fit = batch.TryAdd(pending);
            if (fit == CommitBatch.Fit.Added) continue;
            pending.PutBack();
            later.AddLast(pending);
            if (fit == CommitBatch.Fit.Full) break;
        }

        foreach (var pending in _carry) later.AddLast(pending);
        _carry = later;
        return batch;
    }

    /// <summary>Puts changes back at the front, in order. They were sent, and are known not to be in the log.</summary>
    public void GoAgain(IReadOnlyList<PendingChange> changes)
    {
        for (var i = changes.Count - 1; i >= 0; i--)
        {
            changes[i].PutBack();
            _carry.AddFirst(changes[i]);
        }
    }

    /// <summary>This change is in the log, so a decision on an older version of its entity is stale.</summary>
    public void Remember(PendingChange committed) => _recent.Remember(committed);

    private bool IsAnswered(PendingChange pending)
    {
        // Its list landed although the store had refused it.
        if (pending.Result.IsCompleted) return true;
        if (time.GetElapsedTime(pending.QueuedAt) > Limits.QueueWaitMax) pending.Complete(CommitResult.QueueFull);
        else if (_recent.IsStale(pending)) pending.Complete(CommitResult.EntityChanged);
        else return false;
        return true;
    }

    private PendingChange? Take()
    {
        if (_carry.First is not { } first) return _queue.Reader.TryRead(out var pending) ? pending : null;
        _carry.RemoveFirst();
        return first.Value;
    }
}
