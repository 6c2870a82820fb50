using System.Globalization;

namespace Outpost.Tables;

/// <summary>
/// Decides when to commit if other processes write to the same partition. Of all transactions that build on the same head only one
/// can commit, and the others are refused. So busy writers take turns instead of racing.
/// <para>
/// A commit id begins with the writer's name and ends with a sign for what the writer does next. Every writer reads the head, so every
/// writer knows who is in the round. Turns go in the order of the names. A writer commits when it sees that the one before it has
/// finished. A writer that does not take its turn is passed over after two and a half round trips. A turn has two commits, because a
/// hand-over costs a read: the second commit follows the first without one. Meanwhile changes queue up, so batches grow and throughput
/// stays the same.
/// </para>
/// <para>
/// Nobody waits for a newcomer, and a newcomer waits for nobody. A writer that loses several races in a row waits a little longer each
/// time. Otherwise many newcomers at once would spend the partition's throughput on refused transactions.
/// </para>
/// <para>
/// A writer that never pauses would keep out a newcomer whose requests always come a moment too late. So it pauses now and then. If a
/// newcomer commits meanwhile, the writer loses one race and knows of it.
/// </para>
/// <para>
/// Turns only set the pace: a wrong guess costs a lost race, never an event. A writer waits for nobody if, in the last second or ten
/// round trips, it lost no race and saw no other commit while it waited. If it saw another commit in that time, it reads the head first.
/// That costs one round trip, and a transaction on an old head costs three.
/// </para>
/// </summary>
internal sealed class WriterTurns(Sources sources)
{
    private const int NameLength = 16;
    private const int TurnCommits = 2;
    private const char GoesOn = '+';
    private const char ComesAgain = '~';
    private const double RoundTripsPerTurn = 2.5;

    // This spreads out about as many newcomers. A longer wait would starve a writer at a slow store.
    private const int BackOffRoundTripsMax = 8;

    // A newcomer that lost tries again after seven round trips on average, and its callers give up after twenty seconds. At round trips
    // of 10 ms these pauses cost less than one per cent.
    private const int PauseRoundTrips = 4;
    private static readonly TimeSpan PauseEvery = TimeSpan.FromSeconds(5);

    private const int RecentRoundTrips = 10;
    private static readonly TimeSpan RecentMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RoundTripMin = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan RoundTripMax = TimeSpan.FromMilliseconds(200);

    // The last 16 digits of an id are random in every version of UUIDs.
    private readonly string _me = sources.NewId().ToString("N")[^NameLength..];

    // The other writers in the round, by name, and when each was last seen there.
    private readonly Dictionary<string, long> _round = new(StringComparer.Ordinal);
    private TimeSpan _roundTrip = RoundTripMin;

    // The last commit that this process knows of, since when it knows, and when it last read the head.
    private string? _commit;
    private bool _knows;
    private long _movedAt;
    private long _lookedAt;

    // When others were last noticed: by a lost race, or by a head that moved while this process was in line; by any of their commits.
    private long? _racedAt;
    private long? _othersAt;

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

    // The next commit: whether it needs no wait, whether the head was read for it, whether it is in line.
    private bool _goAtOnce;
    private bool _looked;
    private bool _inLine;

    /// <summary>Call it when there is something to commit.</summary>
    public void Begin()
    {
        _inLine = false;
        _looked = false;
        // After a lost race the same changes go again.
        if (_losses > 0) return;
        // A writer with new changes right after its last commit is busy, and will want the next turn too.
        _comesAgain = IsWithin(_wonAt, _roundTrip);
        if (_comesAgain) return;
        _taken = 0;
        _chanceAt = sources.Time.GetTimestamp();
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
        _chanceAt = sources.Time.GetTimestamp();
        return _roundTrip * PauseRoundTrips;
    }

    /// <summary>How long to wait before the head is read again; null to commit now, on the head last seen.</summary>
    public TimeSpan? Wait()
    {
        if (_goAtOnce || _taken > 0)
        {
            _goAtOnce = false;
            return null;
        }

        if (!IsRacing)
        {
            var isOld = !_looked && IsWithin(_othersAt, Recent) && Since(_lookedAt) > _roundTrip;
            return isOld ? TimeSpan.Zero : null;
        }

        _inLine = true;
        var before = IsWithin(_wonAt, Remembered) ? TurnsBefore() : 0;
        var left = Longer((_roundTrip * (RoundTripsPerTurn * before)) - Since(_movedAt), _backOff - Since(_lostAt));
        if (left <= TimeSpan.Zero) return Since(_lookedAt) <= _roundTrip / 4 ? null : TimeSpan.Zero;
        // The nearer the turn, the more often it looks, because the writers before it may be done early.
        var next = _roundTrip * (before - 1);
        return before == 0 || next > left ? left : Longer(next, RoundTripMin);
    }

    /// <summary>The id of the next commit.</summary>
    public string NextCommitId()
    {
        var number = (++_commits).ToString("x", CultureInfo.InvariantCulture);
        if (!_comesAgain) return $"{_me}-{number}";
        return $"{_me}-{number}{(IsRacing && _taken + 1 < TurnCommits ? GoesOn : ComesAgain)}";
    }

    /// <summary>Call it when the head was read.</summary>
    public void Saw(HeadRow head)
    {
        var now = sources.Time.GetTimestamp();
        var first = !_knows;
        (_lookedAt, _looked, _knows) = (now, true, true);
        if (head.Commit == _commit) return;
        (_commit, _movedAt) = (head.Commit, now);
        // A commit from before this process does not show that its writer still runs.
        if (first || head.Commit is not { Length: > NameLength } commit || commit.StartsWith(_me, StringComparison.Ordinal)) return;
        _othersAt = _chanceAt = now;
        if (_inLine) _racedAt = now;
        if (commit[^1] is GoesOn or ComesAgain) _round[commit[..NameLength]] = now;
        else _round.Remove(commit[..NameLength]);
    }

    /// <summary>Call it when another process committed first.</summary>
    public void Lost(HeadRow? head)
    {
        if (head is not null) Saw(head);
        // The first lost race may be chance, and the head is known now. So it tries again at once.
        _goAtOnce = !IsRacing;
        _racedAt = _othersAt = sources.Time.GetTimestamp();
        _taken = 0;
        _lostAt = _racedAt.Value;
        _backOff = _roundTrip * (Math.Min(_losses++, BackOffRoundTripsMax) * sources.NextRandom());
    }

    /// <summary>Call it when this process committed.</summary>
    public void Won(string commitId)
    {
        _commit = commitId;
        _losses = 0;
        _backOff = TimeSpan.Zero;
        _movedAt = _lookedAt = sources.Time.GetTimestamp();
        _wonAt = _movedAt;
        _taken = commitId[^1] == GoesOn ? _taken + 1 : 0;
    }

    /// <summary>Call it with the time that the table took to answer.</summary>
    public void Measured(TimeSpan roundTrip)
    {
        // It rises at once and falls slowly. A writer that took its quickest answer for the usual one would pass others over.
        var usual = Longer(roundTrip, ((_roundTrip * 7) + roundTrip) / 8);
        _roundTrip = usual < RoundTripMin ? RoundTripMin : usual > RoundTripMax ? RoundTripMax : usual;
    }

    // Other writers commit once in a few round trips.
    private TimeSpan Recent => Longer(RecentMin, _roundTrip * RecentRoundTrips);

    private TimeSpan Remembered => Recent * 2;

    private bool IsRacing => IsWithin(_racedAt, Recent);

    private int TurnsBefore()
    {
        foreach (var (name, seen) in _round)
        {
            if (Since(seen) > Remembered) _round.Remove(name);
        }

        if (_commit is not { Length: > NameLength } commit) return 0;
        var last = commit[..NameLength];
        // The round goes from the last writer to this one.
        var before = _round.Keys.Count(name => name != last && IsBetween(last, name));
        return before + (commit[^1] == GoesOn && last != _me ? 1 : 0);
    }

    private bool IsBetween(string last, string name)
    {
        var afterLast = string.CompareOrdinal(name, last) > 0;
        var beforeMe = string.CompareOrdinal(name, _me) < 0;
        return string.CompareOrdinal(last, _me) < 0 ? afterLast && beforeMe : afterLast || beforeMe;
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private TimeSpan Since(long timestamp) => sources.Time.GetElapsedTime(timestamp);

    private bool IsWithin(long? timestamp, TimeSpan time) => timestamp is { } at && Since(at) < time;
}
