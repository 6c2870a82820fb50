namespace Outpost;

/// <summary>
/// The highest head this process has seen in each partition, from its own commits and from what it read. Tells without
/// a request that an entry has a successor, and wakes who waits for one. Thread-safe.
/// </summary>
public sealed class PartitionHeads
{
    private readonly Partition[] _partitions;
    private long _commits;

    /// <summary>No head is known yet.</summary>
    public PartitionHeads(int partitions) => _partitions = [.. Enumerable.Range(0, partitions).Select(_ => new Partition())];

    /// <summary>The highest head seen; 0: none yet.</summary>
    public long this[int partition] => Volatile.Read(ref _partitions[partition].Head);

    /// <summary>How many transactions this process has committed.</summary>
    public long Commits => Volatile.Read(ref _commits);

    /// <summary>This process has committed.</summary>
    public void Committed(int partition, long head)
    {
        Interlocked.Increment(ref _commits);
        Raise(partition, head);
    }

    /// <summary>A head was seen.</summary>
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

    /// <summary>Waits until a head above <paramref name="offset"/> is known: not at all where one is. False: not within <paramref name="timeout"/>.</summary>
    public async Task<bool> BeyondAsync(int partition, long offset, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var one = _partitions[partition];
        var waiter = new Waiter(offset);
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

    private sealed class Waiter(long offset) : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public long Offset { get; } = offset;
    }

    private sealed class Partition
    {
        public readonly HashSet<Waiter> Waiting = [];
        public long Head;
    }
}
