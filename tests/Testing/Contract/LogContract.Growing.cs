using Outpost.Forwarding;

namespace Outpost.Tests.Testing.Contract;

public abstract partial class LogContract
{
    [Fact]
    public async Task Leaves_entities_where_they_are_when_it_grows_and_puts_new_ones_where_the_new_count_says()
    {
        await using var logs = await StartAsync(partitions: 1, processes: 2);
        for (var i = 0; i < 20; i++) await logs[i].DoAsync(Tallies.Count($"a{i}", $"a{i}-1"));
        await logs.GrowAsync(4);
        for (var i = 0; i < 20; i++) await logs[i].DoAsync(Tallies.Count($"b{i}", $"b{i}-1"));
        await logs.GrowAsync(64);

        foreach (var id in Enumerable.Range(0, 20).SelectMany(i => new[] { $"a{i}", $"b{i}", $"c{i}" }))
        {
            var isNew = id[0] == 'c';
            Assert.Equal(isNew ? 1 : 2, (await logs[0].DoAsync(Tallies.Count(id, $"{id}-2"))).Version);
            Assert.Equal(isNew ? 2 : 3, (await logs[1].DoAsync(Tallies.Count(id, $"{id}-3"))).Version);
        }

        var layout = await logs[1].Events.LayoutAsync(CancellationToken.None);
        Assert.Equal((64, 3), (layout.Partitions, layout.Generation));
        Assert.Equal([1, 4, 64], layout.Counts);
        var places = new Dictionary<string, List<int>>();
        for (var partition = 0; partition < 64; partition++)
        {
            var entries = await logs[0].EntriesAsync(partition);
            Assert.Equal(Enumerable.Range(0, entries.Count).Select(offset => (long)offset), entries.Select(entry => entry.Offset));
            foreach (var subject in entries.GroupBy(entry => entry.Subject))
            {
                Assert.Equal(Enumerable.Range(1, subject.Count()).Select(version => (long)version), subject.Select(entry => entry.Version));
                places[subject.Key] = [.. places.GetValueOrDefault(subject.Key) ?? [], partition];
            }
        }

        Assert.Equal(60, places.Count);
        Assert.All(places, place => Assert.Equal(LogLayout.PartitionOf(place.Key, place.Key["tally/".Length] switch { 'a' => 1, 'b' => 4, _ => 64 }), Assert.Single(place.Value)));
    }

    [Fact]
    public async Task Answers_the_repeat_of_a_command_from_before_it_grew()
    {
        await using var logs = await StartAsync(partitions: 1, processes: 2);
        for (var i = 0; i < 10; i++) await logs[i].DoAsync(Tallies.Count($"t{i}", "first", key: $"k{i}"));
        await logs.GrowAsync(8);

        for (var i = 0; i < 10; i++)
        {
            var repeated = await logs[i].DoAsync(Tallies.Count($"t{i}", "first", key: $"k{i}"));
            Assert.Equal((1L, true), (repeated.Version, repeated.Replayed));
            Assert.True((await logs[i].DoAsync(Tallies.Count($"t{i}", "first", key: $"k{i}") with { LikelyNew = true })).Replayed);
        }
    }

    [Fact]
    public async Task Says_that_there_is_no_entity_only_where_there_is_none_in_a_log_that_has_grown()
    {
        await using var logs = await StartAsync(partitions: 1, processes: 2);
        foreach (var process in new[] { 0, 1 }) await logs[process].Events.LayoutAsync(CancellationToken.None);
        await logs.GrowAsync(16);
        for (var i = 0; i < 10; i++) await logs[0].DoAsync(Tallies.Count($"t{i}", "1", max: 1));

        for (var i = 0; i < 10; i++)
        {
            // The first is asked of a process that has not heard of it yet.
            Assert.Equal(1, (await logs[1].Log.ReadAsync(Tallies.Entity, $"t{i}", CancellationToken.None))?.Version);
            Assert.IsType<CommandResult<Tally>.Refused>(await logs[1].RunAsync(Tallies.Count($"t{i}", "2", max: 1)));
        }

        Assert.Null(await logs[1].Log.ReadAsync(Tallies.Entity, "nobody", CancellationToken.None));
    }

    [Fact]
    public async Task Creates_nothing_by_the_old_count_in_a_process_that_has_not_heard_that_it_grew()
    {
        await using var logs = await StartAsync(partitions: 2, processes: 3);
        foreach (var process in new[] { 0, 1, 2 }) await logs[process].DoAsync(Tallies.Count($"old{process}", "1"));
        await logs.GrowAsync(5);

        for (var i = 0; i < 12; i++) await logs[i].DoAsync(Tallies.Count($"t{i}", "1") with { LikelyNew = i % 2 == 0 });

        for (var i = 0; i < 12; i++)
        {
            var partition = LogLayout.PartitionOf($"tally/t{i}", 5);
            Assert.NotNull(await logs[0].Events.ReadEntityAsync(partition, "tally", $"t{i}", CancellationToken.None));
            Assert.Contains(await logs[1].EntriesAsync(partition), entry => entry.Subject == $"tally/t{i}");
        }
    }

    [Fact]
    public async Task Has_forwarders_begin_with_the_first_entry_of_a_new_partition_and_stay_paused()
    {
        await using var logs = await StartAsync(partitions: 2, processes: 1);
        await logs[0].DoAsync(Tallies.Count("a", "1"));
        foreach (var partition in new[] { 0, 1 })
        {
            Assert.NotNull(await logs[0].SaveAsync(Mine("bus") with { Within = TimeSpan.FromSeconds(7) }, partition: partition));
            Assert.True(await logs[0].Forwarding.SaveControlAsync(partition, "bus", Control.None with { IsPaused = true, PausedBy = "somebody" }, null, CancellationToken.None));
        }

        Assert.NotNull(await logs[0].SaveAsync(Mine("other")));
        Assert.True(await logs[0].Forwarding.SaveControlAsync(0, "other", Control.None with { IsPaused = true }, null, CancellationToken.None));

        await logs.GrowAsync(4);

        foreach (var partition in new[] { 2, 3 })
        {
            var state = await logs[0].StateAsync(partition);
            Assert.Equal((0L, 0L, null), (state.Head, state.Oldest, state.HeadTimestamp));
            var bus = state.CheckpointOf("bus");
            Assert.Equal((0L, true, null, TimeSpan.FromSeconds(7)), (bus!.NextOffset, bus.IsNew, bus.Owner, bus.Within));
            Assert.Equal((true, "somebody"), (state.ControlOf("bus").IsPaused, state.ControlOf("bus").PausedBy));
            Assert.Equal(0, state.CheckpointOf("other")!.NextOffset);
            Assert.False(state.ControlOf("other").IsPaused);
        }
    }

    private static Checkpoint Mine(string forwarder) => new() { Forwarder = forwarder, NextOffset = 0, Owner = "me", Epoch = 1, Write = 1 };
}
