namespace Outpost.Tables;

/// <summary>The highest head this process has seen in each partition: tells for free that an entry has a successor.</summary>
internal sealed class KnownHeads(int partitions)
{
    private readonly long[] _heads = new long[partitions];

    public long this[int partition] => Volatile.Read(ref _heads[partition]);

    public void Raise(int partition, long head)
    {
        var known = Volatile.Read(ref _heads[partition]);
        while (head > known)
        {
            var seen = Interlocked.CompareExchange(ref _heads[partition], head, known);
            if (seen == known) return;
            known = seen;
        }
    }
}
