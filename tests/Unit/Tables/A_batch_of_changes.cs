using Azure.Data.Tables;
using Outpost.Tables;
using static Outpost.Tests.Unit.Tables.Changes;

namespace Outpost.Tests.Unit.Tables;

public sealed class A_batch_of_changes
{
    [Fact]
    public void Lists_the_head_then_entities_then_receipts_then_events()
    {
        var rows = Rows(Head(next: 5), "commit", Of("a", events: 2, key: "k1"), Of("b"), Of("c", key: "k3"));

        Assert.Equal(
            [
                "!head", "d|order|a", "d|order|b", "d|order|c",
                Keys.Receipt("POST /orders", "k1"), Keys.Receipt("POST /orders", "k3"),
                "e|0000000000000000005", "e|0000000000000000006", "e|0000000000000000007", "e|0000000000000000008",
            ],
            rows.Actions.Select(action => action.Entity.RowKey));
        Assert.Equal(["a-0", "a-1", "b-0", "c-0"], rows.Actions.Skip(6).Select(action => ((TableEntity)action.Entity).GetString("Type")));
        Assert.All(rows.Actions, action => Assert.Equal("0000", action.Entity.PartitionKey));
    }

    [Fact]
    public void Knows_whose_row_each_is()
    {
        var rows = Rows(Head(next: 5), "commit", Of("a", events: 2, key: "k1"), Of("b"), Of("c", key: "k3"));

        Assert.Equal([null, "a", "b", "c", "a", "c", "a", "a", "b", "c"], rows.Owners.Select(owner => owner?.Change.EntityId));
        Assert.Equal([1, 2, 3], Enumerable.Range(0, 10).Where(rows.IsEntity));
        Assert.Equal([4, 5], Enumerable.Range(0, 10).Where(rows.IsReceipt));
    }

    [Fact]
    public void Moves_the_head_by_as_many_offsets_as_there_are_events()
    {
        var rows = Rows(Head(next: 5), "commit", Of("a", events: 2), Of("b"));

        var head = (TableEntity)rows.Actions[0].Entity;
        Assert.Equal((8L, "commit"), (head.GetInt64("Next"), head.GetString("Commit")));
        Assert.Equal((5L, 8L), (rows.Before.Next, rows.After.Next));
    }

    [Fact]
    public void Puts_its_commit_id_in_every_row() =>
        Assert.All(
            Rows(Head(next: 5), "commit", Of("a", events: 2, key: "k1"), Of("b")).Actions,
            action => Assert.Equal("commit", ((TableEntity)action.Entity).GetString("Commit")));

    [Fact]
    public void Is_conditional_on_the_head_and_on_every_entity_it_changes()
    {
        var rows = Rows(Head(next: 5, tag: 7), "commit", Of("new"), Of("known", version: 3));

        Assert.Equal((TableTransactionActionType.UpdateReplace, Tag(7)), Kind(rows.Actions[0]));
        Assert.Equal((TableTransactionActionType.Add, ""), Kind(rows.Actions[1]));
        Assert.Equal((TableTransactionActionType.UpdateReplace, Tag(3)), Kind(rows.Actions[2]));
    }

    [Fact]
    public void Adds_receipts_and_events_and_never_overwrites_one() =>
        Assert.All(
            Rows(Head(next: 5), "commit", Of("a", events: 2, key: "k1")).Actions.Skip(2),
            action => Assert.Equal(TableTransactionActionType.Add, action.ActionType));

    [Fact]
    public void Creates_the_head_of_an_empty_partition()
    {
        var rows = Rows(HeadRow.Empty, "commit", Of("a"));

        Assert.Equal((TableTransactionActionType.Add, ""), Kind(rows.Actions[0]));
        Assert.Equal("e|0000000000000000000", rows.Actions[^1].Entity.RowKey);
        Assert.Equal(Noon, ((TableEntity)rows.Actions[0].Entity).GetDateTimeOffset("At"));
    }

    [Fact]
    public void Takes_an_entity_once()
    {
        var batch = new CommitBatch();

        Assert.Equal(CommitBatch.Fit.Added, batch.TryAdd(Pending(Of("a"))));
        Assert.Equal(CommitBatch.Fit.NotThisTime, batch.TryAdd(Pending(Of("a", version: 1))));
        Assert.Equal(CommitBatch.Fit.Added, batch.TryAdd(Pending(Of("b"))));
        Assert.Equal(["a", "b"], batch.Changes.Select(change => change.Change.EntityId));
    }

    [Fact]
    public void Takes_a_receipt_once()
    {
        var batch = new CommitBatch();

        Assert.Equal(CommitBatch.Fit.Added, batch.TryAdd(Pending(Of("a", key: "k"))));
        Assert.Equal(CommitBatch.Fit.NotThisTime, batch.TryAdd(Pending(Of("b", key: "k"))));
        Assert.Equal(CommitBatch.Fit.Added, batch.TryAdd(Pending(Of("b", key: "other"))));
    }

    [Fact]
    public void Has_at_most_100_rows()
    {
        var batch = new CommitBatch();
        var added = Enumerable.Range(0, 60).TakeWhile(number => batch.TryAdd(Pending(Of($"o{number}"))) == CommitBatch.Fit.Added).Count();

        // Head, and two rows each.
        Assert.Equal(49, added);
        Assert.Equal(99, batch.Build("0000", HeadRow.Empty, "commit", Noon).Actions.Count);
    }

    [Theory]
    [InlineData(97, "k")]
    [InlineData(97, null)]
    public void Fills_up_to_100_rows_with_the_most_events_one_command_can_have(int events, string? key)
    {
        var rows = Rows(HeadRow.Empty, "commit", Of("a", events, key));

        Assert.Equal(events + (key is null ? 2 : 3), rows.Actions.Count);
        Assert.InRange(rows.Actions.Count, 1, 100);
    }

    [Fact]
    public void Has_no_more_bytes_than_fit_in_a_transaction()
    {
        var batch = new CommitBatch();
        var added = Enumerable.Range(0, 60)
            .TakeWhile(number => batch.TryAdd(Pending(Of($"o{number}", payloadBytes: 200_000))) == CommitBatch.Fit.Added).Count();

        // 200,000 bytes are 266,668 in Base64; three quarters of 4 MiB may be used.
        Assert.Equal(11, added);
        Assert.True(batch.Changes.Sum(change => change.Bytes) < 3 * 1024 * 1024);
    }

    [Fact]
    public void Is_full_for_what_does_not_fit_and_takes_it_alone_next_time()
    {
        var big = Pending(Of("big", events: 2, payloadBytes: 800_000));
        var batch = new CommitBatch();

        Assert.Equal(CommitBatch.Fit.Added, batch.TryAdd(Pending(Of("first", payloadBytes: 900_000))));
        Assert.Equal(CommitBatch.Fit.Full, batch.TryAdd(big));
        Assert.Equal(CommitBatch.Fit.Added, new CommitBatch().TryAdd(big));
    }

    [Theory]
    [InlineData(60, "later than the head", 60)]
    [InlineData(0, "at the time of the head", 0)]
    [InlineData(-3600, "an hour before the head: the clock was set back", 0)]
    public void Has_a_time_that_never_goes_back(int secondsLater, string why, int expected)
    {
        var batch = new CommitBatch();
        batch.TryAdd(Pending(Of("a", key: "k")));

        var rows = batch.Build("0000", Head(next: 5, at: Noon), "commit", Noon.AddSeconds(secondsLater));

        var at = Noon.AddSeconds(expected);
        Assert.True(at == rows.After.At, why);
        Assert.All(
            rows.Actions.Where(action => action.Entity.RowKey[0] != 'd'),
            action => Assert.Equal(at, ((TableEntity)action.Entity).GetDateTimeOffset("At")));
    }

    private static (TableTransactionActionType, string) Kind(TableTransactionAction action) => (action.ActionType, action.ETag.ToString());
}
