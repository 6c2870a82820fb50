using Azure;
using Azure.Data.Tables;
using static Azure.Data.Tables.TableTransactionActionType;

namespace Outpost.Tests.Unit.Tables;

/// <summary>The tests' own table must be as strict as the service, or what passes here means little.</summary>
public sealed class The_simulated_table
{
    private readonly SimulatedTable _table = new(new HastyTime());

    [Fact]
    public async Task Writes_all_rows_of_a_transaction_or_none()
    {
        await _table.AddEntityAsync(Row("b"));

        var refused = await RefusedAsync(Add("a"), Add("b"), Add("c"));

        Assert.Equal((409, "EntityAlreadyExists", 1), refused);
        Assert.Equal(["b"], _table.Rows("p").Select(row => row.RowKey));
    }

    [Fact]
    public async Task Answers_with_a_tag_for_each_row()
    {
        var answers = (await _table.SubmitTransactionAsync([Add("a"), Add("b")])).Value;

        Assert.Equal(_table.Rows("p").Select(row => row.ETag), answers.Select(answer => answer.Headers.ETag!.Value));
    }

    [Fact]
    public async Task Updates_only_what_has_the_expected_tag()
    {
        var first = (await _table.AddEntityAsync(Row("a"))).Headers.ETag!.Value;
        var second = (await _table.UpdateEntityAsync(Row("a"), first, TableUpdateMode.Replace)).Headers.ETag!.Value;

        Assert.NotEqual(first, second);
        Assert.Equal((412, "UpdateConditionNotSatisfied", 0), await RefusedAsync(new TableTransactionAction(UpdateReplace, Row("a"), first)));
        Assert.Equal((404, "ResourceNotFound", 0), await RefusedAsync(new TableTransactionAction(UpdateReplace, Row("b"), first)));
        Assert.Equal((404, "ResourceNotFound", 0), await RefusedAsync(new TableTransactionAction(Delete, Row("b"))));
        await Assert.ThrowsAsync<RequestFailedException>(() => _table.UpdateEntityAsync(Row("a"), first, TableUpdateMode.Replace));
    }

    [Fact]
    public async Task Takes_an_update_without_a_tag_for_an_upsert()
    {
        await _table.SubmitTransactionAsync([new TableTransactionAction(UpdateReplace, Row("new"))]);
        await _table.SubmitTransactionAsync([new TableTransactionAction(UpdateReplace, Row("new"))]);

        Assert.Single(_table.Rows("p"));
    }

    [Fact]
    public async Task Refuses_what_the_service_refuses()
    {
        Assert.Equal((400, "CommandsInBatchActOnDifferentPartitions", 1), await RefusedAsync(Add("a"), new TableTransactionAction(TableTransactionActionType.Add, new TableEntity("q", "a"))));
        Assert.Equal((400, "InvalidDuplicateRow", 1), await RefusedAsync(Add("a"), Add("a")));
        Assert.Equal((400, "InvalidInput", 100), await RefusedAsync([.. Enumerable.Range(0, 101).Select(number => Add($"{number}"))]));
        Assert.Equal((400, "OutOfRangeInput", 0), await RefusedAsync(Add("a/b")));
        Assert.Equal((400, "KeyValueTooLarge", 0), await RefusedAsync(Add(new string('k', 513))));
        Assert.Equal((400, "PropertyValueTooLarge", 0), await RefusedAsync(Add("a", ("P", new string('x', (32 * 1024) + 1)))));
        Assert.Equal((400, "PropertyValueTooLarge", 0), await RefusedAsync(Add("a", ("P", new byte[(64 * 1024) + 1]))));
        Assert.Equal((400, "PropertyNameInvalid", 0), await RefusedAsync(Add("a", ("1P", 1L))));
        Assert.Equal((400, "OutOfRangeInput", 0), await RefusedAsync(Add("a", ("P", DateTimeOffset.MinValue))));
        Assert.Equal((400, "EntityTooLarge", 0), await RefusedAsync(Add("a", [.. Enumerable.Range(0, 16).Select(number => ($"P{number}", (object)new byte[64 * 1024]))])));
        Assert.Equal((400, "TooManyProperties", 0), await RefusedAsync(Add("a", [.. Enumerable.Range(0, 253).Select(number => ($"P{number}", (object)1L))])));
        Assert.Equal((413, "RequestBodyTooLarge", null), await RefusedAsync([.. Enumerable.Range(0, 50).Select(number => Add($"{number}", ("P", new byte[64 * 1024])))]));
        Assert.Empty(_table.Rows("p"));
    }

    [Fact]
    public async Task Gives_pages_as_the_service_may()
    {
        await _table.SubmitTransactionAsync([.. Enumerable.Range(0, 5).Select(number => Add($"{number}"))]);
        (_table.RowsPerPage, _table.BeginsWithEmptyPages) = (2, true);

        var pages = new List<int>();
        await foreach (var page in _table.QueryAsync<TableEntity>("PartitionKey eq 'p' and RowKey ge '1'", 3).AsPages()) pages.Add(page.Values.Count);

        Assert.Equal([0, 2, 2], pages);
    }

    [Fact]
    public async Task Can_do_a_request_after_its_caller_was_told_that_it_failed()
    {
        var landing = new Landing();
        _table.Faults = _ => new TableFault.LandsLate(TableError.TimedOut, landing);

        await Assert.ThrowsAsync<TaskCanceledException>(() => _table.AddEntityAsync(Row("a")));
        Assert.Empty(_table.Rows("p"));
        landing.Now();

        Assert.Single(_table.Rows("p"));
    }

    private async Task<(int Status, string? Code, int? Index)> RefusedAsync(params TableTransactionAction[] actions)
    {
        var refused = await Assert.ThrowsAnyAsync<RequestFailedException>(() => _table.SubmitTransactionAsync(actions));
        return (refused.Status, refused.ErrorCode, (refused as TableTransactionFailedException)?.FailedTransactionActionIndex);
    }

    private static TableTransactionAction Add(string key, params (string Name, object Value)[] values)
    {
        var row = Row(key);
        foreach (var (name, value) in values) row[name] = value;
        return new TableTransactionAction(TableTransactionActionType.Add, row);
    }

    private static TableEntity Row(string key) => new("p", key);
}
