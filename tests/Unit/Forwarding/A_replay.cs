using Outpost.Forwarding;
using Outpost.ServiceBus;
using static Outpost.Tests.Unit.Forwarding.ParkedLog;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_replay
{
    [Fact]
    public async Task Delivers_exactly_its_range_again_and_leaves_the_checkpoint_where_it_is()
    {
        await using var log = await ForwardedAsync(50);
        var id = await ReplayAsync(log, 7, 31);
        var target = new RecordingTarget();

        await log.ForwardAsync(target);

        Assert.Equal(Enumerable.Range(7, 25).Select(offset => (id, (long)offset)), target.Replayed);
        Assert.Empty(target.Delivered);
        var checkpoint = await log.CheckpointAsync();
        Assert.Equal((50L, 1L, (RequestProgress?)null), (checkpoint.NextOffset, checkpoint.RequestDone, checkpoint.Requests.SingleOrDefault()));
    }

    [Fact]
    public async Task Goes_side_by_side_with_a_backlog()
    {
        await using var log = await ForwardedAsync(50);
        await log.AddManyAsync("a", 50);
        await ReplayAsync(log, 0, 29);
        var order = new List<string>();
        var target = new RecordingTarget { Before = (_, entries) => { order.Add(entries[0].Offset < 50 ? "old" : "new"); return Task.CompletedTask; } };

        await log.ForwardAsync(target);

        Assert.Equal(30, target.Replayed.Count);
        Assert.Equal(Enumerable.Range(50, 50), target.Offsets());
        Assert.Equal(["old", "new", "old", "new", "old", "new", "new", "new"], order);
    }

    [Fact]
    public async Task Does_not_overtake_what_was_never_delivered()
    {
        await using var log = await ForwardedAsync(50);
        await log.AddManyAsync("a", 50);
        await ReplayAsync(log, 40, 99);
        var target = new RecordingTarget();
        var overtook = new List<long>();
        target.After = _ =>
        {
            overtook.AddRange(target.Replayed.Select(entry => entry.Offset).Where(offset => offset >= 50 + target.Delivered.Count));
            return Task.CompletedTask;
        };

        await log.ForwardAsync(target);

        Assert.Empty(overtook);
        Assert.Equal(Enumerable.Range(50, 50), target.Offsets());
        Assert.Equal(Enumerable.Range(40, 60), target.Replayed.Select(entry => (int)entry.Offset));
        Assert.Equal(1, (await log.CheckpointAsync()).RequestDone);
    }

    [Fact]
    public async Task Goes_on_where_it_was_in_another_process()
    {
        await using var log = await ForwardedAsync(50);
        var id = await ReplayAsync(log, 5, 44);
        var target = new RecordingTarget { Before = (number, _) => number == 3 ? throw new InvalidOperationException("broken") : Task.CompletedTask };
        await log.ForwardAsync(target);
        Assert.Equal((25L, 20), ((await log.CheckpointAsync()).Requests.Single().Next!.Value, target.Replayed.Count));
        target.Before = null;

        await using var later = log.AnotherProcess();
        await later.ForwardAsync(target, owner: "later");

        Assert.Equal(Enumerable.Range(5, 40).Select(offset => (id, (long)offset)), target.Replayed);
        Assert.Equal(50, (await log.CheckpointAsync()).NextOffset);
    }

    [Fact]
    public async Task Passes_over_what_is_refused_and_finds_it_in_few_deliveries()
    {
        await using var log = await ForwardedAsync(300);
        await ReplayAsync(log, 0, 299);
        var target = new RecordingTarget(batchSize: 300) { Refuses = Only(200) };

        await log.ForwardAsync(target);

        Assert.Equal(Enumerable.Range(0, 300).Except([200]), target.Replayed.Select(entry => (int)entry.Offset));
        Assert.Empty(await log.ParkedAsync());
        Assert.InRange(target.Deliveries, 3, 30);
    }

    [Fact]
    public async Task Is_one_although_the_client_sent_the_request_twice()
    {
        await using var log = await ForwardedAsync(10);
        await using var other = log.AnotherProcess();
        var target = new RecordingTarget();
        var sent = false;
        log.Table.Faults = request =>
        {
            if (request.Kind == TableOperation.Add && request.Keys[0].EndsWith("control", StringComparison.Ordinal))
            {
                sent = true;
                return new TableFault.SentTwice();
            }

            // It is carried out before the operator's process looks what became of it.
            if (!sent || request.Kind != TableOperation.QueryPage) return null;
            sent = false;
            return new TableFault.HeldBack(other.ForwardAsync(target));
        };

        var id = await ReplayAsync(log, 0, 9);
        log.Table.Faults = null;
        await log.ForwardAsync(target);

        Assert.Equal(Enumerable.Range(0, 10).Select(offset => (id, (long)offset)), target.Replayed);
    }

    [Theory]
    [InlineData("unreachable")]
    [InlineData("answer lost")]
    [InlineData("sent twice by the client")]
    [InlineData("the process dies")]
    public Task Is_complete_whatever_request_goes_wrong(string kind) => AtEachRequestAsync(kind, async goWrong =>
    {
        await using var log = await ForwardedAsync(20);
        await ReplayAsync(log, 2, 17);
        var target = new RecordingTarget(batchSize: 5);
        goWrong(log);

        await log.ForwardAsync(target);
        log.Table.Faults = null;
        log.Time.Advance(TimeSpan.FromSeconds(20));
        await log.ForwardAsync(target, owner: "another");

        Assert.Equal(Enumerable.Range(2, 16), target.Replayed.Select(entry => (int)entry.Offset).Distinct());
        Assert.Equal((20L, 1L, (RequestProgress?)null), ((await log.CheckpointAsync()).NextOffset, (await log.CheckpointAsync()).RequestDone, (await log.CheckpointAsync()).Requests.SingleOrDefault()));
    });

    [Fact]
    public async Task Is_refused_while_a_hundred_wait_and_outside_of_the_log()
    {
        await using var log = await ForwardedAsync(10);
        Assert.Equal(new OperationResult.OutOfRange(0, 10), await log.Operators().ReplayAsync(Name, 0, 0, 10, CancellationToken.None));
        for (var i = 0; i < Control.RequestsMax; i++) await ReplayAsync(log, 0, 0);

        Assert.IsType<OperationResult.TooMany>(await log.Operators().ReplayAsync(Name, 0, 0, 0, CancellationToken.None));

        var target = new RecordingTarget();
        await log.ForwardAsync(target);
        Assert.Equal(Control.RequestsMax, target.Replayed.Count);
        // Those carried out make room.
        await ReplayAsync(log, 0, 0);
    }

    [Fact]
    public void Marks_its_messages()
    {
        var entry = new EventEntry(new EventId("k3v9x2ab", 7, 41), "A", "text/plain", default, default, "a/1", 1, null, null);

        foreach (var message in new[] { MessageMapping.ToMessage(entry, "/s", "0a1b2c3d"), MessageMapping.ToReference(entry, "/s", "http://x", "0a1b2c3d") })
        {
            Assert.Equal("k3v9x2ab-0007-0000000000000000041~0a1b2c3d", message.MessageId);
            Assert.Equal(("0a1b2c3d", "k3v9x2ab-0007-0000000000000000041"), (message.ApplicationProperties["replay"], message.ApplicationProperties["cloudEvents:id"]));
        }

        Assert.DoesNotContain("replay", MessageMapping.ToMessage(entry, "/s").ApplicationProperties.Keys);
    }

    private static async Task<SimulatedLog> ForwardedAsync(int count)
    {
        var log = new SimulatedLog();
        await log.AddManyAsync("a", count);
        await log.ForwardAsync(new RecordingTarget(batchSize: 100));
        return log;
    }

    private static async Task<string> ReplayAsync(SimulatedLog log, long from, long to) =>
        Assert.IsType<OperationResult.Done>(await log.Operators().ReplayAsync(Name, 0, from, to, CancellationToken.None)).ReplayId!;
}
