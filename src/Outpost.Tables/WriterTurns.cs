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
/// Many writers: see <see cref="WriterLine"/>. A writer that loses four races in a row, or for a second, takes a place in line. Whichever of
/// them commits first names the others in the head, and from then on everybody stands in line, until it is empty. The first in line
/// commits at once. The next one looks at the head several times in a round trip. All others sleep for most of the time that they will wait.
/// </para>
/// <para>
/// A writer that never pauses would keep out a newcomer whose requests always come a moment too late. So it reads the places every two
/// seconds, and if somebody waits it leaves the head to that writer once. From then on both take turns.
/// </para>
/// <para>
/// Turns only set the pace: a wrong guess costs a lost race, never an event. A writer waits for nobody if it saw no line and, in the last
/// second or ten round trips, lost no race and saw no other commit while it waited. If it saw another commit in that time, it reads the
/// head first. That costs one round trip, and a transaction on an old head costs three.
/// </para>
/// </summary>
internal sealed partial class WriterTurns
{
    internal const int NameLength = 16;
    private const int TurnCommits = 2;
    private const double RoundTripsPerTurn = 2.5;

    // This spreads out about as many newcomers. A longer wait would starve a writer at a slow store.
    private const int BackOffRoundTripsMax = 8;

    private const int RecentRoundTrips = 10;
    private static readonly TimeSpan RecentMin = TimeSpan.FromSeconds(1);

    private readonly Sources _sources;
    private readonly StoreClock _clock;

    // The last 16 digits of an id are random in every version of UUIDs.
    private readonly string _me;
    private readonly WriterRound _round;
    private readonly WriterLine _line;

    private readonly RoundTrips _roundTrips = new();

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

    // When a newcomer last had a chance: when this writer asked for newcomers, or when another writer committed. Since when this writer
    // leaves the head to a newcomer.
    private long _chanceAt;
    private long? _givesWayAt;

    // This writer: its number of commits, how many of its turn are done, its lost races in a row.
    private long _commits;
    private long? _wonAt;
    private bool _comesAgain;
    private int _taken;
    private int _losses;
    private long _firstLostAt;
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
    /// <param name="waiting">How many changes wait.</param>
    public void Begin(int waiting)
    {
        (_inLine, _looked, _sawPlaces) = (false, false, false);
        _line.ForgetWaiting();
        // A writer with new changes right after its last commit is busy, and will want the next turn too. So is one with several callers.
        // A busy one may come a little later, because each command reads its entity first.
        var continues = IsWithin(_wonAt, _roundTrips.Usual * (_comesAgain ? 2 : 1));
        _comesAgain = continues || waiting > 1 || (_losses > 0 && _comesAgain);
        if (continues || _losses > 0) return;
        _taken = 0;
        _chanceAt = Now;
    }

    /// <summary>
    /// How many changes to send at once. A store that works row by row is done sooner with fewer of them. So a writer that keeps losing
    /// to a quicker one becomes quicker.
    /// </summary>
    public int ChangesMax => _losses < 2 ? int.MaxValue : Math.Max(1, Limits.TransactionRowsMax >> _losses);

    /// <summary>What to do next.</summary>
    public TurnStep Next()
    {
        if (IsWithin(_givesWayAt, _roundTrips.Usual * GiveWayRoundTrips))
        {
            _inLine = true;
            return new TurnStep.Look(_roundTrips.Usual, AtPlaces: false);
        }

        _givesWayAt = null;
        if (_goAtOnce || _taken > 0)
        {
            _goAtOnce = false;
            return Go;
        }

        if (IsLine) return NextInLine();
        if (!IsRacing)
        {
            var isBusy = IsWithin(_othersAt, Recent) || IsWithin(_lineAt, LineRemembered);
            return isBusy && !_looked && Since(_lookedAt) > _roundTrips.Usual ? LookNow : Go;
        }

        _inLine = true;
        var before = IsWithin(_wonAt, Remembered) ? _round.TurnsBefore(_commit, Elapsed - Remembered) : 0;
        var left = RoundTrips.Longer((_roundTrips.Usual * (RoundTripsPerTurn * before)) - Since(_movedAt), _backOff - Since(_lostAt));
        if (left <= TimeSpan.Zero) return IsFresh ? Go : LookNow;
        // The nearer the turn, the more often it looks, because the writers before it may be done early.
        var next = _roundTrips.Usual * (before - 1);
        // A writer with a place looks for other places, so that its commit can begin a line.
        return new TurnStep.Look(before == 0 || next > left ? left : RoundTrips.Longer(next, RoundTrips.Least), AtPlaces: _place is not null);
    }

    /// <summary>The id of the next commit, and the line after it.</summary>
    /// <param name="changes">How many changes are in it.</param>
    public (string Id, string? Line) NextCommit(int changes)
    {
        // More may have come while this writer waited.
        _comesAgain |= changes > 1;
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
        _givesWayAt = null;
        if (_inLine) _racedAt = _lookedAt;
        _round.Saw(head.Commit!, Elapsed);
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
        if (_losses == 0) _firstLostAt = _lostAt;
        _backOff = _roundTrips.Usual * (Math.Min(_losses++, BackOffRoundTripsMax) * _sources.NextRandom());
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
    public void Measured(TimeSpan roundTrip) => _roundTrips.Add(roundTrip);

    // Other writers commit once in a few round trips.
    private TimeSpan Recent => RoundTrips.Longer(RecentMin, _roundTrips.Usual * RecentRoundTrips);

    private TimeSpan Remembered => Recent * 2;

    private bool IsRacing => IsWithin(_racedAt, Recent);

    private bool IsFresh => Since(_lookedAt) <= _roundTrips.Usual / 4;

    private static TurnStep Go { get; } = new TurnStep.Go();

    private static TurnStep LookNow { get; } = new TurnStep.Look(TimeSpan.Zero, AtPlaces: false);

    private long Now => _sources.Time.GetTimestamp();

    private TimeSpan Elapsed => _sources.Time.GetElapsedTime(0);

    private TimeSpan Since(long timestamp) => _sources.Time.GetElapsedTime(timestamp);

    private bool IsWithin(long? timestamp, TimeSpan time) => timestamp is { } at && Since(at) < time;
}
