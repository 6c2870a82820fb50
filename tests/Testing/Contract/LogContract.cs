namespace Outpost.Tests.Testing.Contract;

/// <summary>
/// What the log promises, whatever stores it. A store joins with a class that says how to start it: see
/// <see cref="StartAsync(int, int)"/>.
/// </summary>
public abstract partial class LogContract
{
    [Fact]
    public async Task Has_one_layout_for_all_who_open_it_at_once()
    {
        await using var logs = await StartAsync(partitions: 3, processes: 5);

        var layouts = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => logs[i].Events.LayoutAsync(CancellationToken.None).AsTask())));

        var layout = Assert.Single(layouts.Distinct());
        Assert.Matches("^[a-z0-9]{8}$", layout.Log);
        Assert.Equal(3, layout.Partitions);
    }

    [Fact]
    public async Task Keeps_what_was_committed_byte_for_byte()
    {
        await using var log = await StartAsync(partitions: 3);
        byte[] payload = [0xFF, 1, 2];
        await log.DoAsync(Tallies.Count("a", "a1"));
        await log.DoAsync(Tallies.Count("a", "a2") with
        {
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            CorrelationId = "corr",
            Decide = tally => new Decision<Tally>.Accepted(tally!, [new NewEvent("Measured", "application/octet-stream", payload)]),
        });
        payload[0] = 0;
        var layout = await log.Events.LayoutAsync(CancellationToken.None);
        var partition = layout.PartitionOf("tally/a");

        var entry = (await log.Events.ReadEventsAsync(partition, 1, 1, CancellationToken.None)).Single();

        Assert.Equal(new EventId(layout.Log, partition, 1), entry.Id);
        Assert.Equal(("Measured", "application/octet-stream", "tally/a", 2L), (entry.Type, entry.ContentType, entry.Subject, entry.Version));
        Assert.Equal(("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "corr"), (entry.TraceParent, entry.CorrelationId));
        Assert.Equal([0xFF, 1, 2], entry.Payload.ToArray());
        Assert.Equal(entry.Timestamp, await log.Events.ReadTimestampAsync(partition, 1, CancellationToken.None));
        Assert.Null(await log.Events.ReadTimestampAsync(partition, 2, CancellationToken.None));
        Assert.Equal(TimeSpan.Zero, entry.Timestamp.Offset);
        Assert.InRange(log.Events.Now - entry.Timestamp, TimeSpan.FromSeconds(-5), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Keeps_payloads_of_every_kind_and_size()
    {
        await using var log = await StartAsync();
        var payloads = new (string Type, byte[] Bytes)[]
        {
            ("application/json", "null"u8.ToArray()),
            ("application/json", System.Text.Encoding.UTF8.GetBytes($"\"{new string('é', 40_000)}\"")),
            ("text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(new string('\u2028', 32 * 1024))),
            ("text/plain", [0xFF, 0xFE, 0x00]),
            ("application/octet-stream", []),
            ("application/octet-stream", [.. Enumerable.Range(0, Limits.PayloadBytesMax).Select(i => (byte)(i * 31))]),
        };

        await log.DoAsync(Events("a", [.. payloads.Select((payload, i) => new NewEvent($"E{i}", payload.Type, payload.Bytes))]));

        var entries = await log.EntriesAsync();
        Assert.Equal(payloads.Length, entries.Count);
        Assert.All(entries.Zip(payloads), pair => Assert.True(pair.First.Payload.Span.SequenceEqual(pair.Second.Bytes)));
    }

    [Theory]
    [InlineData("bjørn/√2?#\\|=%25")]
    [InlineData("日本語 🚀")]
    [InlineData("'quoted' \"twice\"")]
    public async Task Finds_an_entity_with_an_id_of_any_characters_again(string id)
    {
        await using var log = await StartAsync();

        await log.DoAsync(Tallies.Count(id, "1", key: "k"));

        Assert.Equal(2, (await log.DoAsync(Tallies.Count(id, "2"))).Version);
        Assert.Equal([$"tally/{id}", $"tally/{id}"], (await log.EntriesAsync()).Select(entry => entry.Subject));
    }

    [Fact]
    public async Task Refuses_what_does_not_fit_in_one_transaction_and_keeps_nothing_of_it()
    {
        await using var log = await StartAsync();
        NewEvent Event(int bytes) => new("Large", "application/octet-stream", new byte[bytes]);

        CommandResult<Tally>[] refused =
        [
            await log.RunAsync(Events("a", Event(Limits.PayloadBytesMax + 1))),
            await log.RunAsync(Events("a", Event(900_000), Event(900_000), Event(900_000))),
            await log.RunAsync(Events("a", [.. Enumerable.Range(0, Limits.EventsPerCommandMax + 1).Select(_ => Event(1))])),
            await log.RunAsync(Events("a", Event(1)) with { CorrelationId = new string('x', 40_000) }),
            await log.RunAsync(Tallies.Count("a", "a1") with { Decide = _ => new Decision<Tally>.Accepted(new Tally(1, [new string('x', 1_000_000)]), [Event(1)]) }),
            await log.RunAsync(Tallies.Count(new string('x', 401), "x")),
            await log.RunAsync(Tallies.Count(new string('x', 401), "x") with { LikelyNew = true }),
            await log.RunAsync(Tallies.Count(new string('ü', 100), "x") with { LikelyNew = true }),
        ];

        Assert.All(refused, result => Assert.IsType<CommandResult<Tally>.TooLarge>(result));
        Assert.Equal((0L, null), ((await log.StateAsync()).Head, await log.Events.ReadEntityAsync(0, "tally", "a", CancellationToken.None)));
        Assert.IsType<CommandResult<Tally>.Done>(await log.RunAsync(Events("a", Event(900_000), Event(900_000))));
        Assert.IsType<CommandResult<Tally>.Done>(await log.RunAsync(Tallies.Count(new string('x', 395), "x", events: Limits.EventsPerCommandMax)));
    }

    [Fact]
    public async Task Refuses_an_id_that_is_no_text()
    {
        await using var log = await StartAsync();

        await Assert.ThrowsAnyAsync<ArgumentException>(() => log.Events.ReadEntityAsync(0, "tally", "\uD800", CancellationToken.None));
    }

    /// <summary>One process on a new log.</summary>
    private protected async Task<LogUnderTest> StartAsync(int partitions = 1) => (await StartAsync(partitions, processes: 1))[0];

    /// <summary>Several processes on one new log.</summary>
    private protected abstract Task<ProcessesUnderTest> StartAsync(int partitions, int processes);

    private static Command<Tally> Events(string id, params NewEvent[] events) => Tallies.Count(id, "") with
    {
        Decide = tally => new Decision<Tally>.Accepted(tally ?? new Tally(0, []), events),
    };
}
