namespace Outpost;

/// <summary>
/// The highest head that this process has seen in each partition, from its own commits and its reads. It tells without a request
/// whether an entry has a successor. It wakes callers that wait for one, or for the log to grow. Thread-safe.
/// </summary>
internal sealed class PartitionHeads
{
    private readonly Partition[] _partitions = [.. Enumerable.Range(0, Limits.PartitionsMax).Select(_ => new Partition())];
    private readonly Lock _growing = new();
    private readonly HashSet<TaskCompletionSource> _waiting = [];
    private int _count;
    private long _commits;

    /// <summary>Starts with a number of partitions, and no known head.</summary>
    public PartitionHeads(int partitions) => _count = partitions;

    /// <summary>How many partitions the log has, as far as this process knows.</summary>
    public int Partitions => Volatile.Read(ref _count);

    /// <summary>The highest head seen; 0 if none was seen yet.</summary>
    public long this[int partition] => Volatile.Read(ref _partitions[partition].Head);

    /// <summary>How many transactions this process has committed.</summary>
    public long Commits => Volatile.Read(ref _commits);

    /// <summary>Records a commit of this process.</summary>
    public void Committed(int partition, long head)
    {
        Interlocked.Increment(ref _commits);
        Raise(partition, head);
    }

    /// <summary>Records a head that was seen, and wakes those who wait for it.</summary>
    public void Raise(int partition, long head)
    {
        var one = _partitions[partition];
        List<Waiter> woken;
        lock (one)
        {
            if (head <= one.Head) return;
            one.Head = head;
            woken = [.. one.Waiting.Where(waiter => waiter.Offset < head)];
        }

        foreach (var waiter in woken) waiter.TrySetResult(true);
    }

    /// <summary>Records that the log has this many partitions, and wakes those who wait for that.</summary>
    public void Grown(int partitions)
    {
        List<TaskCompletionSource> waiting;
        lock (_growing)
        {
            if (partitions <= _count) return;
            _count = partitions;
            waiting = [.. _waiting];
        }

        foreach (var one in _partitions)
        {
            List<Waiter> woken;
            lock (one) woken = [.. one.Waiting.Where(waiter => waiter.EndsWhenGrown)];
            foreach (var waiter in woken) waiter.TrySetResult(false);
        }

        foreach (var waiter in waiting) waiter.TrySetResult();
    }

    /// <summary>Waits until the log has more than this many partitions.</summary>
    public async Task GrownBeyondAsync(int partitions, CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_growing)
        {
            if (_count > partitions) return;
            _waiting.Add(waiter);
        }

        try
        {
            using var leaving = cancellationToken.UnsafeRegister(static (waiter, token) => ((TaskCompletionSource)waiter!).TrySetCanceled(token), waiter);
            await waiter.Task;
        }
        finally
        {
            lock (_growing) _waiting.Remove(waiter);
        }
    }

    /// <summary>
    /// Waits until a head above <paramref name="offset"/> is known. Returns at once if it is known already, and returns false after
    /// <paramref name="timeout"/>.
    /// </summary>
    /// <param name="partition">Number of the partition.</param>
    /// <param name="offset">The offset that the head must exceed.</param>
    /// <param name="timeout">The longest wait.</param>
    /// <param name="time">Measures the wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="endsWhenGrown">Whether the wait ends, with false, when the log grows.</param>
    public async Task<bool> BeyondAsync(
        int partition, long offset, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken, bool endsWhenGrown = false)
    {
        var one = _partitions[partition];
        var waiter = new Waiter(offset, endsWhenGrown);
        lock (one)
        {
            if (one.Head > offset) return true;
            one.Waiting.Add(waiter);
        }

        try
        {
            using var end = time.CreateTimer(static waiter => ((Waiter)waiter!).TrySetResult(false), waiter, timeout, Timeout.InfiniteTimeSpan);
            using var leaving = cancellationToken.UnsafeRegister(static (waiter, token) => ((Waiter)waiter!).TrySetCanceled(token), waiter);
            return await waiter.Task;
        }
        finally
        {
            lock (one) one.Waiting.Remove(waiter);
        }
    }

    private sealed class Waiter(long offset, bool endsWhenGrown) : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public long Offset { get; } = offset;

        public bool EndsWhenGrown { get; } = endsWhenGrown;
    }

    private sealed class Partition
    {
        public readonly HashSet<Waiter> Waiting = [];
        public long Head;
    }
}
