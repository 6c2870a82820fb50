namespace Outpost;

/// <summary>
/// Looks at partitions on behalf of all who wait for new entries. While somebody waits, one loop reads the partition's state now
/// and then. Commits of this process wake waiters without a request. So more waiters cost nothing. Thread-safe; one per process.
/// </summary>
internal sealed class PartitionWatch
{
    private static readonly TimeSpan PollAfterFailure = TimeSpan.FromSeconds(1);

    // The longest pause before the loop checks whether a more impatient waiter has come.
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(300);

    private readonly IEventStore _store;
    private readonly PartitionHeads _heads;
    private readonly Sources _sources;
    private readonly Watched[] _partitions;
    private readonly SharedReads<int, PartitionState> _reads = new();

    /// <summary>Watches the partitions of a log.</summary>
    public PartitionWatch(IEventStore store, Sources sources)
    {
        _store = store;
        _heads = store.Heads;
        _sources = sources;
        _partitions = [.. Enumerable.Range(0, Limits.PartitionsMax).Select(_ => new Watched())];
    }

    /// <summary>A partition's state, read now or at most <paramref name="maxAge"/> ago.</summary>
    public async Task<PartitionState> ReadAsync(int partition, TimeSpan maxAge, CancellationToken cancellationToken)
    {
        var watched = _partitions[partition];
        if (watched.Last is { } last && IsYoung(last)) return last.State;
        // A look under way may be young enough too.
        return await _reads.ReadAsync(partition, () => LookAsync(partition), _ => watched.Last is { } now && IsYoung(now), cancellationToken);

        bool IsYoung(Look look) => _sources.Time.GetElapsedTime(look.At) < maxAge;
    }

    /// <summary>A partition's state, read now. Callers that ask at the same time share one request.</summary>
    public Task<PartitionState> ReadAsync(int partition, CancellationToken cancellationToken) =>
        _reads.ReadAsync(partition, () => LookAsync(partition), isForGood: _ => false, cancellationToken);

    /// <summary>The state that was last read, however long ago; null if none was read yet.</summary>
    public PartitionState? LastRead(int partition) => _partitions[partition].Last?.State;

    /// <summary>Waits for an entry at <paramref name="offset"/>. Returns false after <paramref name="timeout"/>, or if the log has grown.</summary>
    /// <param name="partition">Number of the partition.</param>
    /// <param name="offset">The offset to wait for, usually the head.</param>
    /// <param name="poll">How often to ask the store. The shortest of all waiters' values counts, with jitter.</param>
    /// <param name="timeout">The longest wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<bool> WaitAsync(int partition, long offset, TimeSpan poll, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var watched = _partitions[partition];
        Enter(partition, watched, poll);
        try
        {
            // A reader should learn of new partitions soon, so the wait ends when the log grows.
            return await _heads.BeyondAsync(partition, offset, timeout, _sources.Time, cancellationToken, endsWhenGrown: true);
        }
        finally
        {
            Leave(watched, poll);
        }
    }

    private async Task<PartitionState> LookAsync(int partition)
    {
        var at = _sources.Time.GetTimestamp();
        var state = await _store.ReadPartitionAsync(partition, CancellationToken.None);
        _partitions[partition].Last = new Look(state, at);
        return state;
    }

    private void Enter(int partition, Watched watched, TimeSpan poll)
    {
        lock (watched)
        {
            watched.Polls.Add(poll);
            if (watched.IsLooking) return;
            watched.IsLooking = true;
        }

        // The loop runs on the caller's scheduler, but not on its stack.
        _ = Task.Factory.StartNew(() => PollAsync(partition, watched), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Current).Unwrap();
    }

    private static void Leave(Watched watched, TimeSpan poll)
    {
        lock (watched) watched.Polls.Remove(poll);
    }

    // The loop ends when nobody waits any more.
    private async Task PollAsync(int partition, Watched watched)
    {
        var failed = false;
        var waited = TimeSpan.Zero;
        while (true)
        {
            TimeSpan poll;
            lock (watched)
            {
                if (watched.Polls.Count == 0)
                {
                    watched.IsLooking = false;
                    return;
                }

                poll = watched.Polls.Min();
            }

            var left = (failed && poll < PollAfterFailure ? PollAfterFailure : poll) - waited;
            if (left > TimeSpan.Zero)
            {
                var nap = left < Nap ? left : Nap;
                await Task.Delay(nap * (0.8 + (_sources.NextRandom() * 0.4)), _sources.Time);
                waited += nap;
                continue;
            }

            waited = TimeSpan.Zero;
            try
            {
                await ReadAsync(partition, CancellationToken.None);
                failed = false;
            }
#pragma warning disable CA1031 // A waiter meets the fault itself when it reads. This loop only has to go on.
            catch (Exception)
#pragma warning restore CA1031
            {
                failed = true;
            }
        }
    }

    private sealed record Look(PartitionState State, long At);

    private sealed class Watched
    {
        public readonly List<TimeSpan> Polls = [];
        public bool IsLooking;
        private Look? _last;

        public Look? Last
        {
            get => Volatile.Read(ref _last);
            set => Volatile.Write(ref _last, value);
        }
    }
}
