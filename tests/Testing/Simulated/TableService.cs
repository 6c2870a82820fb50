namespace Outpost.Tests.Testing;

/// <summary>
/// How long the service takes for a request to a <see cref="SimulatedTable"/> and how much it takes on: a round trip
/// each, half of it before the request takes effect, and Azure's published targets of 2,000 entities a second per
/// partition and 20,000 per account. A point read is one entity, a page its rows, a transaction its rows, refused or
/// not (what a refused one counts is not documented; this is the dearest reading).
/// <para>
/// Both limits are token buckets that hold a tenth of a second's worth. Beyond that a request waits its turn, and where
/// it would wait for longer than <see cref="QueueMax"/> it is answered 503 ServerBusy and counts nothing.
/// </para>
/// </summary>
/// <param name="time">The world's clock.</param>
/// <param name="random">Spreads each half round trip evenly by <see cref="Spread"/> both ways; null: all take the same.</param>
internal sealed class TableService(TimeProvider time, Random? random = null)
{
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(100);
    private readonly Dictionary<string, Bucket> _partitions = new(StringComparer.Ordinal);
    private Bucket? _account;

    public TimeSpan RoundTrip { get; init; } = TimeSpan.FromMilliseconds(10);

    public double Spread { get; init; } = 0.5;

    public int PartitionEntitiesPerSecond { get; init; } = 2_000;

    public int AccountEntitiesPerSecond { get; init; } = 20_000;

    public TimeSpan QueueMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Requests answered 503.</summary>
    public long Refused { get; private set; }

    /// <summary>How long requests waited for their partition, all together.</summary>
    public TimeSpan WaitedForPartition { get; private set; }

    /// <summary>How long requests waited for the account once their partition would have taken them, all together.</summary>
    public TimeSpan WaitedForAccount { get; private set; }

    /// <summary>The request travels and waits until the service does it.</summary>
    internal async Task ArriveAsync(string partition, int entities, CancellationToken cancellationToken)
    {
        await TravelAsync(cancellationToken);
        if (Admit(partition, entities) is not { } wait)
        {
            await TravelAsync(cancellationToken);
            throw TableError.Busy();
        }

        if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellationToken);
    }

    /// <summary>Takes what so many entities take, however long that is: their number is known only once they are found.</summary>
    internal async Task WorkAsync(string partition, int entities, CancellationToken cancellationToken)
    {
        var wait = Take(partition, entities);
        if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellationToken);
    }

    /// <summary>The way there, or back.</summary>
    internal Task TravelAsync(CancellationToken cancellationToken) => Task.Delay(Way(), time, cancellationToken);

    /// <summary>How long the way there, or back, takes.</summary>
    internal TimeSpan Way() => RoundTrip / 2 * (random is null ? 1 : 1 + (Spread * ((2 * random.NextDouble()) - 1)));

    /// <summary>How long a request that arrives waits for its turn; null: it is refused.</summary>
    internal TimeSpan? Admit(string partition, int entities)
    {
        var (own, account) = Buckets(partition);
        if (Later(own.WaitFor(entities), account.WaitFor(entities)) <= QueueMax) return Take(partition, entities);
        Refused++;
        return null;
    }

    private TimeSpan Take(string partition, int entities)
    {
        var (own, account) = Buckets(partition);
        var forPartition = Later(own.Take(entities), TimeSpan.Zero);
        var wait = Later(account.Take(entities), forPartition);
        WaitedForPartition += forPartition;
        WaitedForAccount += wait - forPartition;
        return wait;
    }

    private (Bucket Partition, Bucket Account) Buckets(string partition)
    {
        if (!_partitions.TryGetValue(partition, out var own))
            _partitions[partition] = own = new Bucket(time, PartitionEntitiesPerSecond);
        return (own, _account ??= new Bucket(time, AccountEntitiesPerSecond));
    }

    private static TimeSpan Later(TimeSpan one, TimeSpan other) => one > other ? one : other;

    /// <summary>A token bucket, as the moment at which it will be full again.</summary>
    private sealed class Bucket(TimeProvider time, int perSecond)
    {
        private TimeSpan _full;

        private TimeSpan Now => time.GetElapsedTime(0);

        public TimeSpan WaitFor(int entities) => FullAfter(entities) - Burst - Now;

        public TimeSpan Take(int entities)
        {
            var wait = WaitFor(entities);
            _full = FullAfter(entities);
            return wait;
        }

        private TimeSpan FullAfter(int entities) => (_full > Now ? _full : Now) + TimeSpan.FromSeconds((double)entities / perSecond);
    }
}
