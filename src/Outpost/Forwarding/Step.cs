namespace Outpost.Forwarding;

/// <summary>What came of one step of a drain.</summary>
internal abstract record Step
{
    private Step()
    {
    }

    /// <summary>There was nothing to do.</summary>
    public static readonly Step Idle = new Nothing("idle");

    /// <summary>There is nothing more to do.</summary>
    public static readonly Step Done = new Nothing("done");

    /// <summary>Another process goes on here.</summary>
    public static readonly Step Yielded = new Nothing("yielded");

    // With a name of its own each, or they would all be equal.
    private sealed record Nothing(string Name) : Step;

    /// <summary>Something was done, and there may be more.</summary>
    internal sealed record Worked : Step
    {
        public static readonly Worked Instance = new();
    }

    /// <summary>Somebody else has the lease: stop at once.</summary>
    internal sealed record Lost : Step
    {
        public static readonly Lost Instance = new();
    }

    /// <summary>The target took the first entries.</summary>
    internal sealed record Delivered(int Count) : Step
    {
        /// <summary>None of them concerned the target.</summary>
        public bool IsPassedOver { get; init; }
    }

    /// <summary>The target refused them for good.</summary>
    internal sealed record Refused(int Attempted, string Reason) : Step;

    /// <summary>Nothing was delivered.</summary>
    internal sealed record Failed(Exception Cause, string Kind, bool IsTransient) : Step
    {
        /// <summary>The target works, and asks to be left alone for a moment.</summary>
        public bool IsBusy { get; init; }

        /// <summary>Kind and reason, for people: it is stored with the checkpoint.</summary>
        public string Reason => Forwarding.Reason.OneLine($"{Kind}: {Text ?? Cause.Message}");

        /// <summary>What the target says of it; null: what the exception says.</summary>
        public string? Text { get; init; }
    }
}
