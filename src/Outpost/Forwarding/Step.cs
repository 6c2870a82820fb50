namespace Outpost.Forwarding;

/// <summary>The outcome of one step of a drain.</summary>
internal abstract record Step
{
    private Step()
    {
    }

    /// <summary>There was nothing to do.</summary>
    public static readonly Step Idle = new Nothing("idle");

    /// <summary>There is nothing more to do.</summary>
    public static readonly Step Done = new Nothing("done");

    /// <summary>The lease is handed over to another process.</summary>
    public static readonly Step Yielded = new Nothing("yielded");

    // Each has a name of its own. Without one, they would all be equal.
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

    /// <summary>The target accepted the first entries.</summary>
    internal sealed record Delivered(int Count) : Step
    {
        /// <summary>Whether none of the entries concerned the target.</summary>
        public bool IsPassedOver { get; init; }
    }

    /// <summary>The target refused the first entries for good.</summary>
    internal sealed record Refused(int Attempted, string Reason) : Step;

    /// <summary>Nothing was delivered.</summary>
    internal sealed record Failed(Exception Cause, string Kind, bool IsTransient) : Step
    {
        /// <summary>Whether the target works, but asks to be left alone for a moment.</summary>
        public bool IsBusy { get; init; }

        /// <summary>Kind and reason in one line, for operators. It is stored with the checkpoint.</summary>
        public string Reason => Forwarding.Reason.OneLine($"{Kind}: {Text ?? Cause.Message}");

        /// <summary>What the target says of the failure; null to use the exception's message.</summary>
        public string? Text { get; init; }
    }
}
