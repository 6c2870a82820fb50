namespace Outpost.Forwarding;

/// <summary>How this process forwards.</summary>
internal sealed record ForwardingOptions
{
    /// <summary>The name of this process in checkpoints. Each process has a different name.</summary>
    public required string Owner { get; init; }

    /// <summary>How long a forwarder stays awake in a partition after work, looking for more. Default 5 s.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The shortest time between two looks while a forwarder is awake. As long as looks find nothing, the time between them grows.
    /// Default 100 ms.
    /// </summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// The longest run of the timer function. After that, forwarding goes on in the background, and the next run looks at every
    /// partition again. Default 15 s.
    /// </summary>
    public TimeSpan RunMax { get; init; } = TimeSpan.FromSeconds(15);
}
