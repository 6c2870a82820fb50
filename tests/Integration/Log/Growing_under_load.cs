using System.Runtime.CompilerServices;
using Outpost.Tables;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

public sealed class Growing_under_load
{
    [Fact]
    public async Task Splits_no_entity_loses_nothing_and_answers_each_repeat()
    {
        await using var one = await TestLog.CreateAsync(1);
        await using var two = await one.AnotherProcessAsync();
        TestLog[] processes = [one, two];
        using var stop = new CancellationTokenSource();
        var count = new StrongBox<int>();
        var writers = Enumerable.Range(0, 8).Select(writer => WriteAsync(processes[writer % 2].Log, $"w{writer}", count, stop.Token)).ToList();
        var growth = new LogGrowth(one.Table, one.Clock, TestLog.Sources);

        foreach (var partitions in new[] { 4, 64 })
        {
            await SomeMoreAsync();
            await growth.GrowAsync(partitions, null, CancellationToken.None);
            Assert.Equal(partitions, (await two.Store.RefreshLayoutAsync(CancellationToken.None)).Partitions);
        }

        await SomeMoreAsync();
        await stop.CancelAsync();
        var written = (await Task.WhenAll(writers)).SelectMany(ids => ids).ToList();

        // Both know of all partitions, and have the same entries in them.
        var entries = new List<EventEntry>();
        for (var partition = 0; partition < 64; partition++)
        {
            var before = entries.Count;
            while (await two.Store.ReadEventsAsync(partition, entries.Count - before, Limits.PageEntriesMax, CancellationToken.None) is { Count: > 0 } page) entries.AddRange(page);
        }

        Assert.Equal(written.Count * 2, entries.Count);
        var bySubject = entries.GroupBy(entry => entry.Subject).ToDictionary(group => group.Key, group => group.ToList());
        Assert.All(written, id =>
        {
            var mine = bySubject[$"tally/{id}"];
            Assert.Single(mine.Select(entry => entry.Partition).Distinct());
            Assert.Equal([1L, 2L], mine.Select(entry => entry.Version));
        });
        Assert.True(bySubject.Values.Select(mine => mine[0].Partition).Distinct().Count() > 10);
        foreach (var id in written.Where((_, place) => place % 17 == 0))
            Assert.True(Assert.IsType<CommandResult<Tally>.Done>(await processes[id.Length % 2].Log.ExecuteAsync(Tallies.Count(id, "1", key: "1"), CancellationToken.None)).Replayed);

        // Bounded by the test's own end: the writers never stop by themselves.
        async Task SomeMoreAsync()
        {
            for (var enough = Volatile.Read(ref count.Value) + 80; Volatile.Read(ref count.Value) < enough;)
                Assert.NotSame(writers.Find(writer => writer.IsCompleted) ?? Task.CompletedTask, await Task.WhenAny([Task.Delay(20), .. writers]));
        }
    }

    // Creates entities, and changes each once more, with a key for each command.
    private static async Task<IReadOnlyList<string>> WriteAsync(EventLog log, string name, StrongBox<int> count, CancellationToken stop)
    {
        var written = new List<string>();
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var id = $"{name}-{i}";
            foreach (var step in new[] { "1", "2" })
            {
                while (await log.ExecuteAsync(Tallies.Count(id, step, key: step) with { LikelyNew = step == "1" }, CancellationToken.None) is not CommandResult<Tally>.Done)
                {
                }
            }

            written.Add(id);
            Interlocked.Increment(ref count.Value);
        }

        return written;
    }
}
