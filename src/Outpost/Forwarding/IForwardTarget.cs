namespace Outpost.Forwarding;

/// <summary>Where a forwarder delivers entries: a message broker, or anything else that can take them in order.</summary>
public interface IForwardTarget
{
    /// <summary>
    /// Delivers some of <paramref name="entries"/>, from the first on and in order. What it accepts must be durable at
    /// the target, and it must end soon after <paramref name="cancellationToken"/> is cancelled: that is when the lease
    /// ends. An exception counts as <see cref="Delivery.Failed"/>.
    /// </summary>
    /// <param name="entries">At least one, in offset order, all of one partition. Delivered again after a failure or a crash.</param>
    /// <param name="replay">Names a replay that an operator asked for; null in ordinary forwarding.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken);
}

/// <summary>What came of a delivery.</summary>
public abstract record Delivery
{
    private Delivery()
    {
    }

    /// <summary>The first <paramref name="Count"/> entries (one or more) are the target's now.</summary>
    public sealed record Accepted(int Count) : Delivery
    {
        /// <summary>None of them concerned the target: they say nothing about whether it takes any. Default false.</summary>
        public bool IsPassedOver { get; init; }
    }

    /// <summary>
    /// Nothing was delivered and trying again will help, sooner (<paramref name="IsTransient"/>: a timeout, a busy
    /// broker) or only after somebody did something (wrong credentials, no such topic).
    /// </summary>
    public sealed record Failed(Exception Cause, bool IsTransient) : Delivery
    {
        /// <summary>A short name of what went wrong: said once in the log, and a dimension of the metric. Default: the exception's type.</summary>
        public string Kind { get; init; } = Cause.GetType().Name;

        /// <summary>The reason in one line, for people. Null: the exception's message.</summary>
        public string? Reason { get; init; }

        /// <summary>The target works, and takes no more for a moment: a warning, not an error. Default false.</summary>
        public bool IsBusy { get; init; }
    }

    /// <summary>
    /// The target will never take the first <paramref name="Attempted"/> entries as they are. With more than one, some
    /// of them: they are delivered in smaller parts, until the one is found that has to be parked.
    /// </summary>
    public sealed record Refused(int Attempted, string Reason) : Delivery;
}
