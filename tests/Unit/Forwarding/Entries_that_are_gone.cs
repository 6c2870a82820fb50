using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Retention;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>
/// A rolling deployment adds a forwarder, or an operator asks for a replay, while a process that does not know of it is in
/// the middle of retention.
/// </summary>
public sealed class Entries_that_are_gone
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Are_none_that_a_forwarder_began_with_while_retention_moved(int seed) => Scene.Play(
        async scene =>
        {
            var old = await WithOldEntriesAsync(scene);
            var trimming = old.Start(() => Retention(old).RunAsync(CancellationToken.None));
            await scene.UntilAsync(() => Oldest(scene) > 0, 600);

            // The new version has a forwarder that the old one does not know; what it calls does not answer in the first minute.
            var up = scene.World.Elapsed + TimeSpan.FromMinutes(1);
            var target = new ScriptedTarget((_, entries, _) => Task.FromResult<Delivery>(
                scene.World.Elapsed < up ? new Delivery.Failed(new TimeoutException(), IsTransient: true) : new Delivery.Accepted(entries.Count)));
            scene.Forwarding("new", target, TimeSpan.FromSeconds(10));
            await scene.UntilAsync(() => scene.Table.Row("0000", $"c|{Scene.Name}") is not null, 5);
            var began = scene.Next;
            Assert.False(trimming.IsCompleted);
            await trimming;
            await scene.PassAsync(600);

            Assert.InRange(began, 1, scene.Head - 1);
            Assert.Equal(LongRange(began, scene.Head), target.Offsets);
            Assert.Equal(scene.Head, scene.Next);
        },
        seed);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Are_none_of_a_replay_that_was_accepted(int seed) => Scene.Play(
        async scene =>
        {
            var target = new ScriptedTarget();
            var forwarding = scene.Process("forwards");
            var engine = forwarding.Engine([new Forwarder(Scene.Name, target)]);
            forwarding.Forward(engine, TimeSpan.FromSeconds(10));
            var old = await WithOldEntriesAsync(scene);
            await scene.UntilAsync(() => scene.Next == scene.Head, 60);
            var (forwarded, random) = (target.Offsets.Count, new Random(seed));
            var trimming = old.Start(() => Retention(old).RunAsync(CancellationToken.None));
            await scene.UntilAsync(() => Oldest(scene) > 0, 600);
            await scene.PassAsync(random.NextDouble());

            // The oldest there is, again and again, as retention moves on: refused, or sent in full.
            var operations = new ForwarderOperations(forwarding.Store, forwarding.Checkpoints, engine, forwarding.Sources);
            var expected = new List<long>();
            for (var i = 0; i < 20; i++)
            {
                var from = Oldest(scene);
                var result = await forwarding.Start(() => operations.ReplayAsync(Scene.Name, 0, from, from + 4, CancellationToken.None));
                if (result is OperationResult.Done) expected.AddRange(LongRange(from, from + 5));
                else Assert.IsType<OperationResult.OutOfRange>(result);
                await scene.PassAsync(0.3 * random.NextDouble());
            }

            await scene.PassAsync(120);
            Assert.NotEmpty(expected);
            Assert.Equal(expected.Order(), target.Offsets.Skip(forwarded).Order());
        },
        seed);

    [Fact]
    public void Of_a_forwarder_that_never_delivered_are_none_of_its_own() => Scene.Play(async scene =>
    {
        var old = await WithOldEntriesAsync(scene);
        // As it may be after a restore: it has begun, and what it began with is not there.
        var state = await old.Start(() => old.Store.ReadPartitionAsync(0, CancellationToken.None));
        await old.Start(() => old.Checkpoints.BeginAsync(state, new Checkpoint { Forwarder = Scene.Name, NextOffset = 0, IsNew = true }, CancellationToken.None));
        state = await old.Start(() => old.Store.ReadPartitionAsync(0, CancellationToken.None));
        await old.Start(() => new TableRetentionStore(old.Table, old.Sources).SaveOldestAsync(0, 700, state.Trimmed, CancellationToken.None));

        var target = new ScriptedTarget();
        scene.Forwarding("new", target, TimeSpan.FromSeconds(10));
        await scene.PassAsync(60);

        Assert.Equal(LongRange(700, scene.Head), target.Offsets);
    });

    // As a version before this one left it, and as a deleted row does.
    [Theory]
    [InlineData(false, "entries gone: Entries 0 to 699 are gone before bus forwarded them: skip to 700 to go on with what is there.")]
    [InlineData(true, "entry missing: Entry 0 is not in the log, although later ones are: skip it, or restore it.")]
    public void Are_said_and_skipped_when_somebody_wants_it(bool isHole, string reason) => Scene.Play(async scene =>
    {
        var old = await WithOldEntriesAsync(scene);
        var state = await old.Start(() => old.Store.ReadPartitionAsync(0, CancellationToken.None));
        await old.Start(() => old.Checkpoints.BeginAsync(state, new Checkpoint { Forwarder = Scene.Name, NextOffset = 0 }, CancellationToken.None));
        state = await old.Start(() => old.Store.ReadPartitionAsync(0, CancellationToken.None));
        if (isHole) await old.Start(() => old.Table.DeleteEntityAsync("0000", $"e|{0:D19}"));
        else await old.Start(() => new TableRetentionStore(old.Table, old.Sources).SaveOldestAsync(0, 700, state.Trimmed, CancellationToken.None));
        var target = new ScriptedTarget();
        var process = scene.Process("new");
        var engine = process.Engine([new Forwarder(Scene.Name, target)]);
        process.Forward(engine, TimeSpan.FromSeconds(10));
        await scene.PassAsync(60);
        Assert.Equal((0L, reason), (scene.Next, scene.Checkpoint.GetString("LastError")));
        var operations = new ForwarderOperations(process.Store, process.Checkpoints, engine, process.Sources);

        var to = isHole ? 1 : 700;
        Assert.IsType<OperationResult.NotGone>(await process.Start(() => operations.SkipAsync(Scene.Name, 0, to + 1, CancellationToken.None)));
        Assert.Equal(new OperationResult.Skipped(0, to), await process.Start(() => operations.SkipAsync(Scene.Name, 0, to, CancellationToken.None)));
        await scene.PassAsync(60);

        Assert.Equal(LongRange(to, scene.Head), target.Offsets);
        Assert.Null(scene.Checkpoint.GetString("LastError"));
        Assert.IsType<OperationResult.NotGone>(await process.Start(() => operations.SkipAsync(Scene.Name, 0, scene.Head + 1, CancellationToken.None)));
    });

    private static async Task<VirtualProcess> WithOldEntriesAsync(Scene scene)
    {
        var old = scene.Process("old");
        for (var i = 0; i < 20; i++) await scene.CommitAsync(old, events: 75);
        await scene.PassAsync(3 * 24 * 3600);
        await scene.CommitAsync(old);
        return old;
    }

    // Of a version that has none of these forwarders.
    private static RetentionRunner Retention(VirtualProcess process) => new(
        process.Store, new TableRetentionStore(process.Table, process.Sources), process.Checkpoints, process.Watch, process.Engine([]),
        new RetentionOptions(TimeSpan.FromDays(1), TimeSpan.FromHours(1)), process.Sources, process.Metrics, NullLogger<RetentionRunner>.Instance);

    private static long Oldest(Scene scene) => scene.Table.Row("0000", "!oldest")?.GetInt64("Offset") ?? 0;

    private static IEnumerable<long> LongRange(long from, long to)
    {
        for (var offset = from; offset < to; offset++) yield return offset;
    }
}
