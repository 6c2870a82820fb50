namespace Outpost;

/// <summary>
/// The highest head this process has seen in each partition, from its own commits and from what it read. Tells without
/// a request that an entry has a successor, and wakes who waits for one. Thread-safe.
/// </summary>
public sealed class PartitionHeads
{
    private readonly Partition[] _partitions;

    /// <summary>No head is known yet.</summary>
    public PartitionHeads(int partitions) => _partitions = [.. Enumerable.Range(0, partitions).Select(_ => new Partition())];

    /// <summary>The highest head seen; 0: none yet.</summary>
    public long this[int partition] => Volatile.Read(ref _partitions[partition].Head);

    /// <summary>A head was seen.</summary>
    public void Raise(int partition, long head)
    {
        var one = _partitions[partition];
        TaskCompletionSource moved;
        lock (one)
        {
            if (head <= one.Head) return;
            one.Head = head;
            moved = one.Moved;
            one.Moved = NewSignal();
        }

        moved.SetResult();
    }

    /// <summary>Completes when a head above <paramref name="offset"/> is known: at once where one is.</summary>
    public Task BeyondAsync(int partition, long offset)
    {
        var one = _partitions[partition];
        lock (one) return one.Head > offset ? Task.CompletedTask : one.Moved.Task;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Partition
    {
        public long Head;
        public TaskCompletionSource Moved = NewSignal();
    }
}
