namespace Outpost.Forwarding;

/// <summary>One way out of the log: a name, a target, and by when an entry should be there.</summary>
/// <param name="Name">Name in the keys of its checkpoints: 1 to 50 characters of <c>a-z0-9-</c>.</param>
/// <param name="Target">Where entries go.</param>
internal sealed partial record Forwarder(string Name, IForwardTarget Target)
{
    /// <summary>Where the forwarder starts in a partition in which it has no checkpoint. Default: with the oldest entry.</summary>
    public StartAt StartAt { get; init; } = StartAt.Oldest;

    /// <summary>An entry that waits longer than this is late. Default 60 s.</summary>
    public TimeSpan Within { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// After this many refusals in a row, no more entries are parked until the target accepts one, or an operator decides about one:
    /// the fault is then probably not in the entries. 0 sets no limit. Default 10.
    /// </summary>
    public int RefusalsInARow { get; init; } = 10;

    /// <summary>Whether a text may be a forwarder's name.</summary>
    public static bool IsName(string name) =>
        name.Length is >= 1 and <= 50 && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');

    /// <summary>The forwarder's checkpoint in a partition: the stored one, or the one with which it would begin.</summary>
    internal Checkpoint CheckpointIn(PartitionState state) => state.CheckpointOf(Name) is { } stored ? stored with { Within = Within } : new Checkpoint
    {
        Forwarder = Name,
        NextOffset = StartAt == StartAt.Oldest ? state.Oldest : state.Head,
        IsNew = true,
        Within = Within,
    };

    /// <summary>
    /// Whether there is anything to do: entries to deliver, a request of an operator, or a start at the head that must be stored
    /// before the head moves on.
    /// </summary>
    internal bool HasWork(PartitionState state)
    {
        var control = state.ControlOf(Name);
        var checkpoint = CheckpointIn(state);
        // A paused forwarder needs its checkpoint too, since entries committed meanwhile are for it.
        if (checkpoint.Tag is null && StartAt == StartAt.Head) return true;
        return !control.IsPaused && (checkpoint.NextOffset < state.Head || control.Waiting(checkpoint).Any(request => checkpoint.ProgressOf(request) is not { IsBlocked: true }));
    }
}

/// <summary>Where a new forwarder starts.</summary>
public enum StartAt
{
    /// <summary>With the oldest retained entry.</summary>
    Oldest,

    /// <summary>With what is committed from now on.</summary>
    Head,
}
