using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Outpost.AspNetCore;
using Outpost.Orders;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

/// <summary>
/// Sixteen writers and eight readers on two processes and one partition: every reader gets the same dense list however
/// it asks, and a final page has the same bytes for all. OUTPOST_READ_SECONDS makes it longer.
/// </summary>
public sealed class Readers_of_a_busy_log
{
    private const int Writers = 16;
    private const int Readers = 8;
    private static readonly int[] Limits = [1, 7, 100, 100, 250, 1000];
    private static readonly string?[] Filters = [null, null, null, "OrderPlaced", "OrderPaid,OrderCancelled", "NoSuchType"];
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(
        int.Parse(Environment.GetEnvironmentVariable("OUTPOST_READ_SECONDS") ?? "8", CultureInfo.InvariantCulture));

    private readonly ConcurrentDictionary<string, string> _final = new();

    [Fact]
    public async Task All_get_the_same_dense_list_and_the_same_final_pages()
    {
        await using var one = await TestLog.CreateAsync();
        await using var two = await one.AnotherProcessAsync();
        using var apiOne = Api(one);
        using var apiTwo = Api(two);
        using var end = new CancellationTokenSource();
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => WriteAsync(writer % 2 == 0 ? one : two, writer)));
        var reading = Enumerable.Range(0, Readers).Select(reader => ReadAsync([apiOne, apiTwo], new Random(reader), end.Token)).ToList();
        var written = (await writing).Sum();
        await end.CancelAsync();

        var lists = await Task.WhenAll(reading);

        var all = await one.ReadAllAsync();
        Assert.Equal(written, all.Count);
        Assert.Equal(Enumerable.Range(0, all.Count), all.Select(entry => (int)entry.Offset));
        var ids = all.Select(entry => entry.Id.ToString()).ToList();
        Assert.All(lists, list => Assert.Equal(Expected(all, list.Filter), list.Ids));
        Assert.Equal(ids, lists.First(list => list.Filter is null).Ids);
        Assert.True(_final.Count > 20, $"Only {_final.Count} final pages were read.");
    }

    private static IEnumerable<string> Expected(List<EventEntry> all, string? filter) =>
        all.Where(entry => filter is null || filter.Split(',').Contains(entry.Type)).Select(entry => entry.Id.ToString());

    private static async Task<int> WriteAsync(TestLog log, int writer)
    {
        var start = Stopwatch.GetTimestamp();
        var events = 0;
        for (var order = 0; Stopwatch.GetElapsedTime(start) < Duration; order++)
        {
            var id = $"o-{writer}-{order}";
            await DoAsync(() => log.PlaceAsync(id));
            await DoAsync(() => order % 2 == 0 ? log.PayAsync(id) : log.CancelAsync(id));
            events += 2;
        }

        return events;
    }

    // As a caller does who is told to come again: nothing was written.
    private static async Task DoAsync(Func<Task<CommandResult<Order>>> command)
    {
        var result = await command();
        for (var tries = 1; result is CommandResult<Order>.Busy && tries < 10; tries++) result = await command();
        Assert.True(result is CommandResult<Order>.Done, $"{result}");
    }

    // Until the writers have ended and there is no more.
    private async Task<(string? Filter, List<string> Ids)> ReadAsync(EventApi[] apis, Random random, CancellationToken end)
    {
        var filter = Filters[random.Next(Filters.Length)];
        var ids = new List<string>();
        for (var offset = 0L; ;)
        {
            var ended = end.IsCancellationRequested;
            var query = $"?offset={offset}&limit={Limits[random.Next(Limits.Length)]}{(filter is null ? "" : $"&types={filter}")}";
            var page = await AskAsync(apis[random.Next(apis.Length)], query, wait: ended ? 0 : random.Next(2));
            if (page.IsFinal) Assert.Equal(page.Body, _final.GetOrAdd(query, page.Body));
            var entries = JsonDocument.Parse(page.Body).RootElement.EnumerateArray().ToList();
            Assert.All(entries, entry => Assert.InRange(entry.GetProperty("offset").GetInt64(), offset, page.Next - 1));
            ids.AddRange(entries.Select(entry => entry.GetProperty("id").GetString()!));
            if (ended && page.Next == offset) return (filter, ids);
            offset = page.Next;
        }
    }

    private static async Task<(string Body, long Next, bool IsFinal)> AskAsync(EventApi api, string query, int wait)
    {
        var http = new DefaultHttpContext { RequestServices = new ServiceCollection().AddLogging().BuildServiceProvider() };
        using var body = new MemoryStream();
        http.Request.Method = "GET";
        http.Request.Path = "/api/events";
        http.Request.QueryString = new QueryString($"{query}&wait={wait}");
        http.Response.Body = body;
        var result = await api.ReadAsync(http.Request, CancellationToken.None);
        await result.ExecuteAsync(http);
        var text = System.Text.Encoding.UTF8.GetString(body.ToArray());
        Assert.True(http.Response.StatusCode == 200, $"{query}: {http.Response.StatusCode} {text}");
        return (text, long.Parse(http.Response.Headers["Next-Offset"]!, CultureInfo.InvariantCulture), http.Response.Headers.CacheControl.ToString().Contains("immutable", StringComparison.Ordinal));
    }

    private static EventApi Api(TestLog log) => new(log.Store, new PartitionWatch(log.Store, TestLog.Sources), new EventApiOptions(TimeSpan.FromDays(1)));
}
