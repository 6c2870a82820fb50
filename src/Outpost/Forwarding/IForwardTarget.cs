namespace Outpost.Forwarding;

/// <summary>Where a forwarder delivers entries: a message broker, or anything else that can take them in order.</summary>
public interface IForwardTarget
{
    /// <summary>
    /// Delivers some of <paramref name="entries"/>, from the first on and in order. Accepted entries must be durable at the target.
    /// The call must end soon after <paramref name="cancellationToken"/> is cancelled, because the lease ends then. An exception
    /// counts as <see cref="Delivery.Failed"/>.
    /// </summary>
    /// <param name="entries">One or more entries of one partition, in offset order. After a failure or a crash, they are delivered again.</param>
    /// <param name="replay">Id of a replay that an operator asked for; null in ordinary forwarding.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken);
}

/// <summary>The outcome of a delivery.</summary>
public abstract record Delivery
{
    private Delivery()
    {
    }

    /// <summary>The target has accepted the first <paramref name="Count"/> entries, one or more.</summary>
    public sealed record Accepted(int Count) : Delivery
    {
        /// <summary>Whether none of the entries concerned the target, so that they do not show whether it works. Default false.</summary>
        public bool IsPassedOver { get; init; }
    }

    /// <summary>
    /// Nothing was delivered, and another try will help. If <paramref name="IsTransient"/>, it will help soon (a timeout, a busy
    /// broker). Otherwise somebody must do something first (wrong credentials, no such topic).
    /// </summary>
    public sealed record Failed(Exception Cause, bool IsTransient) : Delivery
    {
        /// <summary>
        /// A short name for the failure. Each kind is logged once, and is a dimension of the metric. Default: the name of the
        /// exception's type.
        /// </summary>
        public string Kind { get; init; } = Cause.GetType().Name;

        /// <summary>The reason in one line, for operators. If null, the exception's message is used.</summary>
        public string? Reason { get; init; }

        /// <summary>Whether the target works, but accepts no more for a moment. This is logged as a warning, not an error. Default false.</summary>
        public bool IsBusy { get; init; }
    }

    /// <summary>
    /// The target will never accept the first <paramref name="Attempted"/> entries as they are. If there is more than one, Outpost
    /// delivers them in smaller parts, until it finds the one to park.
    /// </summary>
    public sealed record Refused(int Attempted, string Reason) : Delivery;
}
