using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Outpost.Forwarding;
using Outpost.Tables;
using Outpost.Tables.Copies;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

/// <summary>Two writers, hot entities, a forwarder that parks, and a backup in the middle of it, on Azurite.</summary>
public sealed class A_log_that_is_copied_while_it_is_in_use
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Is_the_same_up_to_the_offset_that_the_backup_says_and_sound()
    {
        await using var log = await TestLog.CreateAsync(partitions: 2);
        await using var other = await log.AnotherProcessAsync();
        using var stop = new CancellationTokenSource();
        for (var i = 0; i < 300; i++) await log.PlaceAsync($"before-{i}", key: $"k-before-{i}");
        var load = Task.WhenAll(WriteAsync(log, "a", stop.Token), WriteAsync(other, "b", stop.Token), ForwardAsync(other, stop.Token));
        await using var file = new MemoryStream();

        var end = await new LogBackup(log.Table, TestLog.Sources).WriteAsync(file, None);
        var during = await HeadsAsync(log);
        var live = await new LogVerification(log.Table, TestLog.Sources).RunAsync(None);
        await stop.CancelAsync();
        await load;
        Assert.All(end.Partitions, one => Assert.InRange(one.Head, 1, during[one.Partition]));
        Assert.True(during.Sum() > end.Partitions.Sum(one => one.Head) || during.Sum() > 300, "nothing was written meanwhile");
        Assert.Equal([], live.Findings.Told.Select(found => $"{found.Kind} {found.RowKey}: {found.What}"));

        var (table, restored) = await RestoreAsync(file);
        var verified = await new LogVerification(table, TestLog.Sources).RunAsync(None);
        Assert.Equal([], verified.Findings.Told.Select(found => $"{found.Kind} {found.RowKey}: {found.What}"));
        Assert.NotEqual((await log.Store.LayoutAsync(None)).Log, restored);
        await using var again = TestLog.Open(await Azurite.ConnectionStringAsync(), table.Name, partitions: 2);
        foreach (var one in end.Partitions)
        {
            var (before, after) = ((await log.ReadAllAsync(one.Partition)).Take((int)one.Head).ToList(), await again.ReadAllAsync(one.Partition));
            Assert.Equal(one.Head, after.Count);
            Assert.Equal(before.Select(Text), after.Select(Text));
        }

        // It is a log like any other: repeats get their answers, commands go on, and what was not passed is forwarded.
        Assert.IsType<CommandResult<Orders.Order>.Done>(await again.PlaceAsync("before-1", key: "k-before-1"));
        Assert.IsType<CommandResult<Orders.Order>.Done>(await again.PlaceAsync("after", key: "k-after"));
        var target = new RecordingTarget();
        await using var engine = again.Forwarder(target);
        await engine.RunAsync(None);
        foreach (var partition in new[] { 0, 1 })
            Assert.Equal((await again.Store.ReadPartitionAsync(partition, None)).Head, (await again.Store.ReadPartitionAsync(partition, None)).CheckpointOf("servicebus")!.NextOffset);
    }

    [Fact]
    public async Task Is_restored_into_an_empty_table_only()
    {
        await using var log = await TestLog.CreateAsync();
        await log.PlaceAsync("o-1");
        await using var file = new MemoryStream();
        var end = await new LogBackup(log.Table, TestLog.Sources).WriteAsync(file, None);
        file.Position = 0;

        var refusal = await Assert.ThrowsAsync<BackupException>(() => new LogRestore(log.Table, TestLog.Sources).WriteAsync(file, end, None));

        Assert.Contains("is not empty", refusal.Message);
        Assert.Single(await log.ReadAllAsync());
    }

    [Fact]
    public async Task Is_no_log_for_any_app_while_it_is_being_restored()
    {
        await using var log = await TestLog.CreateAsync();
        for (var i = 0; i < 250; i++) await log.PlaceAsync($"o-{i}");
        await using var file = new MemoryStream();
        var end = await new LogBackup(log.Table, TestLog.Sources).WriteAsync(file, None);
        file.Position = 0;
        var table = new TableClient(await Azurite.ConnectionStringAsync(), Azurite.NewTableName());
        using var stop = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new LogRestore(table, TestLog.Sources, told =>
        {
            if (told.Done == 200) stop.Cancel();
        }).WriteAsync(file, end, stop.Token));

        await using var app = TestLog.Open(await Azurite.ConnectionStringAsync(), table.Name);
        await Assert.ThrowsAsync<LayoutMismatchException>(async () => await app.Store.LayoutAsync(None));
        var found = await new LogVerification(table, TestLog.Sources).RunAsync(None);
        Assert.Contains("cut short", Assert.Single(found.Findings.Told).What);
    }

    [Fact]
    public async Task May_begin_to_grow_while_it_is_verified()
    {
        await using var log = await TestLog.CreateAsync();
        await log.PlaceAsync("o-1");
        var options = new TableClientOptions();
        options.AddPolicy(new Once("PartitionKey lt", () => new LogGrowth(log.Table, log.Clock, TestLog.Sources).GrowAsync(3, null, None)), HttpPipelinePosition.PerCall);
        var table = new TableClient(await Azurite.ConnectionStringAsync(), log.Table.Name, options);

        var verified = await new LogVerification(table, TestLog.Sources).RunAsync(None);

        Assert.Empty(verified.Findings.Told);
        Assert.Equal(3L, (await log.Table.GetEntityAsync<TableEntity>(Keys.LayoutPartition, Keys.Layout)).Value["Partitions"]);
    }

    [Theory]
    [InlineData("ge 'd|")]
    [InlineData("ge 'e|0000000000000000003'")]
    [InlineData("ge 'r|")]
    [InlineData("lt 'd'")]
    [InlineData("ge 'p|")]
    public async Task Is_sound_where_retention_deletes_before_the_copy_comes_to_some_rows(string keys)
    {
        await using var log = await TestLog.CreateAsync();
        for (var i = 0; i < 20; i++) await log.PlaceAsync($"o-{i}", key: $"k-{i}");
        await DeleteAsync(log, 3);
        var options = new TableClientOptions();
        options.AddPolicy(new Once($"RowKey {keys}", () => DeleteAsync(log, 8)), HttpPipelinePosition.PerCall);
        var copied = new TableClient(await Azurite.ConnectionStringAsync(), log.Table.Name, options);
        await using var file = new MemoryStream();

        await new LogBackup(copied, TestLog.Sources).WriteAsync(file, None);

        var (table, _) = await RestoreAsync(file);
        var verified = await new LogVerification(table, TestLog.Sources).RunAsync(None);
        Assert.Equal([], verified.Findings.Told.Select(found => $"{found.Kind} {found.RowKey}: {found.What}"));
        Assert.Equal(8, (await log.Store.ReadPartitionAsync(0, None)).Oldest);
    }

    // What retention does: first the receipts, then the oldest offset, then the entries.
    private static async Task DeleteAsync(TestLog log, long below)
    {
        var retention = new TableRetentionStore(log.Table, TestLog.Sources);
        var before = await log.Store.ReadPartitionAsync(0, None);
        var count = (int)(below - before.Oldest);
        var entries = await retention.ReadTracesAsync(0, before.Oldest, count, None);
        var trimmed = await retention.DeleteReceiptsAsync(0, before.Oldest, before.Trimmed with { Receipts = below }, entries, None);
        var moved = await retention.SaveOldestAsync(0, below, trimmed!, None);
        await retention.DeleteEventsAsync(0, before.Oldest, count, None);
        Assert.NotNull(await retention.SaveOldestAsync(0, below, moved! with { Rows = below }, None));
    }

    private static string Text(EventEntry entry) =>
        $"{entry.Offset} {entry.Type} {entry.Subject} {entry.Version} {entry.Timestamp:O} {Convert.ToBase64String(entry.Payload.Span)}";

    private static async Task<long[]> HeadsAsync(TestLog log) =>
        [.. (await Task.WhenAll(Enumerable.Range(0, log.Partitions).Select(partition => log.Store.ReadPartitionAsync(partition, None)))).Select(state => state.Head)];

    private static async Task<(TableClient Table, string Log)> RestoreAsync(MemoryStream file)
    {
        file.Position = 0;
        var (_, end) = await BackupReader.CheckAsync(file, None);
        file.Position = 0;
        var table = new TableClient(await Azurite.ConnectionStringAsync(), Azurite.NewTableName());
        return (table, await new LogRestore(table, TestLog.Sources).WriteAsync(file, end, None));
    }

    // New orders, and few that change all the time.
    private static async Task WriteAsync(TestLog log, string name, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            await Task.WhenAll(
                log.PlaceAsync($"{name}-{i}", $"k-{name}-{i}", CancellationToken.None),
                log.Log.ExecuteAsync(Tallies.Count($"hot-{i % 3}", $"{name}-{i}", key: $"k-{name}-{i}"), CancellationToken.None));
        }
    }

    // Some are refused for good, so that there is something parked.
    private static async Task ForwardAsync(TestLog log, CancellationToken stop)
    {
        var target = new RecordingTarget { Refuses = entry => entry.Offset % 40 == 7 };
        await using var engine = log.Engine([new Forwarder("servicebus", target) { RefusalsInARow = 0 }]);
        while (!stop.IsCancellationRequested) await engine.RunAsync(None);
    }

    /// <summary>Something happens before the first request whose address has a word.</summary>
    private sealed class Once(string word, Func<Task> happens) : HttpPipelinePolicy
    {
        private int _done;

        public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            if (Uri.UnescapeDataString(message.Request.Uri.Query).Contains(word, StringComparison.Ordinal) && Interlocked.Exchange(ref _done, 1) == 0) await happens();
            await ProcessNextAsync(message, pipeline);
        }

        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();
    }
}
