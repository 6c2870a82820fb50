using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

public sealed class A_line_of_writers
{
    private readonly WriterLine _line = new("me");

    [Fact]
    public void Says_how_many_come_before()
    {
        _line.Saw("a,b,me,c", ("z", 1));

        Assert.True(_line.IsNamed);
        Assert.Equal(2, _line.Before);
    }

    [Fact]
    public void Puts_those_who_wait_behind_those_whom_the_head_names()
    {
        _line.Saw("a,me", ("z", 1));
        _line.SawWaiting([Waiting("sooner", 1), Waiting("later", 2)]);

        Assert.Equal(1, _line.Before);
        Assert.Equal("a,sooner,later", _line.After(goesOn: false, comesAgain: false, passesOver: false));
    }

    [Fact]
    public void Lets_one_without_a_place_come_last()
    {
        _line.Saw("a,b", ("z", 1));
        _line.SawWaiting([Waiting("c", 1)]);

        Assert.Equal(3, _line.Before);
    }

    [Fact]
    public void Names_each_once()
    {
        _line.Saw("me,a", ("z", 1));
        _line.SawWaiting([Waiting("a", 1), Waiting("me", 2), Waiting("b", 3)]);

        Assert.Equal("a,b", _line.After(goesOn: false, comesAgain: false, passesOver: false));
    }

    [Theory]
    [InlineData(true, true, "me,a,b")]
    [InlineData(false, true, "a,b,me")]
    [InlineData(false, false, "a,b")]
    public void Keeps_a_busy_writer_first_or_sends_it_to_the_end(bool goesOn, bool comesAgain, string after)
    {
        _line.Saw("me,a,b", ("z", 1));

        Assert.Equal(after, _line.After(goesOn, comesAgain, passesOver: false));
    }

    [Fact]
    public void Forgets_those_who_did_not_come()
    {
        _line.Saw("gone,lost,me,a", ("z", 1));

        Assert.Equal("a", _line.After(goesOn: false, comesAgain: false, passesOver: true));
    }

    [Fact]
    public void Is_empty_when_the_last_one_is_served()
    {
        _line.Saw("me", ("z", 1));

        Assert.Null(_line.After(goesOn: false, comesAgain: false, passesOver: false));
    }

    // The row of one that was served is deleted a moment later, and would cost everybody the wait for one that does not come.
    [Fact]
    public void Does_not_wait_for_one_that_was_served_already()
    {
        _line.Saw(null, ("a", 7));
        _line.SawWaiting([Waiting("a", 1, commit: 7), Waiting("b", 2, commit: 7)]);

        Assert.Equal("b", _line.After(goesOn: false, comesAgain: false, passesOver: false));

        _line.SawWaiting([Waiting("a", 3, commit: 8)]);
        Assert.Equal("a", _line.After(goesOn: false, comesAgain: false, passesOver: false));
    }

    // It sleeps until its turn comes near. By then those who waited have been served.
    [Fact]
    public void Forgets_who_waits_once_this_writer_is_named()
    {
        _line.SawWaiting([Waiting("a", 1)]);
        _line.Saw("b,me", ("z", 1));

        Assert.Equal("b", _line.After(goesOn: false, comesAgain: false, passesOver: false));
    }

    // One that is not named needs its place: nobody would know that it waits.
    [Fact]
    public void Gives_back_the_places_of_those_who_are_named_now()
    {
        _line.SawWaiting([Waiting("a", 1), Waiting("b", 2), Waiting("me", 3)]);

        Assert.Equal([Waiting("a", 1).Key, Waiting("me", 3).Key], _line.Won("a,c", 5));
        Assert.Empty(_line.Won("c", 6));
    }

    [Fact]
    public void Begins_with_those_who_wait_and_not_with_one_that_comes_again()
    {
        Assert.Null(_line.After(goesOn: true, comesAgain: true, passesOver: false));

        _line.SawWaiting([Waiting("a", 1)]);
        Assert.Equal("a,me", _line.After(goesOn: false, comesAgain: true, passesOver: false));
    }

    [Fact]
    public void Names_no_more_than_a_partition_can_serve()
    {
        _line.SawWaiting(Enumerable.Range(0, 200).Select(number => Waiting($"w{number}", number)));

        var line = _line.After(goesOn: false, comesAgain: false, passesOver: false);
        Assert.Equal(128, line!.Split(',').Length);
        Assert.Equal(128, _line.Won(line, 1).Count);
    }

    private static WriterPlace Waiting(string writer, int second, long commit = 1)
    {
        var at = DateTimeOffset.UnixEpoch.AddSeconds(second);
        return new(writer, commit, Keys.Place(at, writer, commit), at);
    }
}
