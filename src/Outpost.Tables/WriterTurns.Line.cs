namespace Outpost.Tables;

// How a writer gets into the line, and waits in it, and how one that never pauses lets others in.
internal sealed partial class WriterTurns
{
    // Two to sixteen writers that pause lose a race per commit. A hundred lose twelve without a line.
    private const int LossesForPlace = 4;

    // A line that did not move for so long is no line any more.
    private static readonly TimeSpan LineRemembered = TimeSpan.FromSeconds(5);

    // The one after the next has to see in time that it has become the next.
    private const int Near = 2;

    // If busy writers of a short line looked ahead as well, their reads would cost a tenth of what a partition takes. A long line gains more.
    private const int ShortLine = 20;

    // A newcomer has a place after a second at a slow store, and nobody should wait for more than five.
    private static readonly TimeSpan NewcomersEvery = TimeSpan.FromSeconds(2);

    // A newcomer waits for up to eight round trips before it tries again, and then needs two.
    private const int GiveWayRoundTrips = BackOffRoundTripsMax + 2;

    /// <summary>The key of a place to take in line; null if none is needed now.</summary>
    public string? TakePlace()
    {
        // The writer that named this one deletes its place.
        if (_line.IsNamed) _place = null;
        if (_line.IsNamed || (IsLine ? !_looked : !LosesForLong)) return null;
        // The row may be lost: it could not be written, or this writer was passed over before it saw that it was named.
        if (_place is not null && IsWithin(_placedAt, Recent)) return null;
        _placedAt = Now;
        return _place = Keys.Place(_clock.Now, _me, _commits + 1);
    }

    /// <summary>Whether to ask now for newcomers, which lose every race against a writer that never pauses.</summary>
    public bool AsksForNewcomers()
    {
        if (!_comesAgain || IsRacing || IsLine || Since(_chanceAt) < NewcomersEvery) return false;
        _chanceAt = Now;
        return true;
    }

    /// <summary>Call it when newcomers were asked for, and some wait: this writer leaves the head to one of them.</summary>
    public void GiveWay()
    {
        // The answer may be from before a rest, and after a rest nobody was kept out.
        if (_comesAgain && !IsRacing) _givesWayAt ??= Now;
    }

    private TurnStep NextInLine()
    {
        if (!_looked && Since(_lookedAt) > _roundTrips.Usual) return LookNow;
        _inLine = true;
        var before = _line.Before;
        if (before == 0) return Go;
        var left = (_roundTrips.Usual * (RoundTripsPerTurn * before)) - Since(_movedAt);
        if (left <= TimeSpan.Zero)
        {
            _passesOver = IsFresh;
            return IsFresh ? Go : LookNow;
        }

        if (before > Near)
        {
            // A hand-over takes twice the quickest answer at least. A writer that is not named yet has to see in time that it is.
            var turns = (before - Near) * (!_line.IsNamed ? 0.5 : _comesAgain ? TurnCommits : 1);
            return new TurnStep.Look(RoundTrips.Shorter(RoundTrips.Longer(_roundTrips.Quickest * turns, RoundTrips.Least), left), AtPlaces: false);
        }

        if (_comesAgain && _line.Length < ShortLine)
            return new TurnStep.Look(RoundTrips.Shorter(RoundTrips.Longer(_roundTrips.Usual * (before - 1), RoundTrips.Least), left), AtPlaces: before == 1 && !_sawPlaces);
        // A turn of a busy writer is two commits, so a long line of busy writers moves slowly. Then each hand-over counts.
        var looks = before > 1 ? 2 : _comesAgain ? 4 : 3;
        return new TurnStep.Watch(_roundTrips.Usual / looks, left, AtPlaces: before == 1);
    }

    /// <summary>Call it when the places of those who wait were read.</summary>
    public void SawPlaces(IEnumerable<WriterPlace> places)
    {
        _sawPlaces = true;
        _line.SawWaiting(places);
    }

    // At a slow store each lost race takes long.
    private bool LosesForLong => _losses >= LossesForPlace || (_losses > 0 && Since(_firstLostAt) > RecentMin);

    private bool IsLine => _line.Length > 0 && IsWithin(_movedAt, LineRemembered);
}
