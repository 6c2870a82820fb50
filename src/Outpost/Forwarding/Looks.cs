namespace Outpost.Forwarding;

/// <summary>
/// When a forwarder that has nothing to do looks at its partition for what other processes have committed. Commits of its
/// own process wake it without a look. Each look that finds nothing makes the next one later: with the default settings
/// ten looks in five seconds. Pure.
/// </summary>
internal static class Looks
{
    // Another process's commit is seen within 300 ms: this, and a request that takes up to 60.
    private static readonly TimeSpan QuickMax = TimeSpan.FromMilliseconds(240);
    private static readonly TimeSpan QuickFor = TimeSpan.FromSeconds(1);

    // No longer, whatever the setting, than just under a second: what an operator asks for is seen within a second, the lease
    // is kept, and an own commit finds a state that is young enough to go on with.
    private static readonly TimeSpan Max = TimeSpan.FromMilliseconds(950);

    /// <summary>How long until the next look.</summary>
    /// <param name="quiet">Since there was work.</param>
    /// <param name="poll">The shortest time between two looks, up to a second.</param>
    public static TimeSpan Gap(TimeSpan quiet, TimeSpan poll)
    {
        var longest = quiet < QuickFor ? QuickMax : Max;
        var gap = 2 * quiet < longest ? 2 * quiet : longest;
        return gap > poll ? gap : poll < Max ? poll : Max;
    }
}
