using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Outpost.Tests.EndToEnd;

/// <summary>
/// Two hosts, each with its worker, forward one log. Of the first, now the host and now its worker is killed, again and
/// again; the worker of the second is stopped for longer than its lease, and woken. By default 20 kills and 2 stops; a long
/// run sets OUTPOST_KILLS and OUTPOST_STOPS (200 and 50).
/// </summary>
public sealed class TwoProcesses
{
    private const int Partitions = 2;
    private const int Clients = 3;
    // The second process keeps its name, and the first has a new one after each kill. Three names are two changes of hands at least.
    private const int LeastOwners = 3;
    private static readonly TimeSpan LongerThanTheLease = TimeSpan.FromSeconds(16);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private readonly Random _random = new(Count("OUTPOST_SEED", 1));
    private readonly RunningApp?[] _apps = new RunningApp?[2];
    private LocalServices _services = null!;
    private int _orders;
    private volatile bool _over;

    [Fact]
    public async Task One_killed_and_one_stopped_lose_nothing_and_keep_every_order_in_order()
    {
        await using var services = _services = await LocalServices.StartAsync();
        for (var i = 0; i < _apps.Length; i++) _apps[i] = await services.StartAppAsync(Partitions);
        await using var watch = ChildProcess.Start("node", ["tests/EndToEnd/checkpoints.mjs", "--connection", services.Tables]);
        await watch.LineAsync("Watching");

        var clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => OrderAsync()));
        await Task.WhenAll(KillAsync(0, Count("OUTPOST_KILLS", 20)), StopAsync(1, Count("OUTPOST_STOPS", 2)));
        await UntilBothHadTurnsAsync(watch);
        _over = true;
        await clients;

        var feed = new List<JsonElement>();
        for (var partition = 0; partition < Partitions; partition++) feed.AddRange(await _apps[1]!.FeedAsync(partition));
        await UntilForwardedAsync(watch, feed);
        CheckOrder(feed, await services.ReceiveAsync("orders", quietSeconds: 4), perSubject: true);
        var all = await services.ReceiveAsync("all");
        CheckOrder(feed, all, perSubject: false);
        CheckWalk(Samples(watch), all);
        // Or nothing was proved.
        Assert.InRange(Owners(watch), LeastOwners, int.MaxValue);
    }

    private async Task KillAsync(int which, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(2 * Next()));
            var app = _apps[which]!;
            if (i % 2 == 1)
            {
                // The host starts another worker; whoever asked the dead one asks again.
                await SignalAsync(app.WorkerId(), "KILL");
                continue;
            }

            _apps[which] = null;
            await app.Process.KillAsync();
            _apps[which] = await _services.StartAppAsync(Partitions);
        }
    }

    private async Task StopAsync(int which, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1 + (4 * Next())));
            var worker = _apps[which]!.WorkerId();
            await SignalAsync(worker, "STOP");
            await Task.Delay(LongerThanTheLease);
            await SignalAsync(worker, "CONT");
        }
    }

    // Who had the leases until here was chance. Now the first has the time to take over from the second, and is killed then.
    private async Task UntilBothHadTurnsAsync(ChildProcess watch)
    {
        for (var round = 0; Owners(watch) < LeastOwners && round < 6; round++)
        {
            await StopAsync(1, 1);
            await KillAsync(0, 1);
        }
    }

    private static async Task SignalAsync(int process, string signal)
    {
        var (exitCode, output) = await ChildProcess.RunAsync("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        Assert.True(exitCode == 0, output);
    }

    private async Task OrderAsync()
    {
        while (!_over)
        {
            var id = $"o-{Interlocked.Increment(ref _orders)}";
            await UntilAnsweredAsync(app => app.PlaceAsync(id, $"place-{id}"), HttpStatusCode.Created);
            await UntilAnsweredAsync(app => app.CancelAsync(id, $"cancel-{id}"), HttpStatusCode.OK);
            await Task.Delay(TimeSpan.FromSeconds(0.1 * Next()));
        }
    }

    // The same key to whichever process answers, until one does.
    private async Task UntilAnsweredAsync(Func<RunningApp, Task<HttpResponseMessage>> send, HttpStatusCode expected)
    {
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60);)
        {
            try
            {
                if (_apps[(int)(Next() * _apps.Length)] is { } app)
                {
                    using var response = await send(app).WaitAsync(Patience);
                    if (response.StatusCode == expected) return;
                    // 500: the worker died under it.
                    Assert.True(response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.InternalServerError, $"{response.StatusCode}");
                }
            }
            catch (Exception e) when (e is HttpRequestException or TimeoutException)
            {
                // It is dead or stopped.
            }

            await Task.Delay(20);
        }

        Assert.Fail("There was never an answer.");
    }

    private static async Task UntilForwardedAsync(ChildProcess watch, List<JsonElement> feed)
    {
        var heads = feed.CountBy(PartitionOf).ToDictionary();
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(40); await Task.Delay(200))
        {
            var last = Samples(watch).GroupBy(sample => sample.Partition).ToDictionary(one => one.Key, one => one.Last().Next);
            if (heads.All(head => last.GetValueOrDefault(head.Key) == head.Value)) return;
        }

        Assert.Fail("Not everything was forwarded.");
    }

    // Everything arrives once, in order; the broker saw to what was sent twice.
    private static void CheckOrder(List<JsonElement> feed, List<ReceivedEvent> received, bool perSubject)
    {
        var expected = feed.Select(e => e.GetProperty("id").GetString()!).ToHashSet();
        Assert.Equal(expected.Count, feed.Count);
        Assert.Equal(received.Count, received.DistinctBy(message => message.MessageId).Count());
        Assert.Equal([], expected.Except(received.Select(message => message.MessageId)));
        Assert.Equal(feed.Count, received.Count);
        // The sequence counts within a partition, and an id names partition and offset in fixed width.
        var groups = perSubject ? received.GroupBy(message => message.SessionId!) : received.GroupBy(message => message.MessageId.Split('-')[1]);
        Assert.All(groups, one => Assert.Equal(one.Select(m => m.MessageId).Order(StringComparer.Ordinal), one.Select(m => m.MessageId)));
    }

    // Never back, and never past what the broker had at that time.
    private static void CheckWalk(List<Sample> samples, List<ReceivedEvent> received)
    {
        foreach (var partition in samples.GroupBy(sample => sample.Partition))
        {
            foreach (var (one, next) in partition.Zip(partition.Skip(1)))
                Assert.True(next.Next >= one.Next && next.Epoch >= one.Epoch && next.Write > one.Write, $"From {one} to {next}");
            var arrivals = received.Where(message => message.MessageId.Split('-')[1] == partition.Key).Select(message => message.EnqueuedAt).ToList();
            Assert.All(partition.Where(sample => sample.Next > 0), sample => Assert.True(
                arrivals.Take((int)sample.Next).Max() <= sample.At.AddMilliseconds(1), $"{sample} is ahead of the broker."));
        }
    }

    private static int Owners(ChildProcess watch) => Samples(watch).Select(sample => sample.Owner).OfType<string>().Distinct().Count();

    private static string PartitionOf(JsonElement e) => e.GetProperty("id").GetString()!.Split('-')[1];

    private static List<Sample> Samples(ChildProcess watch) =>
    [
        .. watch.Output.Split('\n').Where(line => line.StartsWith("{\"at\"", StringComparison.Ordinal))
            .Select(line => JsonSerializer.Deserialize<Sample>(line, JsonSerializerOptions.Web)!)
            .Where(sample => sample.Forwarder == "servicebus"),
    ];

    private static int Count(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private double Next()
    {
        lock (_random) return _random.NextDouble();
    }

    private sealed record Sample(DateTimeOffset At, string Partition, string Forwarder, long Next, long Epoch, long Write, string? Owner);
}
