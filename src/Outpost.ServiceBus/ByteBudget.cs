using Outpost.Forwarding;

namespace Outpost.ServiceBus;

/// <summary>
/// Limits the bytes that are on their way at once. All partitions of a process share them, first come, first served.
/// Together they must get through well within one send's timeout, or all of them fail and are sent again.
/// </summary>
internal sealed class ByteBudget : IDisposable
{
    // Allows 64 small batches side by side.
    private const int UnitBytes = 64 * 1024;

    // 4 MiB within half of a send's timeout of 5 s are 13 Mbit/s, which the smallest instance has. The budget holds
    // four of the largest batches of the Premium tier, or sixteen of Standard. At a round trip of 20 ms it slows nobody
    // down.
    private const int Units = 4 * 1024 * 1024 / UnitBytes;

    // A lease can spare this much beside a delivery.
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SemaphoreSlim _free = new(Units, Units);

    /// <summary>Takes the bytes of a batch. Null: not enough were free in time.</summary>
    public async Task<Share?> TakeAsync(long bytes, TimeProvider time, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(WaitMax, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var (wanted, taken) = ((int)Math.Clamp((bytes + UnitBytes - 1) / UnitBytes, 1, Units), 0);
        try
        {
            // Only one batch takes at a time. Two that each hold half of what they need would wait for each other.
            await _turn.WaitAsync(end.Token);
            try
            {
                for (; taken < wanted; taken++) await _free.WaitAsync(end.Token);
            }
            finally
            {
                _turn.Release();
            }

            return new Share(this, taken);
        }
        catch (OperationCanceledException)
        {
            if (taken > 0) _free.Release(taken);
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>The answer to a delivery that got no bytes in time.</summary>
    public static Delivery Exhausted() =>
        new Delivery.Failed(new TimeoutException("Messages of other partitions use up the bytes that may be on their way at once."), IsTransient: true)
        {
            Kind = "BytesInFlight",
            IsBusy = true,
        };

    public void Dispose()
    {
        _turn.Dispose();
        _free.Dispose();
    }

    /// <summary>A part of the budget. Disposing gives it back.</summary>
    internal sealed class Share(ByteBudget budget, int units) : IDisposable
    {
        public void Dispose() => budget._free.Release(units);
    }
}
