namespace Outpost.Forwarding;

/// <summary>How this process forwards.</summary>
internal sealed record ForwardingOptions
{
    /// <summary>Names this process in checkpoints; another process has another name.</summary>
    public required string Owner { get; init; }

    /// <summary>How long a forwarder stays awake in a partition after work, looking for more. Default 5 s.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The shortest time between two looks while it is awake; looks that find nothing come more and more rarely. Default 100 ms.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Longest run of the timer function. Default 15 s: what is being forwarded then goes on in the background, and the
    /// next run looks at every partition again.
    /// </summary>
    public TimeSpan RunMax { get; init; } = TimeSpan.FromSeconds(15);
}
