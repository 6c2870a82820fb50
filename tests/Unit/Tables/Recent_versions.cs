using Outpost.Tables;
using static Outpost.Tests.Unit.Tables.Changes;

namespace Outpost.Tests.Unit.Tables;

public sealed class Recent_versions
{
    [Fact]
    public void Hand_back_a_change_that_was_decided_on_an_older_version()
    {
        var recent = new RecentVersions(10);
        recent.Remember(Pending(Of("a", version: 2)));

        // The change that was remembered made version 3.
        Assert.True(recent.IsStale(Pending(Of("a"))));
        Assert.True(recent.IsStale(Pending(Of("a", version: 2))));
        Assert.False(recent.IsStale(Pending(Of("a", version: 3))));
        Assert.False(recent.IsStale(Pending(Of("b"))));
    }

    [Fact]
    public void Remember_the_last_version_of_each()
    {
        var recent = new RecentVersions(10);
        recent.Remember(Pending(Of("a")));
        recent.Remember(Pending(Of("a", version: 1)));

        Assert.True(recent.IsStale(Pending(Of("a", version: 1))));
        Assert.False(recent.IsStale(Pending(Of("a", version: 2))));
    }

    [Fact]
    public void Are_bounded_and_forget_the_oldest_first()
    {
        var recent = new RecentVersions(3);
        foreach (var id in (string[])["a", "b", "c", "d"]) recent.Remember(Pending(Of(id)));

        Assert.Equal(["b", "c", "d"], ((string[])["a", "b", "c", "d"]).Where(id => recent.IsStale(Pending(Of(id)))));
    }

    [Fact]
    public void Stay_bounded_when_the_same_come_again_and_again()
    {
        var recent = new RecentVersions(2);
        for (var round = 0; round < 100; round++)
        {
            foreach (var id in (string[])["a", "b", "c"]) recent.Remember(Pending(Of(id, version: round)));
        }

        Assert.Equal(2, ((string[])["a", "b", "c"]).Count(id => recent.IsStale(Pending(Of(id)))));
    }
}
