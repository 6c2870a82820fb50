namespace Outpost.Client;

/// <summary>How long to wait before the next try.</summary>
internal static class Backoff
{
    public static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);

    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The longest Retry-After that is honoured. A server that asks for more is wrong, or down for so long that an
    /// earlier try does no harm.
    /// </summary>
    public static readonly TimeSpan RetryAfterMax = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The wait doubles with each failure in a row. Up to half of it is taken off at random, so that many readers do
    /// not come back at once. It is never shorter than what the server asked for.
    /// </summary>
    /// <param name="failures">Failures in a row, from 1.</param>
    /// <param name="asked">The server's Retry-After; null: it sent none.</param>
    /// <param name="random">From 0 up to 1.</param>
    public static TimeSpan After(int failures, TimeSpan? asked, double random)
    {
        // The first wait times 2^8 is already longer than the longest.
        var wait = First * Math.Pow(2, Math.Min(failures - 1, 8));
        var jittered = (wait < Longest ? wait : Longest) * (1 - (random / 2));
        var least = Bounded(asked);
        return jittered > least ? jittered : least;
    }

    public static TimeSpan Bounded(TimeSpan? asked) =>
        asked is not { } wait || wait < TimeSpan.Zero ? TimeSpan.Zero : wait < RetryAfterMax ? wait : RetryAfterMax;
}
