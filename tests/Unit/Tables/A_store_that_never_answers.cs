using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

/// <summary>
/// The client's calls do not return, not even when they are cancelled. Nobody waits for them longer than this side's own
/// bounds say.
/// </summary>
public sealed class A_store_that_never_answers
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly VirtualTime _world = new(new Random(1));
    private readonly SimulatedTable _table;

    public A_store_that_never_answers() => _table = new SimulatedTable(_world, exists: false);

    [Fact]
    public void Ends_every_command_within_30_seconds_and_whoever_waits_for_its_turn_within_20() => Run(async log =>
    {
        Silence(TableOperation.Transaction);
        var sent = AnsweredAsync(log, "b", new CommandSent());
        await Task.Delay(Second, _world);
        var waiting = await Task.WhenAll(Enumerable.Range(0, 300).Select(number => AnsweredAsync(log, $"w{number}", new CommandSent())));

        Assert.All(waiting, one => Assert.InRange(one.Took, TimeSpan.Zero, Limits.CommandWaitMax));
        Assert.Contains(waiting, one => one.Result is CommandResult<Tally>.Busy && one.Took == Limits.QueueWaitMax);
        Assert.IsType<CommandResult<Tally>.Unknown>((await sent).Result);
        Assert.InRange((await sent).Took, TimeSpan.Zero, Limits.CommandWaitMax);
    });

    [Fact]
    public void Ends_a_read_within_10_seconds() => Run(async log =>
    {
        Silence();
        Func<Task>[] reads =
        [
            () => log.Store.ReadEntityAsync(0, "tally", "a", CancellationToken.None),
            () => log.Store.ReadPartitionAsync(0, CancellationToken.None),
            () => log.Store.ReadTimestampAsync(0, 7, CancellationToken.None),
            () => log.Store.ReadEventsAsync(0, 7, 10, CancellationToken.None),
            () => log.Store.ReadReceiptAsync(0, new Idempotency("s", "k", "f"), CancellationToken.None),
        ];
        foreach (var read in reads)
        {
            var start = _world.Elapsed;
            await Assert.ThrowsAsync<StoreUnavailableException>(read);
            Assert.Equal(Limits.StoreCallMax, _world.Elapsed - start);
        }
    });

    // More than may be on their way at once, by their bytes: what never comes back gives its share back all the same.
    [Fact]
    public void Does_not_hold_up_readers_who_come_when_it_answers_again() => Run(async log =>
    {
        Silence();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Assert.ThrowsAsync<StoreUnavailableException>(
            () => log.Store.ReadEventsAsync(0, 7, Limits.PageEntriesMax, CancellationToken.None))));
        _table.Faults = null;

        var start = _world.Elapsed;
        await log.Store.ReadEventsAsync(0, 7, Limits.PageEntriesMax, CancellationToken.None);

        Assert.InRange(_world.Elapsed - start, TimeSpan.Zero, Second);
    });

    [Fact]
    public void Ends_the_start_within_10_seconds() => _world.Run(async () =>
    {
        Silence();
        await using var log = new VirtualLog(_world, _table, new Random(1));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => log.Store.LayoutAsync(CancellationToken.None).AsTask());

        Assert.Equal(Limits.StoreCallMax, _world.Elapsed);
    });

    [Fact]
    public void Ends_the_stop_within_5_seconds_for_all_partitions_and_everybody_has_an_answer() => _world.Run(async () =>
    {
        var log = new VirtualLog(_world, _table, new Random(1), partitions: 4);
        await log.Log.ExecuteAsync(Tallies.Count("a", "a1"), CancellationToken.None);
        Silence(TableOperation.Transaction);
        var commands = Enumerable.Range(0, 900).Select(number => log.Log.ExecuteAsync(New($"c{number}"), CancellationToken.None)).ToList();
        await Task.Delay(Second, _world);
        var start = _world.Elapsed;

        await log.DisposeAsync();

        Assert.InRange(_world.Elapsed - start, TimeSpan.Zero, 5 * Second);
        Assert.All(await Task.WhenAll(commands), result => Assert.True(result is CommandResult<Tally>.Busy or CommandResult<Tally>.Unknown, result.ToString()));
        Assert.Contains(commands, command => command.Result is CommandResult<Tally>.Busy);
    });

    [Fact]
    public void Ends_what_forwarding_and_retention_ask_within_their_bounds() => Run(async log =>
    {
        var (forwarding, retention) = (new TableForwardingStore(_table, log.Sources), new TableRetentionStore(_table, log.Sources));
        Silence();
        Func<Task>[] calls =
        [
            () => forwarding.ReadParkedAsync(0, "f", 0, 10, CancellationToken.None),
            () => forwarding.SaveControlAsync(0, "f", Outpost.Forwarding.Control.None, null, CancellationToken.None),
            () => retention.ReadTracesAsync(0, 0, 10, CancellationToken.None),
            () => retention.SaveOldestAsync(0, 1, new Trimmed(0, 0, null), CancellationToken.None),
            () => retention.DeleteEventsAsync(0, 0, 10, CancellationToken.None),
        ];
        foreach (var call in calls)
        {
            var start = _world.Elapsed;
            await Assert.ThrowsAsync<StoreUnavailableException>(call);
            Assert.Equal(Limits.StoreCallMax, _world.Elapsed - start);
        }
    });

    // An hour, says a gateway.
    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task Does_not_decide_when_it_is_asked_again(int status)
    {
        var service = new ScriptedService(_ => new Answer(
            status, """{"odata.error":{"code":"ServerBusy","message":{"lang":"en-US","value":"Busy"}}}""")
        { RetryAfter = "3600" });
        var clock = new StoreClock(TimeProvider.System, NullLogger<StoreClock>.Instance);
        await using var store = new TableEventStore(
            ScriptedService.Client(clock, service), 1, clock, new Sources(TimeProvider.System, Guid.NewGuid, () => 0.5), NullLogger.Instance);

        await Assert.ThrowsAsync<StoreUnavailableException>(
            () => store.ReadEntityAsync(0, "order", "1", CancellationToken.None).WaitAsync(30 * Second, TimeProvider.System, CancellationToken.None));

        Assert.Equal(3, service.Requests);
    }

    private void Run(Func<VirtualLog, Task> test) => _world.Run(async () =>
    {
        await using var log = new VirtualLog(_world, _table, new Random(1));
        await log.Log.ExecuteAsync(Tallies.Count("a", "a1"), CancellationToken.None);
        await test(log);
    });

    // Whatever its caller wants: it does not even hear that it is cancelled.
    private void Silence(TableOperation? only = null) => _table.Faults = request =>
        only is null || request.Kind == only ? new TableFault.Silence() : null;

    private async Task<CommandSent> AnsweredAsync(VirtualLog log, string id, CommandSent sent)
    {
        var start = _world.Elapsed;
        var result = await log.Log.ExecuteAsync(New(id), CancellationToken.None);
        return sent with { Result = result, Took = _world.Elapsed - start };
    }

    private static Command<Tally> New(string id) => Tallies.Count(id, id) with { LikelyNew = true };

    private sealed record CommandSent
    {
        public CommandResult<Tally>? Result { get; init; }

        public TimeSpan Took { get; init; }
    }
}
