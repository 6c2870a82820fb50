using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

/// <summary>However a reader cuts the log into pages, it reads the same list (N1, N5).</summary>
public sealed class Pages_by_any_limits
{
    private const int Small = 400;
    private const int Large = 12;
    private const int Readers = 300;

    [Fact]
    public async Task Are_together_the_same_list_and_the_last_one_alone_is_empty()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Recording(Small / 8, 10));
        // Five of these fill a page, so that pages end at their bound in bytes as well, at any limit.
        for (var i = 0; i < Large; i++) await log.DoAsync(Recording(1, 900_000));
        for (var i = 1; i < 8; i++) await log.DoAsync(Recording(Small / 8, 10));
        var all = (await log.EntriesAsync()).Select(entry => entry.Id.ToString()).ToList();
        using var api = new EventApi(log.Store, log.Watch, new EventApiOptions(TimeSpan.FromDays(1)));

        for (var seed = 0; seed < Readers; seed++)
        {
            var (ids, cutShort) = await ReadAsync(api, new Random(seed));
            Assert.True(all.SequenceEqual(ids), $"Seed {seed} read another list.");
            Assert.True(cutShort || seed > 0, "No page ended at its bound in bytes.");
        }
    }

    // Once it reads with the largest limit, then with random ones.
    private static async Task<(List<string> Ids, bool CutShort)> ReadAsync(EventApi api, Random random)
    {
        var (ids, next, cutShort) = (new List<string>(), 0L, false);
        while (true)
        {
            var limit = ids.Count == 0 ? Limits.PageEntriesMax : random.Next(3) == 0 ? random.Next(1, 10) : random.Next(1, Limits.PageEntriesMax + 1);
            var page = await AnswerAsync(Request($"/api/events?offset={next}&limit={limit}"), ask => api.ReadAsync(ask, CancellationToken.None));
            var entries = page.Json.EnumerateArray().ToList();
            if (entries.Count == 0) return (ids, cutShort);
            ids.AddRange(entries.Select(entry => entry.GetProperty("id").GetString()!));
            // Fewer than asked for is no end: the link says whether there is more.
            Assert.Equal(ids.Count < Small / 8 * 8 + Large, page["Link"] is not null);
            cutShort |= entries.Count < limit && page["Link"] is not null;
            Assert.Equal(next + entries.Count, page.Next);
            next = page.Next;
        }
    }

    private static Command<Tally> Recording(int events, int bytes) => Tallies.Count("a", "") with
    {
        Decide = tally => new Decision<Tally>.Accepted(
            new Tally((tally?.Count ?? 0) + 1, []), [.. Enumerable.Range(0, events).Select(_ => new NewEvent("T", "text/plain", Payload(bytes)))]),
    };

    private static byte[] Payload(int bytes)
    {
        var payload = new byte[bytes];
        Array.Fill(payload, (byte)'x');
        return payload;
    }
}
