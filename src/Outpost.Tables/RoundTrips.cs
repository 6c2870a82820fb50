namespace Outpost.Tables;

/// <summary>How long the table takes to answer: usually, and at its quickest.</summary>
internal sealed class RoundTrips
{
    /// <summary>No answer counts as quicker.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan Most = TimeSpan.FromMilliseconds(200);

    /// <summary>It rises at once and falls slowly. A writer that took its quickest answer for the usual one would pass others over.</summary>
    public TimeSpan Usual { get; private set; } = Least;

    /// <summary>It falls at once and rises slowly. A writer that slept for longer than those before it take would be passed over.</summary>
    public TimeSpan Quickest { get; private set; } = Most;

    public void Add(TimeSpan roundTrip)
    {
        var usual = Longer(roundTrip, ((Usual * 7) + roundTrip) / 8);
        Usual = usual < Least ? Least : Shorter(usual, Most);
        Quickest = Longer(Shorter(roundTrip, ((Quickest * 15) + roundTrip) / 16), Least);
    }

    public static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    public static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
