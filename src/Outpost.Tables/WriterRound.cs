using System.Globalization;

namespace Outpost.Tables;

/// <summary>
/// The busy writers of a partition. Their turns go in the order of their names. A commit id begins with the writer's name and ends with a
/// sign for what the writer does next. Every writer reads the head, so every writer knows who is in the round.
/// </summary>
/// <param name="me">This writer's name.</param>
internal sealed class WriterRound(string me)
{
    private const char GoesOn = '+';
    private const char ComesAgain = '~';

    // The other writers in the round, by name, and when each was last seen there.
    private readonly Dictionary<string, TimeSpan> _others = new(StringComparer.Ordinal);

    /// <summary>What a busy writer's commit id ends with.</summary>
    public static char Sign(bool goesOn) => goesOn ? GoesOn : ComesAgain;

    /// <summary>Whether the writer of this commit commits once more before any other.</summary>
    public static bool IsGoingOn(string commit) => commit[^1] == GoesOn;

    /// <summary>The writer of a commit, and the number of the commit; null if it is no writer's.</summary>
    public static (string Name, long Number)? WriterOf(string? commit) =>
        commit is { Length: > WriterTurns.NameLength }
        && long.TryParse(
            commit.AsSpan(WriterTurns.NameLength + 1).TrimEnd([GoesOn, ComesAgain]), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? (commit[..WriterTurns.NameLength], number)
            : null;

    /// <summary>Another writer has committed.</summary>
    public void Saw(string commit, TimeSpan now)
    {
        var name = commit[..WriterTurns.NameLength];
        if (commit[^1] is GoesOn or ComesAgain) _others[name] = now;
        else _others.Remove(name);
    }

    /// <summary>How many turns come before this writer's.</summary>
    /// <param name="commit">The last commit.</param>
    /// <param name="since">A writer that was not seen since then has left the round.</param>
    public int TurnsBefore(string? commit, TimeSpan since)
    {
        foreach (var (name, seen) in _others)
        {
            if (seen < since) _others.Remove(name);
        }

        if (commit is not { Length: > WriterTurns.NameLength }) return 0;
        var last = commit[..WriterTurns.NameLength];
        // The round goes from the last writer to this one.
        var before = _others.Keys.Count(name => name != last && IsBetween(last, name));
        return before + (IsGoingOn(commit) && last != me ? 1 : 0);
    }

    private bool IsBetween(string last, string name)
    {
        var afterLast = string.CompareOrdinal(name, last) > 0;
        var beforeMe = string.CompareOrdinal(name, me) < 0;
        return string.CompareOrdinal(last, me) < 0 ? afterLast && beforeMe : afterLast || beforeMe;
    }
}
