using Done = Outpost.CommandResult<Outpost.Tests.Testing.Tally>.Done;

namespace Outpost.Tests.Testing.Contract;

public abstract partial class LogContract
{
    [Fact]
    public async Task Has_each_command_of_two_processes_in_one_partition_and_no_hole()
    {
        await using var logs = await StartAsync(partitions: 1, processes: 2);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => logs[i].DoAsync(Tallies.Count($"t{i % 50}", $"{i}", key: $"k{i}")))));

        var entries = await logs[0].EntriesAsync();
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), entries.Select(entry => entry.Offset));
        Assert.Equal(200, entries.Select(Tallies.StepOf).Distinct().Count());
        Assert.Equal(entries.Select(entry => entry.Timestamp).Order(), entries.Select(entry => entry.Timestamp));
        Assert.All(entries.GroupBy(entry => entry.Subject), subject => Assert.Equal([1L, 2, 3, 4], subject.Select(entry => entry.Version)));
    }

    [Fact]
    public async Task Is_dense_in_each_of_16_partitions_and_each_entity_is_in_one()
    {
        await using var log = await StartAsync(partitions: 16);

        await Task.WhenAll(Enumerable.Range(0, 160).Select(async i =>
        {
            await log.DoAsync(Tallies.Count($"t{i}", "1", key: $"k{i}"));
            await log.DoAsync(Tallies.Count($"t{i}", "2"));
        }));

        var layout = await log.Events.LayoutAsync(CancellationToken.None);
        var subjects = 0;
        for (var partition = 0; partition < 16; partition++)
        {
            var entries = await log.EntriesAsync(partition);
            Assert.Equal(Enumerable.Range(0, entries.Count).Select(i => (long)i), entries.Select(entry => entry.Offset));
            Assert.All(entries, entry => Assert.Equal(partition, layout.PartitionOf(entry.Subject)));
            subjects += entries.Select(entry => entry.Subject).Distinct().Count();
        }

        Assert.Equal(160, subjects);
    }

    [Fact]
    public async Task Does_all_64_commands_that_come_on_one_entity_at_once()
    {
        await using var logs = await StartAsync(partitions: 1, processes: 2);

        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(() => logs[i].DoAsync(Tallies.Count("hot", $"{i}")))));

        Assert.Equal(Enumerable.Range(1, 64), answers.Select(answer => (int)answer.Version).Order());
        Assert.Equal(64, (await logs[0].StepsAsync()).Distinct().Count());
    }

    [Fact]
    public async Task Decides_again_on_fresh_state_after_a_lost_race_and_lets_only_one_win()
    {
        await using var logs = await StartAsync(partitions: 1, processes: 2);
        await logs[0].DoAsync(Tallies.Count("a", "first"));

        var results = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(() => logs[i].RunAsync(Tallies.Count("a", $"{i}", max: 2)))));

        Assert.Single(results.OfType<Done>());
        Assert.All(results.OfType<CommandResult<Tally>.Refused>(), refused => Assert.Equal("full", refused.Refusal.Code));
        Assert.Equal(2, (await logs[0].StepsAsync()).Count);
    }

    [Fact]
    public async Task Writes_nothing_of_a_change_whose_entity_is_not_what_was_decided_on()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var stale = await log.Events.ReadEntityAsync(0, "tally", "a", CancellationToken.None);
        await log.DoAsync(Tallies.Count("a", "a2"));
        var key = new Idempotency("scope", "k", "same");

        foreach (var expected in new[] { stale, null })
        {
            var change = new Change("tally", "a", expected, "{}"u8.ToArray(), [new NewEvent("Never", "text/plain", default)], key, null, null);
            Assert.Equal(CommitResult.EntityChanged, await log.Events.CommitAsync(0, change, CancellationToken.None));
        }

        Assert.Equal(["a1", "a2"], await log.StepsAsync());
        Assert.Null(await log.Events.ReadReceiptAsync(0, key, CancellationToken.None));
        Assert.Equal(2, (await log.Events.ReadEntityAsync(0, "tally", "a", CancellationToken.None))!.Version);
    }

    [Fact]
    public async Task Writes_nothing_for_a_decision_without_events()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1"));

        var known = await log.DoAsync(Events("a"));
        var unknown = await log.DoAsync(Events("b"));

        Assert.Equal((1L, 1, 0L), (known.Version, known.State.Count, unknown.Version));
        Assert.Equal(["a1"], await log.StepsAsync());
        Assert.Null(await log.Events.ReadEntityAsync(0, "tally", "b", CancellationToken.None));
    }

    [Fact]
    public async Task Refuses_on_facts_and_not_on_a_guess()
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1"));

        Assert.IsType<CommandResult<Tally>.Refused>(await log.RunAsync(Tallies.Count("a", "a2", max: 1) with { LikelyNew = true }));
        Assert.Equal(2, (await log.DoAsync(Tallies.Count("a", "a2") with { LikelyNew = true })).Version);
    }

    [Theory]
    [InlineData(new long[] { 1 }, null, "an older version")]
    [InlineData(new long[] { 3, 4 }, null, "only versions that are yet to come")]
    [InlineData(new long[] { }, null, "nothing that is a version")]
    [InlineData(new long[] { 2 }, 3L, "the current version")]
    [InlineData(new long[] { 1, 2 }, 3L, "the current version among others")]
    [InlineData(null, 3L, "any version")]
    public async Task Does_a_command_only_where_its_If_Match_has_the_version(long[]? accepted, long? version, string why)
    {
        await using var log = await StartAsync();
        await log.DoAsync(Tallies.Count("a", "a1"));
        await log.DoAsync(Tallies.Count("a", "a2"));

        var result = await log.RunAsync(Tallies.Count("a", "a3") with { IfMatch = new VersionCondition(accepted) });

        if (version is null) Assert.Equal((2, why), (Assert.IsType<CommandResult<Tally>.Stale>(result).CurrentVersion, why));
        else Assert.Equal((version, why), (Assert.IsType<Done>(result).Version, why));
        Assert.Equal(version is null ? 2 : 3, (await log.StepsAsync()).Count);
    }

    [Theory]
    [InlineData(new long[] { 1 }, false)]
    [InlineData(null, false)]
    [InlineData(null, true)]
    public async Task Has_no_version_of_what_does_not_exist(long[]? accepted, bool likelyNew)
    {
        await using var log = await StartAsync();

        var result = await log.RunAsync(Tallies.Count("a", "a1") with { IfMatch = new VersionCondition(accepted), LikelyNew = likelyNew });

        Assert.Null(Assert.IsType<CommandResult<Tally>.Stale>(result).CurrentVersion);
        Assert.Empty(await log.EntriesAsync());
    }
}
