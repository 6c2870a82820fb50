using System.Text.Json;
using Azure.Identity;

namespace Outpost.Tests.Unit.Tables;

public sealed class An_unclear_outcome
{
    [Fact]
    public async Task Is_found_out_with_two_point_reads_and_answered_as_done()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        log.Table.ForgetRequests();
        Fail(log, new TableFault.AfterEffect(TableError.TimedOut));

        var done = await log.DoAsync(Tallies.Count("b", "b1") with { LikelyNew = true });

        Assert.Equal(1, done.Version);
        Assert.Equal(
            [TableOperation.Transaction, TableOperation.Get, TableOperation.Get], log.Table.Requests.Select(request => request.Kind));
        Assert.Equal(["a1", "b1"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Of_what_is_not_there_has_the_same_list_sent_again()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        log.Table.ForgetRequests();
        Fail(log, new TableFault.BeforeEffect(TableError.Busy));

        await log.DoAsync(Tallies.Count("b", "b1", events: 2) with { LikelyNew = true });

        var lists = log.Table.Requests.Where(request => request.Kind == TableOperation.Transaction).ToList();
        Assert.Equal(2, lists.Count);
        Assert.Equal(lists[0].Keys, lists[1].Keys);
    }

    [Fact]
    public async Task Keeps_the_head_so_that_the_next_commit_reads_nothing()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        Fail(log, new TableFault.SentTwice());
        await log.DoAsync(Tallies.Count("b", "b1") with { LikelyNew = true });
        log.Table.ForgetRequests();

        await log.DoAsync(Tallies.Count("c", "c1") with { LikelyNew = true });

        Assert.Equal([TableOperation.Transaction], log.Table.Requests.Select(request => request.Kind));
    }

    [Fact]
    public async Task Is_unknown_when_the_table_cannot_be_reached_for_long()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var start = log.Time.GetTimestamp();
        log.Table.Faults = request => request.Kind == TableOperation.Transaction
            ? new TableFault.AfterEffect(TableError.TimedOut)
            : new TableFault.BeforeEffect(TableError.Unreachable);

        var result = await log.RunAsync(Tallies.Count("b", "b1") with { LikelyNew = true });

        Assert.IsType<CommandResult<Tally>.Unknown>(result);
        Assert.InRange(log.Time.GetElapsedTime(start), Limits.OutcomeWaitMax, Limits.OutcomeWaitMax * 1.5);
    }

    [Fact]
    public async Task Is_told_to_the_repeat_once_the_table_is_back()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        log.Table.Faults = request => request.Kind == TableOperation.Transaction
            ? new TableFault.AfterEffect(TableError.TimedOut)
            : new TableFault.BeforeEffect(TableError.Unreachable);
        var command = Tallies.Count("b", "b1", key: "k") with { LikelyNew = true };
        Assert.IsType<CommandResult<Tally>.Unknown>(await log.RunAsync(command));
        log.Table.Faults = null;

        var done = await log.DoAsync(command);

        Assert.True(done.Replayed);
        Assert.Equal(["a1", "b1"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Is_unknown_when_nobody_can_tell_any_more_whose_offsets_they_were()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        await using var other = log.AnotherProcess();
        var landed = false;
        log.Table.Faults = request =>
        {
            if (request.Kind != TableOperation.Transaction || landed) return null;
            landed = true;
            return new TableFault.AfterEffect(() =>
            {
                // Meanwhile the other process commits, and retention is as far as its offset.
                other.DoAsync(Tallies.Count("c", "c1")).GetAwaiter().GetResult();
                log.Table.Remove("0000", "e|0000000000000000001");
                return TableError.TimedOut();
            });
        };

        var result = await log.RunAsync(Tallies.Count("b", "b1") with { LikelyNew = true });

        Assert.IsType<CommandResult<Tally>.Unknown>(result);
    }

    [Fact]
    public async Task Does_not_hold_up_the_commands_after_it()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        log.Table.Faults = _ => new TableFault.BeforeEffect(TableError.Unreachable);
        Assert.IsType<CommandResult<Tally>.Unknown>(await log.RunAsync(Tallies.Count("b", "b1") with { LikelyNew = true }));
        log.Table.Faults = null;

        await log.DoAsync(Tallies.Count("c", "c1"));

        Assert.Equal(["a1", "c1"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Leaves_no_way_for_a_list_that_lands_after_another_took_its_offsets()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var landing = new Landing();
        var lost = false;
        log.Table.Faults = request =>
        {
            if (request.Kind != TableOperation.Transaction) return lost ? new TableFault.BeforeEffect(TableError.Unreachable) : null;
            lost = true;
            return new TableFault.LandsLate(TableError.TimedOut, landing);
        };
        Assert.IsType<CommandResult<Tally>.Unknown>(await log.RunAsync(Tallies.Count("b", "b1") with { LikelyNew = true }));
        log.Table.Faults = null;
        await log.DoAsync(Tallies.Count("c", "c1"));

        landing.Now();

        Assert.Equal(["a1", "c1"], SoundLog.Check(log.Table));
    }

    // A receipt refused the client's second try; then retention deleted the receipt, and the first one lands.
    [Fact]
    public async Task Is_found_out_although_a_receipt_had_refused_the_list()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var (landing, together, isSent) = (new Landing(), new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var lists = 0;
        log.Table.Faults = request => request.Kind != TableOperation.Transaction ? null : ++lists switch
        {
            1 => Alone(),
            2 => new TableFault.LandsLate(() => TableError.Transaction(409, "EntityAlreadyExists", index: 3), landing),
            3 => Landed(),
            _ => null,
        };
        TableFault Alone()
        {
            isSent.SetResult();
            return new TableFault.HeldBack(together.Task);
        }

        TableFault? Landed()
        {
            landing.Now();
            return null;
        }

        var first = log.DoAsync(Tallies.Count("b", "b1") with { LikelyNew = true });
        // The others come while it is under way, or they would be in one list with it.
        await isSent.Task;
        Task<CommandResult<Tally>.Done>[] commands = [
            first,
            log.DoAsync(Tallies.Count("c", "c1", key: "k") with { LikelyNew = true }),
            log.DoAsync(Tallies.Count("d", "d1") with { LikelyNew = true })];
        together.SetResult();
        var done = await Task.WhenAll(commands);

        Assert.All(done, one => Assert.Equal(1, one.Version));
        Assert.Equal(["a1", "b1", "c1", "d1"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Stays_unclear_when_the_next_attempt_is_not_allowed()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var landing = new Landing();
        var lists = 0;
        log.Table.Faults = request => request.Kind != TableOperation.Transaction ? null
            : ++lists == 1 ? new TableFault.LandsLate(TableError.TimedOut, landing)
            : new TableFault.BeforeEffect(() => TableError.Status(403, "AuthorizationPermissionMismatch"));

        Assert.IsType<CommandResult<Tally>.Unknown>(await log.RunAsync(Tallies.Count("b", "b1") with { LikelyNew = true }));

        landing.Now();
        Assert.Equal(["a1", "b1"], SoundLog.Check(log.Table));
    }

    [Fact]
    public async Task Is_found_out_too_when_the_answer_came_and_made_no_sense()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        Fail(log, new TableFault.AfterEffect(() => new InvalidOperationException("Expected 3 responses for the batch request, not 2.")));

        await log.DoAsync(Tallies.Count("b", "b1") with { LikelyNew = true });

        Assert.Equal(["a1", "b1"], SoundLog.Check(log.Table));
    }

    /// <summary>Not allowed; no token to be had; a page of some proxy instead of an answer.</summary>
    public static TheoryData<Exception> Unreadable =>
        [TableError.Status(403, "AuthorizationFailure"), new AuthenticationFailedException("No token."), new JsonException("'<' is an invalid start of a value.")];

    [Theory]
    [MemberData(nameof(Unreadable))]
    public async Task Is_unknown_when_the_table_can_no_longer_be_read(Exception cause)
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        log.Table.Faults = request => request.Kind == TableOperation.Transaction
            ? new TableFault.AfterEffect(TableError.TimedOut)
            : new TableFault.BeforeEffect(() => cause);

        var result = await log.RunAsync(Tallies.Count("b", "b1") with { LikelyNew = true });

        Assert.IsType<CommandResult<Tally>.Unknown>(result);
    }

    private static void Fail(SimulatedLog log, TableFault fault)
    {
        var fired = false;
        log.Table.Faults = request =>
        {
            if (fired || request.Kind != TableOperation.Transaction) return null;
            fired = true;
            return fault;
        };
    }
}
