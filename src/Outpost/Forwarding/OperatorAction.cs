namespace Outpost.Forwarding;

/// <summary>One action of an operator, whether it was done or refused.</summary>
/// <param name="Id">Id of the action.</param>
/// <param name="At">When the action was taken, by the store's clock.</param>
/// <param name="Forwarder">The forwarder that the action is about.</param>
/// <param name="What">
/// <c>pause</c>, <c>resume</c>, <c>replay</c>, <c>retry</c>, <c>discard</c>, <c>take-back</c>, <c>skip</c> or <c>forget</c>.
/// </param>
/// <param name="Detail">Which entries or partitions, in words.</param>
/// <param name="By">Who took the action; null if unknown.</param>
/// <param name="Why">Why; null if nobody said.</param>
internal sealed record OperatorAction(string Id, DateTimeOffset At, string Forwarder, string What, string Detail, string? By, string? Why)
{
    /// <summary>The number of newest actions that are kept for each forwarder. One answer can hold them, and they cover months.</summary>
    public const int KeptMax = 500;

    /// <summary>The request that carries out the action; null if it needs none, or was refused.</summary>
    public string? Request { get; init; }

    /// <summary>
    /// The outcome: <c>done</c>, <c>accepted</c> (the request carries it out) or <c>refused</c>. Null if the process ended before the
    /// outcome was known.
    /// </summary>
    public string? Outcome { get; init; }

    /// <summary>Why the action was refused, or how much it covered; null if there is nothing to say.</summary>
    public string? OutcomeDetail { get; init; }
}

/// <summary>Keeps actions of operators: the newest <see cref="OperatorAction.KeptMax"/> of each forwarder.</summary>
internal interface IHistoryStore
{
    /// <summary>Writes an action, and replaces what was written of it before.</summary>
    Task SaveAsync(OperatorAction action, CancellationToken cancellationToken);

    /// <summary>Deletes an action that came to nothing.</summary>
    Task DeleteAsync(OperatorAction action, CancellationToken cancellationToken);

    /// <summary>At most <paramref name="limit"/> actions on a forwarder, newest first. Leaves out damaged rows.</summary>
    Task<IReadOnlyList<OperatorAction>> ReadAsync(string forwarder, int limit, CancellationToken cancellationToken);
}
