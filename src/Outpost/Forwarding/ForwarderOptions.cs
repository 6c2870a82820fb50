namespace Outpost.Forwarding;

/// <summary>How a forwarder behaves.</summary>
public sealed record ForwarderOptions
{
    /// <summary>Its name, in its checkpoint's key: 1 to 50 characters of <c>a-z0-9-</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Names this process in checkpoints.</summary>
    public required string Owner { get; init; }

    /// <summary>Where it starts in a partition that it has no checkpoint in. Default: the oldest entry.</summary>
    public StartAt StartAt { get; init; } = StartAt.Oldest;

    /// <summary>How long it stays awake after work, looking for more. Default 5 s.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often it looks while it is awake. Default 100 ms.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Longest run of the timer function. Default 15 s, well below <see cref="Within"/>: a partition that was idle or
    /// failing when the run began is looked at again only by the next one, however long a busy one keeps it awake.
    /// </summary>
    public TimeSpan RunMax { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>"At the latest by": an entry that waits longer is late. Default 60 s.</summary>
    public TimeSpan Within { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>Where a new forwarder starts.</summary>
public enum StartAt
{
    /// <summary>With the oldest retained entry.</summary>
    Oldest,

    /// <summary>With what is committed from now on.</summary>
    Head,
}
