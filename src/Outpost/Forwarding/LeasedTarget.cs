namespace Outpost.Forwarding;

/// <summary>A forwarder's target under a lease. Each delivery ends before the lease does, and becomes a step, whatever the target does.</summary>
internal sealed class LeasedTarget(Forwarder forwarder, int partition, ForwardingContext context, Lease lease, DrainMemory memory)
{
    // A delivery needs this much of the lease to begin, and ends this much before the lease does.
    private static readonly TimeSpan LeaseNeeded = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan LeaseSpare = TimeSpan.FromSeconds(1);

    // Twice the lease: a target that heeds its token has ended long before.
    private static readonly TimeSpan OverdueAfter = TimeSpan.FromSeconds(30);

    private long? _failsSince;

    /// <summary>Number of failed tries since the target last accepted an entry.</summary>
    public int Failures { get; set; }

    /// <summary>How long ago the first of the failed tries in a row began.</summary>
    public TimeSpan FailsFor => _failsSince is { } since ? context.Sources.Time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>Makes one delivery. If too little of the lease is left, renews it first.</summary>
    public async Task<Step> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken stop)
    {
        while (lease.Left < LeaseNeeded)
        {
            if (!await lease.SaveAsync(c => c)) return Step.Lost.Instance;
        }

        var began = context.Sources.Time.GetTimestamp();
        // The process may have been suspended at this very point. Then nothing is left of the lease.
        var left = lease.Left - LeaseSpare;
        using var deadline = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, context.Sources.Time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, lease.Lost, stop);
        using var activity = ForwardingContext.StartForward(forwarder.Name, entries);
        // Waits even beyond the lease, since two deliveries at once would break the order. But it does not wait for ever.
        var first = new TaskCompletionSource<Delivery>();
        using var overdue = context.Sources.Time.CreateTimer(_ => GiveUp(first, entries[0]), null, OverdueAfter, Timeout.InfiniteTimeSpan);
        _ = PassOnAsync(() => forwarder.Target.DeliverAsync(entries, replay, end.Token), first);
        Delivery delivery;
        try
        {
            delivery = await first.Task;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested)
        {
            return Step.Lost.Instance;
        }
        catch (OperationCanceledException e)
        {
            delivery = new Delivery.Failed(new TimeoutException("The delivery took longer than the lease allows.", e), IsTransient: true);
        }
#pragma warning disable CA1031 // A target may throw anything. Then nothing counts as delivered.
        catch (Exception e)
#pragma warning restore CA1031
        {
            delivery = new Delivery.Failed(e, IsTransient: false);
        }

        _failsSince = delivery is Delivery.Failed ? _failsSince ?? began : null;
        return Judge(delivery, entries, replay);
    }

    private void GiveUp(TaskCompletionSource<Delivery> delivery, EventEntry entry)
    {
        if (delivery.Task.IsCompleted) return;
        context.Log.DoesNotReturn(forwarder.Name, partition, OverdueAfter.TotalSeconds, entry.Id.ToString());
        delivery.TrySetResult(new Delivery.Failed(new TimeoutException("The target did not return, although it was cancelled."), IsTransient: false));
    }

    // A result that comes too late is dropped.
    private static async Task PassOnAsync(Func<Task<Delivery>> deliver, TaskCompletionSource<Delivery> to)
    {
        try
        {
            to.TrySetResult(await deliver());
        }
#pragma warning disable CA1031 // The exception goes to whoever waits.
        catch (Exception e)
#pragma warning restore CA1031
        {
            to.TrySetException(e);
        }
    }

    private Step Judge(Delivery delivery, IReadOnlyList<EventEntry> entries, string? replay)
    {
        switch (delivery)
        {
            case Delivery.Accepted accepted:
                if (accepted.Count < 1 || accepted.Count > entries.Count)
                    throw new InvalidOperationException($"{forwarder.Name} accepted {accepted.Count} of {entries.Count} entries.");
                Failures = 0;
                if (memory.FailingKind is not null) context.Log.Recovered(forwarder.Name, partition);
                memory.FailingKind = null;
                memory.Delivered(accepted.Count);
                context.Metrics.Forwarded(forwarder, partition, entries, accepted.Count, context.Events.Now, replay is not null);
                return new Step.Delivered(accepted.Count) { IsPassedOver = accepted.IsPassedOver };
            case Delivery.Refused refused:
                return new Step.Refused(Math.Clamp(refused.Attempted, 1, entries.Count), Reason.OneLine(refused.Reason));
            case Delivery.Failed failed:
                context.Metrics.Failed(forwarder.Name, failed.Kind);
                return new Step.Failed(failed.Cause, failed.Kind, failed.IsTransient) { IsBusy = failed.IsBusy, Text = failed.Reason };
            default:
                throw new InvalidOperationException($"Unknown delivery {delivery}.");
        }
    }
}
