using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class Pages_of_a_drain
{
    [Theory]
    [InlineData(100, 1000)]
    [InlineData(10_000, 199)]
    [InlineData(900_000, 2)]
    public void Have_about_the_same_number_of_bytes_whatever_the_size_of_entries(int bytes, int entries) =>
        Assert.Equal(entries, EntryReader.LimitFor([.. Enumerable.Range(0, 3).Select(offset => Entry(offset, bytes))]));

    // Small entries came before, so a thousand at once are asked for.
    [Fact]
    public async Task Hold_a_few_of_the_largest_entries_however_many_are_asked_for()
    {
        await using var writer = new SimulatedLog();
        for (var i = 0; i < 8; i++)
        {
            var large = NewEvent.Json(new Counted(new string('x', 900_000)), TallyJson.Default.Counted);
            await writer.DoAsync(Tallies.Count($"t{i}", "s") with { Decide = _ => new Decision<Tally>.Accepted(new Tally(1, []), [large]) });
        }

        await using var log = writer.AnotherProcess();

        var page = await log.Store.ReadEventsAsync(0, 0, Limits.PageEntriesMax, CancellationToken.None);

        Assert.Equal([0, 1, 2, 3, 4], page.Select(entry => (int)entry.Offset));
        var target = new RecordingTarget();
        await log.Engine([new Forwarder("bus", target)]).RunAsync(CancellationToken.None);
        Assert.Equal(Enumerable.Range(0, 8), target.Delivered.Select(entry => (int)entry.Offset));
    }

    private static EventEntry Entry(int offset, int bytes) =>
        new(new EventId("abcdefgh", 0, offset), "T", "text/plain", new byte[bytes], default, "t/1", 1, null, null);
}
