using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit.Abstractions;

namespace Outpost.Tests.EndToEnd;

/// <summary>
/// Good, spoilt and nonsensical requests to every route: each is answered in time, no answer is a fault of ours, and
/// afterwards the log is sound and the app as small as before. OUTPOST_FUZZ_REQUESTS and OUTPOST_FUZZ_SEED make it
/// longer and another one (100000 takes some minutes).
/// </summary>
public sealed class Fuzzing(ITestOutputHelper output)
{
    private const int Connections = 8;
    private const int MegabytesMoreMax = 120;
    private static readonly TimeSpan AnsweredWithin = TimeSpan.FromSeconds(30);
    private static readonly int Requests = Setting("OUTPOST_FUZZ_REQUESTS", 5_000);
    private static readonly int Seed = Setting("OUTPOST_FUZZ_SEED", 20261122);

    private readonly ConcurrentDictionary<int, int> _statuses = new();
    private readonly ConcurrentQueue<string> _problems = new();
    private readonly ConcurrentDictionary<string, int> _placed = new();
    private JsonNode _document = null!;

    [Fact]
    public async Task Whatever_is_asked_is_answered_and_breaks_nothing()
    {
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync(FuzzedRequest.Partitions);
        _document = JsonNode.Parse(await app.Http.GetStringAsync("/api/openapi.json"))!;

        // What is compiled and filled once is there before it counts.
        var start = Stopwatch.GetTimestamp();
        await SendAsync(app, Requests / 3, Seed);
        var before = ProcessMemory.ResidentMegabytes(app.WorkerId());
        await SendAsync(app, Requests - (Requests / 3), Seed + Connections);

        var counts = string.Join(", ", _statuses.OrderBy(one => one.Key).Select(one => $"{one.Key}: {one.Value}"));
        Assert.True(_problems.IsEmpty, $"{_problems.Count} of {Requests} answers ({counts}):\n{string.Join('\n', _problems.Take(20))}\n{app.Process.Output}");
        // Or nothing was tried.
        foreach (var status in new[] { 200, 201, 202, 304, 400, 404, 409, 415 }) Assert.True(_statuses.ContainsKey(status), $"No {status} in {counts}");
        await CheckLogAsync(app);
        var after = ProcessMemory.ResidentMegabytes(app.WorkerId());
        Assert.InRange(after - before, -1000, MegabytesMoreMax);
        Assert.DoesNotContain("fail: Outpost.AspNetCore", app.Process.Output, StringComparison.Ordinal);
        output.WriteLine($"Seed {Seed}, {Requests} requests in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s: {counts}; resident {before} MB after a third, {after} MB in the end.");
    }

    private async Task SendAsync(RunningApp app, int count, int seed) =>
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(number => Task.Run(async () =>
        {
            var random = new Random(seed + number);
            using var connection = new RawConnection(app.Http.BaseAddress!, AnsweredWithin);
            for (var i = 0; i < count / Connections; i++)
            {
                var request = FuzzedRequest.Next(random, _document, app.Http.BaseAddress!.Authority);
                if (await connection.SendAsync(request) is { } answer) Check(request, answer);
                else if (request.IsWhole) Complain(request, "was not answered");
            }
        })));

    private void Check(FuzzedRequest request, RawAnswer answer)
    {
        _statuses.AddOrUpdate(answer.Status, 1, (_, count) => count + 1);
        if (answer.Status == 201) _placed.AddOrUpdate(JsonNode.Parse(answer.Body)!["orderId"]!.ToString(), 1, (_, count) => count + 1);
        if (answer["X-Injected"] is not null) Complain(request, "put a header into the answer");
        // Overload says when to come again; any other 5xx is a fault.
        if (answer.Status >= 500 && !IsServers(answer) && (answer.Status != 503 || answer["Retry-After"] is null)) Complain(request, $"got {answer.Status}");
        if (request.IsRouted)
        {
            var documented = _document["paths"]![request.Path]![request.Method.ToLowerInvariant()]!["responses"]!.AsObject();
            if (!documented.ContainsKey(answer.Status.ToString(CultureInfo.InvariantCulture)) && !IsServers(answer)) Complain(request, $"got {answer.Status}, which is not documented");
        }

        if (answer.Status >= 400 && request.Method != "HEAD" && !IsServers(answer) && !IsProblem(answer))
            Complain(request, $"got {answer.Status} with {answer["Content-Type"]} {Encoding.UTF8.GetString(answer.Body)}");
    }

    // Refused before our code ran: without a body, as the Functions host does it.
    private static bool IsServers(RawAnswer answer) => answer.Status is 400 or 403 or 404 or 408 or 411 or 413 or 414 or 421 or 431 or 505 && answer.Body.Length == 0 && answer["Content-Type"] is null;

    private static bool IsProblem(RawAnswer answer) =>
        answer["Content-Type"] == "application/problem+json" && JsonNode.Parse(answer.Body)!["status"]!.GetValue<int>() == answer.Status;

    private void Complain(FuzzedRequest request, string what) =>
        _problems.Enqueue($"{Encoding.UTF8.GetString(request.Bytes.AsSpan(0, Math.Min(request.Bytes.Length, 600)))}\n-- {what}");

    // Dense; every order that was promised is there once, and went through its states in order.
    private async Task CheckLogAsync(RunningApp app)
    {
        var placed = new HashSet<string>();
        for (var partition = 0; partition < FuzzedRequest.Partitions; partition++)
        {
            var feed = await app.FeedAsync(partition);
            Assert.Equal(Enumerable.Range(0, feed.Count), feed.Select(entry => entry.GetProperty("offset").GetInt32()));
            foreach (var order in feed.GroupBy(entry => entry.GetProperty("subject").GetString()!))
            {
                Assert.True(placed.Add(order.Key["order/".Length..]), $"{order.Key} is in two partitions.");
                Assert.Equal(Enumerable.Range(1, order.Count()), order.Select(entry => entry.GetProperty("version").GetInt32()));
                Assert.Matches("^OrderPlaced( OrderPaid)?( OrderShipped| OrderCancelled)?$", string.Join(' ', order.Select(Type)));
                Assert.False(order.Any(entry => Type(entry) == "OrderShipped") && order.All(entry => Type(entry) != "OrderPaid"), order.Key);
            }
        }

        Assert.Equal([], _placed.Keys.Except(placed));
    }

    private static string Type(JsonElement entry) => entry.GetProperty("type").GetString()!;

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
