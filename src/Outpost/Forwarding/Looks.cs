namespace Outpost.Forwarding;

/// <summary>
/// When a forwarder that has nothing to do looks at its partition for commits of other processes. Commits of its own process
/// wake it without a look. Each look that finds nothing delays the next one. With the default settings, there are ten looks in
/// five seconds. Pure.
/// </summary>
internal static class Looks
{
    // A commit of another process is seen within 300 ms: this time, and a request that takes up to 60 ms.
    private static readonly TimeSpan QuickMax = TimeSpan.FromMilliseconds(240);
    private static readonly TimeSpan QuickFor = TimeSpan.FromSeconds(1);

    // The longest gap, whatever the setting. So a request of an operator is seen within a second, the lease is kept, and a commit of
    // this process finds a state that is young enough to use.
    private static readonly TimeSpan Max = TimeSpan.FromMilliseconds(950);

    /// <summary>How long until the next look.</summary>
    /// <param name="quiet">Time since there was work.</param>
    /// <param name="poll">The shortest time between two looks, up to a second.</param>
    public static TimeSpan Gap(TimeSpan quiet, TimeSpan poll)
    {
        var longest = quiet < QuickFor ? QuickMax : Max;
        var gap = 2 * quiet < longest ? 2 * quiet : longest;
        return gap > poll ? gap : poll < Max ? poll : Max;
    }
}
