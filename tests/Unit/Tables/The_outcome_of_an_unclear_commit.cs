using Outpost.Tables;
using static Outpost.Tests.Unit.Tables.Changes;

namespace Outpost.Tests.Unit.Tables;

public sealed class The_outcome_of_an_unclear_commit
{
    private static readonly HeadRow Before = Head(next: 5, commit: "before", tag: 7);
    private static readonly HeadRow Ours = Head(next: 6, commit: "ours", tag: 8);
    private static readonly HeadRow Theirs = Head(next: 6, commit: "theirs", tag: 9);

    // What the reads found: the head (as it was, ours, somebody else's) and the row at our first offset.
    [Theory]
    [InlineData("before", null, false, "not there", "nothing has changed: it did not arrive, or not yet")]
    [InlineData("before", null, true, "not there", "the same, however often one looks")]
    [InlineData("ours", "ours", false, "committed, head known", "head and row are ours")]
    [InlineData("ours", null, false, "look again", "the head is visible before its rows are")]
    [InlineData("ours", null, true, "committed, head known", "the head is ours and the row is gone: retention was fast")]
    [InlineData("theirs", "ours", false, "committed, head unknown", "ours, and another commit came after it")]
    [InlineData("theirs", "ours", true, "committed, head unknown", "the same on the last look")]
    [InlineData("theirs", "theirs", false, "overtaken, head known", "another commit took the offset")]
    [InlineData("theirs", "theirs", true, "overtaken, head known", "the same on the last look")]
    [InlineData("theirs", null, false, "look again", "somebody was here, and whose the offset is cannot be seen yet")]
    [InlineData("theirs", null, true, "unknown", "the row is gone: nobody can tell any more")]
    [InlineData("before", "ours", false, "committed, head unknown", "it landed between the two reads")]
    [InlineData("before", "theirs", false, "overtaken, head unknown", "another commit landed between the two reads")]
    public void Is_judged_by_head_and_first_row(string head, string? row, bool lastLook, string expected, string why)
    {
        var rows = Rows(Before, "ours", Of("a"));

        var found = CommitOutcome.Judge(
            rows, head switch { "before" => Before, "ours" => Ours, _ => Theirs }, row, lastLook);

        Assert.Equal((expected, why), (Named(found), why));
    }

    [Theory]
    [InlineData("empty", null, "not there", "nothing has been written yet")]
    [InlineData("ours", "ours", "committed, head known", "ours is the first commit")]
    [InlineData("theirs", "theirs", "overtaken, head known", "another process was the first")]
    [InlineData("theirs", "ours", "committed, head unknown", "ours was the first, another's the second")]
    public void Is_judged_in_an_empty_partition_too(string head, string? row, string expected, string why)
    {
        var rows = Rows(HeadRow.Empty, "ours", Of("a"));

        var found = CommitOutcome.Judge(
            rows, head switch { "empty" => HeadRow.Empty, "ours" => Head(1, "ours", 1), _ => Head(1, "theirs", 2) }, row, lastRound: false);

        Assert.Equal((expected, why), (Named(found), why));
    }

    private static string Named(CommitOutcome.Found? found) => found switch
    {
        null => "look again",
        CommitOutcome.Found.Committed { Head: null } => "committed, head unknown",
        CommitOutcome.Found.Committed => "committed, head known",
        CommitOutcome.Found.Overtaken { Head: null } => "overtaken, head unknown",
        CommitOutcome.Found.Overtaken => "overtaken, head known",
        CommitOutcome.Found.NotThere => "not there",
        _ => "unknown",
    };
}
