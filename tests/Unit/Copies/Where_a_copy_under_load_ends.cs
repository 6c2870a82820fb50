using Azure.Data.Tables;
using Outpost.Tables;
using Outpost.Tables.Copies;

namespace Outpost.Tests.Unit.Copies;

/// <summary>At an offset at which every entity that was copied has the version that the log below it tells of.</summary>
public sealed class Where_a_copy_under_load_ends
{
    [Fact]
    public void Is_the_head_before_the_last_read_where_nothing_was_committed_since() => Assert.Equal(10, ConsistentCut.Find(10, [], Read()));

    [Fact]
    public void Is_that_head_too_where_only_others_changed_since() => Assert.Equal(10, ConsistentCut.Find(10, [Commit(10, ("b", 4))], Read(("a", 3))));

    [Fact]
    public void Is_behind_a_change_that_was_copied() => Assert.Equal(11, ConsistentCut.Find(10, [Commit(10, ("a", 4))], Read(("a", 4))));

    [Fact]
    public void Is_behind_the_last_change_that_was_copied() =>
        Assert.Equal(13, ConsistentCut.Find(10, [Commit(10, ("a", 4)), Commit(11, ("b", 2), ("a", 5)), Commit(13, ("b", 3))], Read(("a", 5), ("b", 2))));

    // "b" was copied before the change that comes before that of "a": no offset fits both.
    [Fact]
    public void Is_nowhere_where_a_change_was_copied_and_an_earlier_one_was_not()
    {
        Assert.Null(ConsistentCut.Find(10, [Commit(10, ("b", 2)), Commit(11, ("a", 4))], Read(("a", 4))));
        Assert.Null(ConsistentCut.Find(10, [Commit(10, ("b", 2), ("a", 4))], Read(("a", 4), ("b", 1))));
    }

    private static Dictionary<string, long> Read(params (string Subject, long Version)[] read) => read.ToDictionary(one => one.Subject, one => one.Version);

    private static CommittedEntities Commit(long start, params (string Subject, long Version)[] events)
    {
        var commit = new CommittedEntities($"c{start}", start);
        foreach (var ((subject, version), i) in events.Select((one, i) => (one, i)))
            commit.Add(new TableEntity("0000", Keys.Event(start + i)) { ["Subject"] = subject, ["Version"] = version, ["At"] = DateTimeOffset.UnixEpoch }, start + i);
        return commit;
    }
}
