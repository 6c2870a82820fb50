using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_nudge
{
    // No timer here, and no lingering: each entry comes at some moment of the drain before it, the last ones too.
    [Fact]
    public void Is_never_lost_however_late_in_a_drain_it_comes()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            Scene.Play(
                async scene =>
                {
                    var random = new Random(seed);
                    // Two processes, so that one may find the other's lease, or all done.
                    var processes = new[] { "a", "b" }.Take(1 + (seed % 2))
                        .Select(name => scene.Forwarding(name, new ScriptedTarget(), Scene.Never, linger: TimeSpan.Zero)).ToList();
                    for (var i = 0; i < 10; i++)
                    {
                        await scene.CommitAsync(processes[random.Next(processes.Count)]);
                        await scene.PassAsync(0.06 * random.NextDouble());
                    }

                    // Alone at once; a lease of the other is looked at again when it would end.
                    await scene.UntilAsync(() => scene.Next == 10, processes.Count == 1 ? 0.5 : 20);
                },
                seed);
        }
    }

    [Fact]
    public void Is_not_lost_when_it_comes_while_the_partition_is_being_looked_at() => Scene.Play(async scene =>
    {
        var other = scene.Forwarding("other", new ScriptedTarget(), Scene.Never, linger: TimeSpan.Zero);
        var process = scene.Forwarding("a", new ScriptedTarget(), Scene.Never, linger: TimeSpan.Zero);
        // Their first ticks are over by then.
        await scene.PassAsync(0.5);
        await scene.CommitAsync(other);
        await scene.UntilAsync(() => scene.Next == 1 && scene.Checkpoint.GetString("Owner").Length == 0, 1);
        var slowed = false;
        var queries = 0;
        scene.Table.Faults = request =>
        {
            // The second query is the look that the first, a reader's, gives rise to.
            if (request.Kind != TableOperation.QueryPage || ++queries != 2) return null;
            slowed = true;
            return new TableFault.SlowAnswer(scene.CommitAsync(process));
        };

        await process.Start(() => process.Store.ReadPartitionAsync(0, CancellationToken.None));

        await scene.UntilAsync(() => scene.Next == 2, 2);
        Assert.True(slowed);
    });

    [Fact]
    public void Forwards_what_this_process_committed_without_reading_its_entries() => Scene.Play(async scene =>
    {
        var target = new ScriptedTarget();
        var process = scene.Forwarding("a", target, Scene.Never);
        for (var i = 0; i < 100; i++)
        {
            await scene.CommitAsync(process, events: 2);
            await scene.PassAsync(0.02);
        }

        await scene.UntilAsync(() => scene.Next == 200, 0.2);

        Assert.Equal(Enumerable.Range(0, 200), target.Offsets.Select(offset => (int)offset));
        // But for a look that overtakes the answer to a commit.
        Assert.InRange(scene.Queries("e|"), 0, 3);
    });

    [Fact]
    public void Is_one_with_all_that_come_at_the_same_time() => Scene.Play(async scene =>
    {
        var process = scene.Forwarding("a", new ScriptedTarget(), Scene.Never, linger: TimeSpan.Zero);
        await scene.CommitAsync(process);
        await scene.UntilAsync(() => scene.Next == 1, 1);
        await scene.PassAsync(1);
        scene.Table.ForgetRequests();

        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => scene.CommitAsync(process)));
        await scene.UntilAsync(() => scene.Next == 201, 1);
        await scene.PassAsync(1);

        // Group commits: a handful of transactions, and a drain for each at most.
        Assert.InRange(scene.Table.Sent(TableOperation.Transaction), 2, 12);
        Assert.InRange(scene.Queries("d"), 1, 12);
        Assert.InRange(scene.CheckpointWrites(), 3, 36);
    });

    // Others write between: what is in memory and what has to be read go together without a hole.
    [Fact]
    public void Brings_the_entries_of_other_processes_along_in_order()
    {
        for (var seed = 0; seed < 8; seed++)
        {
            Scene.Play(
                async scene =>
                {
                    var random = new Random(seed);
                    var target = new ScriptedTarget((_, entries, _) => Task.FromResult<Delivery>(new Delivery.Accepted(1 + random.Next(entries.Count))));
                    var process = scene.Forwarding("a", target, Scene.Never);
                    var others = new[] { scene.Process("b"), scene.Process("c") };
                    for (var i = 0; i < 40; i++)
                    {
                        _ = scene.CommitAsync(i % 3 == 0 ? process : others[i % 2], events: 1 + random.Next(90));
                        await scene.PassAsync(0.1 * random.NextDouble());
                    }

                    await scene.CommitAsync(process);
                    await scene.UntilAsync(() => scene.Head > 0 && scene.Next == scene.Head, 5);

                    Assert.Equal(Enumerable.Range(0, (int)scene.Head), target.Offsets.Select(offset => (int)offset));
                },
                seed);
        }
    }
}
