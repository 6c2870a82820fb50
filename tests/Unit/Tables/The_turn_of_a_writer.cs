using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

/// <summary>Each round trip takes 10 ms, and no time passes but what a test says.</summary>
public sealed class The_turn_of_a_writer
{
    private const string Me = "0000000000000001";
    private const string A = "000000000000000a";
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(10);
    private readonly PassingTime _time = new();
    private readonly WriterTurns _turns;
    private long _next = 1;

    public The_turn_of_a_writer()
    {
        var sources = new Sources(_time, () => Guid.Parse("00000000-0000-0000-0000-000000000001"), () => 0.5);
        _turns = new WriterTurns(sources, new StoreClock(_time, NullLogger<StoreClock>.Instance));
        _turns.Measured(RoundTrip);
        _turns.Saw(Head("f000000000000000-1", null));
        _time.Pass(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Comes_at_once_to_one_that_is_alone()
    {
        _turns.Begin(waiting: 1);

        Assert.IsType<TurnStep.Go>(_turns.Next());
        Assert.Null(_turns.TakePlace());
        Assert.Null(_turns.NextCommit(changes: 1).Line);
    }

    [Fact]
    public void Comes_at_once_to_the_first_in_line()
    {
        See($"{A}-1", $"{Me},b");

        Assert.IsType<TurnStep.Go>(_turns.Next());
        Assert.Equal("b", _turns.NextCommit(changes: 1).Line);
    }

    [Fact]
    public void Is_watched_for_by_the_next()
    {
        See($"{A}-1", $"b,{Me}");

        var watch = Assert.IsType<TurnStep.Watch>(_turns.Next());
        Assert.True(watch.Every < RoundTrip / 2);
        Assert.True(watch.AtPlaces);
    }

    [Fact]
    public void Is_slept_for_by_those_further_back()
    {
        See($"{A}-1", $"b,c,d,e,f,g,{Me}");

        var look = Assert.IsType<TurnStep.Look>(_turns.Next());
        Assert.InRange(look.After, RoundTrip * 2, RoundTrip * 6);
    }

    [Fact]
    public void Is_taken_when_those_before_do_not_come()
    {
        See($"{A}-1", $"gone,{Me},b");
        _time.Pass(RoundTrip * 3);

        // First it makes sure that they have not come.
        Assert.IsType<TurnStep.Look>(_turns.Next());
        _turns.Saw(Head($"{A}-1", $"gone,{Me},b"));
        Assert.IsType<TurnStep.Go>(_turns.Next());
        Assert.Equal("b", _turns.NextCommit(changes: 1).Line);
    }

    [Fact]
    public void Is_waited_for_with_a_place_once_a_line_was_seen()
    {
        See($"{A}-1", "b,c");

        Assert.Equal((Me, 1L), Keys.PlaceOf(_turns.TakePlace()!));
        Assert.Null(_turns.TakePlace());
        Assert.IsNotType<TurnStep.Go>(_turns.Next());
    }

    [Fact]
    public void Needs_no_place_of_one_that_is_named()
    {
        See($"{A}-1", $"b,{Me}");

        Assert.Null(_turns.TakePlace());
    }

    // Whoever was in it has gone, or the head would have moved.
    [Fact]
    public void Does_not_wait_for_an_old_line()
    {
        _turns.Begin(waiting: 1);
        _turns.Saw(Head($"{A}-1", "b,c", secondsAgo: 6));

        Assert.IsType<TurnStep.Go>(_turns.Next());
    }

    [Fact]
    public void Is_two_commits_of_a_busy_writer()
    {
        See($"{A}-1", $"{Me},b");
        Win();
        Assert.IsNotType<TurnStep.Go>(_turns.Next());
        _turns.Saw(Head($"{A}-2", $"{Me},b"));

        Assert.Equal($"{Me},b", Win());
        Assert.IsType<TurnStep.Go>(_turns.Next());
        Assert.Equal($"b,{Me}", Win());
        Assert.IsNotType<TurnStep.Go>(_turns.Next());
    }

    // A few that meet now and then are better off without a line.
    [Fact]
    public void Is_waited_for_with_a_place_after_four_lost_races()
    {
        for (var lost = 0; lost < 4; lost++)
        {
            Assert.Null(_turns.TakePlace());
            Lose($"{A}-{lost + 1:x}", null);
        }

        Assert.Equal((Me, 1L), Keys.PlaceOf(_turns.TakePlace()!));
    }

    // A hundred that come back after a while would go past those in line, and win for as long as they come.
    [Fact]
    public void Does_not_go_past_a_line_after_the_first_lost_race()
    {
        Lose($"{A}-1", "b,c");
        Assert.IsNotType<TurnStep.Go>(_turns.Next());
        Assert.NotNull(_turns.TakePlace());
    }

    [Fact]
    public void Comes_at_once_after_the_first_lost_race_where_there_is_no_line()
    {
        Lose($"{A}-1", null);
        _time.Pass(RoundTrip / 2);
        Assert.IsType<TurnStep.Go>(_turns.Next());
    }

    // It may not have seen that it was named, and passed over.
    [Fact]
    public void Is_waited_for_with_a_new_place_if_a_second_goes_by()
    {
        See($"{A}-1", "b,c");
        var first = _turns.TakePlace();
        _time.Pass(TimeSpan.FromSeconds(1.1));
        var second = _turns.TakePlace();

        Assert.NotNull(first);
        Assert.NotNull(second);
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void Leaves_no_place_behind_when_it_comes_without_being_named()
    {
        for (var lost = 0; lost < 4; lost++) Lose($"{A}-{lost + 1:x}", null);
        var place = _turns.TakePlace();

        var (id, line) = _turns.NextCommit(changes: 1);
        Assert.Equal([place!], _turns.Won(id, line));
    }

    [Fact]
    public void Is_left_to_a_newcomer_by_one_that_never_pauses()
    {
        BeBusyFor(TimeSpan.FromSeconds(3));
        Assert.True(_turns.AsksForNewcomers());
        Assert.False(_turns.AsksForNewcomers());

        _turns.GiveWay();

        Assert.IsType<TurnStep.Look>(_turns.Next());
        _time.Pass(RoundTrip * 8);
        Assert.IsType<TurnStep.Look>(_turns.Next());
        _turns.Saw(Head($"{A}-1~", null));
        // The newcomer is in the round now, and both know of each other.
        Assert.EndsWith("+", _turns.NextCommit(changes: 1).Id, StringComparison.Ordinal);
    }

    [Fact]
    public void Is_not_left_for_ever_to_a_newcomer_that_does_not_come()
    {
        BeBusyFor(TimeSpan.FromSeconds(3));
        _turns.GiveWay();
        _time.Pass(RoundTrip * 11);

        Assert.IsType<TurnStep.Go>(_turns.Next());
    }

    [Fact]
    public void Is_not_left_to_anybody_after_a_rest()
    {
        BeBusyFor(TimeSpan.FromSeconds(3));
        _time.Pass(TimeSpan.FromMinutes(1));
        _turns.Begin(waiting: 1);

        Assert.False(_turns.AsksForNewcomers());
        _turns.GiveWay();
        Assert.IsType<TurnStep.Go>(_turns.Next());
    }

    [Fact]
    public void Is_wanted_again_by_one_with_several_callers()
    {
        _turns.Begin(waiting: 1);
        Assert.DoesNotContain('~', _turns.NextCommit(changes: 1).Id);
        Assert.EndsWith("~", _turns.NextCommit(changes: 2).Id, StringComparison.Ordinal);

        _time.Pass(TimeSpan.FromMinutes(1));
        _turns.Begin(waiting: 2);
        Assert.EndsWith("~", _turns.NextCommit(changes: 1).Id, StringComparison.Ordinal);
    }

    [Fact]
    public void Has_a_place_after_a_second_of_lost_races_at_a_slow_store()
    {
        Lose($"{A}-1", null);
        _time.Pass(TimeSpan.FromSeconds(0.9));
        Assert.Null(_turns.TakePlace());
        _time.Pass(TimeSpan.FromSeconds(0.2));
        Assert.NotNull(_turns.TakePlace());
    }

    private void BeBusyFor(TimeSpan time)
    {
        _turns.Begin(waiting: 1);
        for (var passed = TimeSpan.Zero; passed < time; passed += RoundTrip)
        {
            Win();
            _time.Pass(RoundTrip);
        }

        Win();
    }

    private void Lose(string commit, string? line)
    {
        _turns.Begin(waiting: 1);
        _turns.Lost(Head(commit, line));
    }

    private void See(string commit, string line)
    {
        _turns.Begin(waiting: 1);
        _turns.Saw(Head(commit, line));
    }

    // The next work comes at once.
    private string? Win()
    {
        var (id, line) = _turns.NextCommit(changes: 1);
        _turns.Won(id, line);
        _turns.Begin(waiting: 1);
        return line;
    }

    private HeadRow Head(string commit, string? line, int secondsAgo = 0) =>
        new(null, _next++, commit, _time.GetUtcNow().AddSeconds(-secondsAgo)) { Line = line };

    private sealed class PassingTime : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(_now);

        public void Pass(TimeSpan time) => _now += time.Ticks;
    }
}
