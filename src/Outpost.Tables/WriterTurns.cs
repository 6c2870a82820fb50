using System.Globalization;

namespace Outpost.Tables;

/// <summary>
/// When to commit, where other processes write to the same partition. Only one of those who build on one head can win
/// it, and every other transaction was in vain, so busy writers take turns instead of racing.
/// <para>
/// A commit id begins with its writer and ends with what the writer means to do next, so the head, which everybody
/// reads anyway, tells who is in the round. Turns go round in the order of the writers' names: whoever sees that the
/// writer before it has finished goes on; one that does not take its turn is passed over after two round trips and a
/// half. A turn is two commits, since handing over costs a read: the second follows the first as fast as if nobody else
/// were there. Meanwhile changes queue up, so batches grow and throughput stays.
/// </para>
/// <para>
/// A newcomer, whom nobody waits for, waits for nobody either; whoever loses several races in a row backs off a little
/// longer each time, so that many newcomers at once do not spend the partition's throughput on refused transactions.
/// </para>
/// <para>
/// A writer that never pauses and sees nobody would keep out a newcomer whose requests always come a moment too late. It
/// stops for a moment now and then without looking: whoever came in meanwhile makes it lose one race.
/// </para>
/// <para>
/// All of this only paces: a wrong guess costs a lost race. A writer that has neither lost a race nor seen the head
/// move while it waited within the last second (or ten round trips) waits for nobody; one that has seen another's commit
/// within that time reads the head first (one round trip) rather than send what has become old (three).
/// </para>
/// </summary>
internal sealed class WriterTurns(Sources sources)
{
    private const int NameLength = 16;
    private const int TurnCommits = 2;
    private const char GoesOn = '+';
    private const char ComesAgain = '~';
    private const double RoundTripsPerTurn = 2.5;

    // As many newcomers as that keep out of each other's way; more patience would be starvation on a slow day.
    private const int BackOffRoundTripsMax = 8;

    // Newcomers that lose come again after seven round trips on average, and their callers give up after twenty seconds. It
    // costs less than a hundredth at round trips of 10 ms.
    private const int PauseRoundTrips = 4;
    private static readonly TimeSpan PauseEvery = TimeSpan.FromSeconds(5);

    private const int RecentRoundTrips = 10;
    private static readonly TimeSpan RecentMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RoundTripMin = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan RoundTripMax = TimeSpan.FromMilliseconds(200);

    // The half of an id that is random in every version.
    private readonly string _me = sources.NewId().ToString("N")[^NameLength..];

    // Who else is in the round, by name, with when it was last seen there.
    private readonly Dictionary<string, long> _round = new(StringComparer.Ordinal);
    private TimeSpan _roundTrip = RoundTripMin;

    // The last commit this process knows of, since when, and when it last looked.
    private string? _commit;
    private bool _knows;
    private long _movedAt;
    private long _lookedAt;

    // Signs of others: a lost race or a head that moved while this process was in line; any commit of theirs.
    private long? _racedAt;
    private long? _othersAt;

    // When a newcomer last had a chance: a pause, or another's commit.
    private long _chanceAt;

    // This process: its commits, how many of the turn it has had, its losses in a row.
    private long _commits;
    private long? _wonAt;
    private bool _comesAgain;
    private int _taken;
    private int _losses;
    private long _lostAt;
    private TimeSpan _backOff;

    // The work at hand: whether the next try is free, the head was read for it, it is in line.
    private bool _goAtOnce;
    private bool _looked;
    private bool _inLine;

    /// <summary>There is work to do.</summary>
    public void Begin()
    {
        _inLine = false;
        _looked = false;
        // After a lost race it is still the same work.
        if (_losses > 0) return;
        // Whose work comes as soon as the last is done is busy, and will want the next turn too.
        _comesAgain = IsWithin(_wonAt, _roundTrip);
        if (_comesAgain) return;
        _taken = 0;
        _chanceAt = sources.Time.GetTimestamp();
    }

    /// <summary>
    /// How many changes to send at once. The fewer, the sooner a store that works row by row is done with them: whoever keeps
    /// losing to a quicker one makes itself quicker.
    /// </summary>
    public int ChangesMax => _losses < 2 ? int.MaxValue : Math.Max(1, Limits.TransactionRowsMax >> _losses);

    /// <summary>How long to pause before the work at hand, so that others may get in; null: others had their chance.</summary>
    public TimeSpan? Pause()
    {
        if (!_comesAgain || IsRacing || Since(_chanceAt) < PauseEvery) return null;
        _chanceAt = sources.Time.GetTimestamp();
        return _roundTrip * PauseRoundTrips;
    }

    /// <summary>How long to wait before the head is to be read (again); null: commit now, on the head last seen.</summary>
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
        // The nearer the turn, the more often it looks, since those before may well be done earlier.
        var next = _roundTrip * (before - 1);
        return before == 0 || next > left ? left : Longer(next, RoundTripMin);
    }

    /// <summary>Names the next commit.</summary>
    public string NextCommitId()
    {
        var number = (++_commits).ToString("x", CultureInfo.InvariantCulture);
        if (!_comesAgain) return $"{_me}-{number}";
        return $"{_me}-{number}{(IsRacing && _taken + 1 < TurnCommits ? GoesOn : ComesAgain)}";
    }

    /// <summary>The head was read.</summary>
    public void Saw(HeadRow head)
    {
        var now = sources.Time.GetTimestamp();
        var first = !_knows;
        (_lookedAt, _looked, _knows) = (now, true, true);
        if (head.Commit == _commit) return;
        (_commit, _movedAt) = (head.Commit, now);
        // What was there before this process is no sign that somebody is there now.
        if (first || head.Commit is not { Length: > NameLength } commit || commit.StartsWith(_me, StringComparison.Ordinal)) return;
        _othersAt = _chanceAt = now;
        if (_inLine) _racedAt = now;
        if (commit[^1] is GoesOn or ComesAgain) _round[commit[..NameLength]] = now;
        else _round.Remove(commit[..NameLength]);
    }

    /// <summary>Another process committed first.</summary>
    public void Lost(HeadRow? head)
    {
        if (head is not null) Saw(head);
        // The first time it may have been chance, and the head is known: try again at once.
        _goAtOnce = !IsRacing;
        _racedAt = _othersAt = sources.Time.GetTimestamp();
        _taken = 0;
        _lostAt = _racedAt.Value;
        _backOff = _roundTrip * (Math.Min(_losses++, BackOffRoundTripsMax) * sources.NextRandom());
    }

    /// <summary>This process committed.</summary>
    public void Won(string commitId)
    {
        _commit = commitId;
        _losses = 0;
        _backOff = TimeSpan.Zero;
        _movedAt = _lookedAt = sources.Time.GetTimestamp();
        _wonAt = _movedAt;
        _taken = commitId[^1] == GoesOn ? _taken + 1 : 0;
    }

    /// <summary>The table answered after this long.</summary>
    public void Measured(TimeSpan roundTrip)
    {
        // Up at once, down slowly: who takes the quickest for the usual passes others over.
        var usual = Longer(roundTrip, ((_roundTrip * 7) + roundTrip) / 8);
        _roundTrip = usual < RoundTripMin ? RoundTripMin : usual > RoundTripMax ? RoundTripMax : usual;
    }

    // Others act once in a few round trips.
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
        // From the last writer on, round and round, up to this one.
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
