namespace Outpost.Forwarding;

/// <summary>One thing that an operator did, or was refused.</summary>
/// <param name="Id">Names it.</param>
/// <param name="At">When, by the store's clock.</param>
/// <param name="Forwarder">To which forwarder.</param>
/// <param name="What">
/// <c>pause</c>, <c>resume</c>, <c>replay</c>, <c>retry</c>, <c>discard</c>, <c>take-back</c>, <c>skip</c> or <c>forget</c>.
/// </param>
/// <param name="Detail">Which entries or partitions, in words.</param>
/// <param name="By">Who; null: nobody knows.</param>
/// <param name="Why">Why, where somebody said so.</param>
internal sealed record OperatorAction(string Id, DateTimeOffset At, string Forwarder, string What, string Detail, string? By, string? Why)
{
    /// <summary>Actions that are kept for each forwarder, the newest: what one answer holds, and months of what operators do.</summary>
    public const int KeptMax = 500;

    /// <summary>The request that carries it out; null: it needs none, or was refused.</summary>
    public string? Request { get; init; }

    /// <summary>
    /// What came of it: <c>done</c>, <c>accepted</c> (the request carries it out) or <c>refused</c>; null: the process ended before
    /// that was known.
    /// </summary>
    public string? Outcome { get; init; }

    /// <summary>Why it was refused, or how much it was about; null: nothing to say.</summary>
    public string? OutcomeDetail { get; init; }
}

/// <summary>Where operators' actions are kept: the newest <see cref="OperatorAction.KeptMax"/> of each forwarder.</summary>
internal interface IHistoryStore
{
    /// <summary>Writes an action, over what was written of it before.</summary>
    Task SaveAsync(OperatorAction action, CancellationToken cancellationToken);

    /// <summary>Deletes an action that came to nothing.</summary>
    Task DeleteAsync(OperatorAction action, CancellationToken cancellationToken);

    /// <summary>A forwarder's actions, the newest first; a row that is damaged is left out.</summary>
    Task<IReadOnlyList<OperatorAction>> ReadAsync(string forwarder, int limit, CancellationToken cancellationToken);
}
