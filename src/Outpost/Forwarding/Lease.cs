namespace Outpost.Forwarding;

/// <summary>
/// The right to forward one partition for a while. Each write of the checkpoint renews it. A write that fails the compare-and-swap
/// means that it is lost. One write may be under way while the next batches are delivered. Only one drain uses a lease.
/// </summary>
internal sealed class Lease : IDisposable
{
    // A checkpoint is written in milliseconds. If a write took longer than this, the lease would be near its end.
    private static readonly TimeSpan WriteMax = TimeSpan.FromSeconds(5);

    private readonly IForwardingStore _store;
    private readonly int _partition;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _lost = new();
    // How many changes may wait for the write under way. After a crash, only the batches of these changes, and of the two
    // writes, are delivered again.
    private const int WaitingMax = 8;

    private readonly Lock _gate = new();
    private Task<bool> _saving = Task.FromResult(true);
    private Checkpoint _next;
    private bool _isWriting;
    private int _waiting;
    private long _since;

    private Lease(IForwardingStore store, int partition, Checkpoint checkpoint, TimeProvider time, long since)
    {
        _store = store;
        _partition = partition;
        Checkpoint = checkpoint;
        _next = checkpoint;
        _time = time;
        _since = since;
    }

    /// <summary>The checkpoint as last written.</summary>
    public Checkpoint Checkpoint { get; private set; }

    /// <summary>When the last write was sent, as a timestamp of the time source.</summary>
    public long RenewedAt => _since;

    /// <summary>
    /// How much of the lease is left. It counts from before the last write was sent, so the lease ends here before others see it
    /// end. Only a stopwatch measures it, no clock.
    /// </summary>
    public TimeSpan Left => Checkpoint.LeaseTime - _time.GetElapsedTime(_since);

    /// <summary>Cancelled as soon as a write shows that the lease is lost.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>
    /// Takes the lease with one write. Nothing cancels this write: if its outcome were in doubt, nobody could give the lease back.
    /// Returns null if somebody else was faster.
    /// </summary>
    public static async Task<Lease?> TakeAsync(IForwardingStore store, PartitionState state, Checkpoint checkpoint, string owner, TimeProvider time)
    {
        var since = time.GetTimestamp();
        var mine = checkpoint with { Owner = owner, Epoch = checkpoint.Epoch + 1, Write = checkpoint.Write + 1 };
        using var deadline = new CancellationTokenSource(WriteMax, time);
        var saved = checkpoint.Tag is null
            ? await store.BeginAsync(state, mine, deadline.Token)
            : await store.SaveAsync(state.Partition, mine, [], [], deadline.Token);
        return saved is null ? null : new Lease(store, state.Partition, saved, time, since);
    }

    /// <summary>
    /// Begins a write. While another write is under way, a few changes wait for it, and the next write has them all. Returns false,
    /// and begins nothing, if the lease is lost.
    /// </summary>
    public async Task<bool> BeginSaveAsync(
        Func<Checkpoint, Checkpoint> change, IReadOnlyList<ParkedEntry>? park = null, IReadOnlyList<long>? unpark = null)
    {
        var isAlone = park is { Count: > 0 } || unpark is { Count: > 0 };
        if ((isAlone || _waiting >= WaitingMax || _saving.IsCompleted) && !await SettleAsync()) return false;
        lock (_gate)
        {
            _next = change(_next);
            _waiting++;
            if (_isWriting) return true;
            _isWriting = true;
            _saving = WriteAllAsync(park ?? [], unpark ?? []);
        }

        return true;
    }

    /// <summary>Waits until everything is written. Returns false if the lease is lost.</summary>
    public Task<bool> SettleAsync() => _saving;

    /// <summary>Writes, and waits for the end of the write. Returns false if the lease is lost.</summary>
    public async Task<bool> SaveAsync(
        Func<Checkpoint, Checkpoint> change, IReadOnlyList<ParkedEntry>? park = null, IReadOnlyList<long>? unpark = null) =>
        await BeginSaveAsync(change, park, unpark) && await SettleAsync();

    /// <summary>Gives the lease back, so that nobody has to wait until it ends.</summary>
    public Task<bool> ReleaseAsync(Func<Checkpoint, Checkpoint> change) => SaveAsync(checkpoint => change(checkpoint) with { Owner = null });

    public void Dispose() => _lost.Dispose();

    private async Task<bool> WriteAllAsync(IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark)
    {
        while (true)
        {
            Checkpoint next;
            lock (_gate)
            {
                // Only one write is under way. Changes that come meanwhile wait.
                if (_waiting == 0)
                {
                    _isWriting = false;
                    return true;
                }

                _waiting = 0;
                next = _next with { Tag = Checkpoint.Tag, StoredAt = Checkpoint.StoredAt, Write = Checkpoint.Write + 1 };
            }

            if (!await WriteAsync(next, park, unpark)) return false;
            (park, unpark) = ([], []);
        }
    }

    private async Task<bool> WriteAsync(Checkpoint next, IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark)
    {
        var since = _time.GetTimestamp();
        using var deadline = new CancellationTokenSource(WriteMax, _time);
        var saved = await _store.SaveAsync(_partition, next, park, unpark, deadline.Token);
        if (saved is null)
        {
            // Cancels in place, so that a delivery under way ends before anybody goes on.
#pragma warning disable CA1849
            _lost.Cancel();
#pragma warning restore CA1849
            return false;
        }

        Checkpoint = saved;
        _since = since;
        return true;
    }
}
