using Microsoft.AspNetCore.Http;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class Offsets_by_time
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 8, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2026-11-22T08:00:00Z", 0)]
    [InlineData("2020-01-01T00:00:00Z", 0)]
    [InlineData("2026-11-22T08:01:00Z", 2)]
    [InlineData("2026-11-22T08:01:00.0000001Z", 4)]
    [InlineData("2026-11-22T09:02:00+01:00", 4)]
    [InlineData("2026-11-22T09:02:00 01:00", 4)] // a + that nobody escaped
    [InlineData("2026-11-22t08:09:00.999999999999z", 20)]
    [InlineData("2026-11-22T08:09:00Z", 18)]
    [InlineData("2099-01-01T00:00:00Z", 20)]
    [InlineData("2026-11-22T08:01:00-00:00", 2)]
    [InlineData("2026-11-23T07:02:00+23:00", 4)]
    [InlineData("2026-11-21T09:02:00-23:00", 4)]
    [InlineData("2026-11-22T08:00:59.9999999000000000000000000000000000000000Z", 2)]
    [InlineData("2025-12-31T23:59:60Z", 0)]
    [InlineData("2027-01-01T00:59:60.5+01:00", 20)]
    [InlineData("0000-02-29T00:00:00Z", 0)]
    [InlineData("0001-01-01T00:00:00+14:00", 0)]
    [InlineData("9999-12-31T23:59:59-14:00", 20)]
    public async Task Are_those_of_the_first_entry_at_or_after_it(string time, long offset)
    {
        await using var log = new SimulatedLog();
        for (var minute = 0; minute < 10; minute++)
        {
            await log.DoAsync(Tallies.Count("a", $"s{minute}", events: 2));
            log.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal((200, $$"""{"offset":{{offset}}}""", "no-store"), await AskAsync(log, time));
    }

    [Fact]
    public async Task Are_zero_in_an_empty_partition()
    {
        await using var log = new SimulatedLog();

        Assert.Equal((200, """{"offset":0}""", "no-store"), await AskAsync(log, "2026-11-22T08:00:00Z"));
    }

    [Fact]
    public async Task Are_found_in_few_reads()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 20; i++)
        {
            await log.DoAsync(Tallies.Count($"t{i}", "s", events: 50));
            log.Time.Advance(TimeSpan.FromSeconds(1));
        }

        log.Table.ForgetRequests();
        Assert.Equal(500, await OffsetSearch.FindAsync(
            await log.Store.ReadPartitionAsync(0, CancellationToken.None), Start.AddSeconds(10), at => log.Store.ReadTimestampAsync(0, at, CancellationToken.None)));
        Assert.InRange(log.Table.Sent(TableOperation.Get), 1, 10);
    }

    [Fact]
    public async Task Are_not_led_astray_by_entries_deleted_meanwhile()
    {
        var state = new PartitionState(0, Oldest: 0, Head: 100, Start.AddSeconds(99), new Dictionary<string, Outpost.Forwarding.Checkpoint>());

        var offset = await OffsetSearch.FindAsync(state, Start.AddSeconds(10), at => Task.FromResult(at < 40 ? null : (DateTimeOffset?)Start.AddSeconds(at)));

        Assert.Equal(40, offset);
    }

    [Theory]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("2026-11-22")]
    [InlineData("2026-11-22T08:00:00")]
    [InlineData("2026-13-22T08:00:00Z")]
    [InlineData("2026-11-22T08:00:00.Z")]
    [InlineData("2026-11-22T08:00:00Z\n")]
    [InlineData("2026-11-22T08:00:00Z\0")]
    [InlineData("2026-11-22T08:00:00+1:00")]
    [InlineData("2026-11-22T08:00:00+99:00")]
    [InlineData("0000-00-00T00:00:00Z")]
    [InlineData("2026-02-29T00:00:00Z")]
    [InlineData("2026-11-22T24:00:00Z")]
    [InlineData("2026-11-22T08:00:60Z")]
    [InlineData("2026-11-22T08:00:61Z")]
    [InlineData("2026-11-22T08:00:00+24:00")]
    [InlineData("2026-11-22T08:00:00+01:60")]
    public async Task Are_refused_for_what_is_no_time(string time)
    {
        await using var log = new SimulatedLog();
        var request = Request($"/api/partitions/0/offset-at?time={Uri.EscapeDataString(time)}");

        var answer = await AnswerAsync(request, ask => new PartitionApi(log.Store).OffsetAtAsync(ask, "0", CancellationToken.None));

        Assert.Equal((400, "invalid-request"), (answer.Status, answer.ProblemName));
        Assert.StartsWith("time: ", answer.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", "?time=2026-11-22T08:00:00Z", 404)]
    [InlineData("x", "?time=2026-11-22T08:00:00Z", 404)]
    [InlineData("0\0", "?time=2026-11-22T08:00:00Z", 404)]
    [InlineData("0", "", 400)]
    [InlineData("0", "?time=2026-11-22T08:00:00Z&zone=utc", 400)]
    public async Task Are_only_of_partitions_there_are_and_for_one_time(string partition, string query, int status)
    {
        await using var log = new SimulatedLog();

        var answer = await AnswerAsync(
            Request($"/api/partitions/{partition}/offset-at{query}"), ask => new PartitionApi(log.Store).OffsetAtAsync(ask, partition, CancellationToken.None));

        Assert.Equal(status, answer.Status);
    }

    private static async Task<(int Status, string Text, string? CacheControl)> AskAsync(SimulatedLog log, string time)
    {
        var answer = await AnswerAsync(
            Request($"/api/partitions/0/offset-at?time={time.Replace(" ", "%20", StringComparison.Ordinal)}"),
            (HttpRequest ask) => new PartitionApi(log.Store).OffsetAtAsync(ask, "0", CancellationToken.None));
        return (answer.Status, answer.Text, answer["Cache-Control"]);
    }
}
