using System.Globalization;

namespace Outpost.Tables;

/// <summary>
/// Decides when to commit if other processes write to the same partition. Of all transactions that build on the same head only one
/// can commit, and the others are refused. So writers take turns instead of racing.
/// <para>
/// Few writers: see <see cref="WriterRound"/>. A busy writer commits when it sees that the one before it in the round has finished. A
/// writer that does not take its turn is passed over after two and a half round trips. A turn has two commits, because a hand-over costs
/// a read: the second commit follows the first without one. Meanwhile changes queue up, so batches grow and throughput stays the same.
/// Nobody waits for a newcomer, and a newcomer waits for nobody. A writer that loses several races in a row waits a little longer each
/// time.
/// </para>
/// <para>
/// Many writers: see <see cref="WriterLine"/>. A writer that loses four races in a row takes a place in line. Whichever of them commits
/// first names the others in the head, and from then on everybody stands in line, until it is empty. The first in line commits at once.
/// The next one looks at the head several times in a round trip. All others sleep for most of the time that they will wait.
/// </para>
/// <para>
/// A writer that never pauses would keep out a newcomer whose requests always come a moment too late. So it pauses now and then. If a
/// newcomer commits meanwhile, the writer loses one race and knows of it.
/// </para>
/// <para>
/// Turns only set the pace: a wrong guess costs a lost race, never an event. A writer waits for nobody if it saw no line and, in the last
/// second or ten round trips, lost no race and saw no other commit while it waited. If it saw another commit in that time, it reads the
/// head first. That costs one round trip, and a transaction on an old head costs three.
/// </para>
/// </summary>
internal sealed class WriterTurns
{
    internal const int NameLength = 16;
    private const int TurnCommits = 2;
    private const double RoundTripsPerTurn = 2.5;

    // This spreads out about as many newcomers. A longer wait would starve a writer at a slow store.
    private const int BackOffRoundTripsMax = 8;

    // Two to sixteen writers that pause lose a race per commit. A hundred lose twelve without a line.
    private const int LossesForPlace = 4;

    // A line that did not move for so long is no line any more.
    private static readonly TimeSpan LineRemembered = TimeSpan.FromSeconds(5);

    // The one after the next has to see in time that it has become the next.
    private const int Near = 2;

    // If busy writers of a short line looked ahead as well, their reads would cost a tenth of what a partition takes. A long line gains more.
    private const int ShortLine = 20;

    // A newcomer that lost tries again after seven round trips on average, and its callers give up after twenty seconds. At round trips
    // of 10 ms these pauses cost less than one per cent.
    private const int PauseRoundTrips = 4;
    private static readonly TimeSpan PauseEvery = TimeSpan.FromSeconds(5);

    private const int RecentRoundTrips = 10;
    private static readonly TimeSpan RecentMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RoundTripMin = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan RoundTripMax = TimeSpan.FromMilliseconds(200);

    private readonly Sources _sources;
    private readonly StoreClock _clock;

    // The last 16 digits of an id are random in every version of UUIDs.
    private readonly string _me;
    private readonly WriterRound _round;
    private readonly WriterLine _line;

    // How long the store usually takes, at most and at least.
    private TimeSpan _roundTrip = RoundTripMin;
    private TimeSpan _quick = RoundTripMax;

    // The last commit that this process knows of, since when it knows, and when it last read the head.
    private string? _commit;
    private bool _knows;
    private long _movedAt;
    private long _lookedAt;

    // When others were last noticed: by a lost race, or by a head that moved while this process was in line; by any of their commits;
    // by their line.
    private long? _racedAt;
    private long? _othersAt;
    private long? _lineAt;

    // When a newcomer last had a chance: in a pause, or when another writer committed.
    private long _chanceAt;

    // This writer: its number of commits, how many of its turn are done, its lost races in a row.
    private long _commits;
    private long? _wonAt;
    private bool _comesAgain;
    private int _taken;
    private int _losses;
    private long _lostAt;
    private TimeSpan _backOff;

    // The next commit: whether it needs no wait, whether the head and the places were read for it, whether it is in line, whether it passes
    // over those before it, its place and since when.
    private bool _goAtOnce;
    private bool _looked;
    private bool _sawPlaces;
    private bool _inLine;
    private bool _passesOver;
    private string? _place;
    private long? _placedAt;

    public WriterTurns(Sources sources, StoreClock clock)
    {
        (_sources, _clock) = (sources, clock);
        _me = sources.NewId().ToString("N")[^NameLength..];
        (_round, _line) = (new WriterRound(_me), new WriterLine(_me));
    }

    /// <summary>Call it when there is something to commit.</summary>
    public void Begin()
    {
        (_inLine, _looked, _sawPlaces) = (false, false, false);
        _line.ForgetWaiting();
        // After a lost race the same changes go again.
        if (_losses > 0) return;
        // A writer with new changes right after its last commit is busy, and will want the next turn too.
        _comesAgain = IsWithin(_wonAt, _roundTrip);
        if (_comesAgain) return;
        _taken = 0;
        _chanceAt = Now;
    }

    /// <summary>
    /// How many changes to send at once. A store that works row by row is done sooner with fewer of them. So a writer that keeps losing
    /// to a quicker one becomes quicker.
    /// </summary>
    public int ChangesMax => _losses < 2 ? int.MaxValue : Math.Max(1, Limits.TransactionRowsMax >> _losses);

    /// <summary>How long to pause before the next commit, so that newcomers may get in; null if they had their chance.</summary>
    public TimeSpan? Pause()
    {
        if (!_comesAgain || IsRacing || Since(_chanceAt) < PauseEvery) return null;
        _chanceAt = Now;
        return _roundTrip * PauseRoundTrips;
    }

    /// <summary>The key of a place to take in line; null if none is needed now.</summary>
    public string? TakePlace()
    {
        // The writer that named this one deletes its place.
        if (_line.IsNamed) _place = null;
        if (_line.IsNamed || (IsLine ? !_looked : _losses < LossesForPlace)) return null;
        // The row may be lost: it could not be written, or this writer was passed over before it saw that it was named.
        if (_place is not null && IsWithin(_placedAt, Recent)) return null;
        _placedAt = Now;
        return _place = Keys.Place(_clock.Now, _me, _commits + 1);
    }

    /// <summary>What to do next.</summary>
    public TurnStep Next()
    {
        if (_goAtOnce || _taken > 0)
        {
            _goAtOnce = false;
            return Go;
        }

        if (IsLine) return NextInLine();
        if (!IsRacing)
        {
            var isBusy = IsWithin(_othersAt, Recent) || IsWithin(_lineAt, LineRemembered);
            return isBusy && !_looked && Since(_lookedAt) > _roundTrip ? LookNow : Go;
        }

        _inLine = true;
        var before = IsWithin(_wonAt, Remembered) ? _round.TurnsBefore(_commit, Elapsed - Remembered) : 0;
        var left = Longer((_roundTrip * (RoundTripsPerTurn * before)) - Since(_movedAt), _backOff - Since(_lostAt));
        if (left <= TimeSpan.Zero) return IsFresh ? Go : LookNow;
        // The nearer the turn, the more often it looks, because the writers before it may be done early.
        var next = _roundTrip * (before - 1);
        // A writer with a place looks for other places, so that its commit can begin a line.
        return new TurnStep.Look(before == 0 || next > left ? left : Longer(next, RoundTripMin), AtPlaces: _place is not null);
    }

    private TurnStep NextInLine()
    {
        if (!_looked && Since(_lookedAt) > _roundTrip) return LookNow;
        _inLine = true;
        var before = _line.Before;
        if (before == 0) return Go;
        var left = (_roundTrip * (RoundTripsPerTurn * before)) - Since(_movedAt);
        if (left <= TimeSpan.Zero)
        {
            _passesOver = IsFresh;
            return IsFresh ? Go : LookNow;
        }

        if (before > Near)
        {
            // A hand-over takes twice the quickest answer at least. A writer that is not named yet has to see in time that it is.
            var turns = (before - Near) * (!_line.IsNamed ? 0.5 : _comesAgain ? TurnCommits : 1);
            return new TurnStep.Look(Shorter(Longer(_quick * turns, RoundTripMin), left), AtPlaces: false);
        }

        if (_comesAgain && _line.Length < ShortLine)
            return new TurnStep.Look(Shorter(Longer(_roundTrip * (before - 1), RoundTripMin), left), AtPlaces: before == 1 && !_sawPlaces);
        // The turn of a busy writer is two commits, and reads of those who wait for it take longer to pay.
        var looks = (before == 1 ? 3 : 2) - (_comesAgain ? 1 : 0);
        return new TurnStep.Watch(_roundTrip / looks, left, AtPlaces: before == 1);
    }

    /// <summary>The id of the next commit, and the line after it.</summary>
    public (string Id, string? Line) NextCommit()
    {
        var number = (++_commits).ToString("x", CultureInfo.InvariantCulture);
        var goesOn = _comesAgain && IsRacing && _taken + 1 < TurnCommits;
        var line = IsLine || _sawPlaces ? _line.After(goesOn, _comesAgain && IsRacing, _passesOver) : null;
        return (_comesAgain ? $"{_me}-{number}{WriterRound.Sign(goesOn)}" : $"{_me}-{number}", line);
    }

    /// <summary>Call it when the head was read.</summary>
    public void Saw(HeadRow head)
    {
        var first = !_knows;
        (_lookedAt, _looked, _knows) = (Now, true, true);
        if (head.Commit == _commit) return;
        (_commit, _movedAt, _passesOver) = (head.Commit, _lookedAt, false);
        var writer = WriterRound.WriterOf(head.Commit);
        _line.Saw(_clock.Now - head.At > LineRemembered ? null : head.Line, writer);
        if (_line.Length > 0) _lineAt = _lookedAt;
        // A commit from before this process does not show that its writer still runs.
        if (first || writer is null || writer.Value.Name == _me) return;
        _othersAt = _chanceAt = _lookedAt;
        if (_inLine) _racedAt = _lookedAt;
        _round.Saw(head.Commit!, Elapsed);
    }

    /// <summary>Call it when the places of those who wait were read.</summary>
    public void SawPlaces(IEnumerable<WriterPlace> places)
    {
        _sawPlaces = true;
        _line.SawWaiting(places);
    }

    /// <summary>Call it when another process committed first.</summary>
    public void Lost(HeadRow? head)
    {
        if (head is not null) Saw(head);
        // The first lost race may be chance, and the head is known now. So it tries again at once, but not past those in line.
        _goAtOnce = !IsRacing && !IsLine;
        _racedAt = _othersAt = Now;
        _taken = 0;
        _lostAt = _racedAt.Value;
        _backOff = _roundTrip * (Math.Min(_losses++, BackOffRoundTripsMax) * _sources.NextRandom());
    }

    /// <summary>Call it when this process committed. Returns the keys of places that are needless now.</summary>
    public IReadOnlyCollection<string> Won(string commitId, string? line)
    {
        var own = _line.IsNamed ? null : _place;
        var needless = _line.Won(line, _commits).ToHashSet(StringComparer.Ordinal);
        if (own is not null) needless.Add(own);
        (_commit, _losses, _place, _passesOver) = (commitId, 0, null, false);
        _backOff = TimeSpan.Zero;
        _movedAt = _lookedAt = Now;
        _wonAt = _movedAt;
        _taken = WriterRound.IsGoingOn(commitId) ? _taken + 1 : 0;
        return needless;
    }

    /// <summary>Call it with the time that the table took to answer.</summary>
    public void Measured(TimeSpan roundTrip)
    {
        // It rises at once and falls slowly. A writer that took its quickest answer for the usual one would pass others over.
        var usual = Longer(roundTrip, ((_roundTrip * 7) + roundTrip) / 8);
        _roundTrip = usual < RoundTripMin ? RoundTripMin : Shorter(usual, RoundTripMax);
        // It falls at once and rises slowly. A writer that slept for longer than those before it take would be passed over.
        _quick = Longer(Shorter(roundTrip, ((_quick * 15) + roundTrip) / 16), RoundTripMin);
    }

    // Other writers commit once in a few round trips.
    private TimeSpan Recent => Longer(RecentMin, _roundTrip * RecentRoundTrips);

    private TimeSpan Remembered => Recent * 2;

    private bool IsRacing => IsWithin(_racedAt, Recent);

    private bool IsLine => _line.Length > 0 && IsWithin(_movedAt, LineRemembered);

    private bool IsFresh => Since(_lookedAt) <= _roundTrip / 4;

    private static TurnStep Go { get; } = new TurnStep.Go();

    private static TurnStep LookNow { get; } = new TurnStep.Look(TimeSpan.Zero, AtPlaces: false);

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private long Now => _sources.Time.GetTimestamp();

    private TimeSpan Elapsed => _sources.Time.GetElapsedTime(0);

    private TimeSpan Since(long timestamp) => _sources.Time.GetElapsedTime(timestamp);

    private bool IsWithin(long? timestamp, TimeSpan time) => timestamp is { } at && Since(at) < time;
}
