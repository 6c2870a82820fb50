using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Azure;
using Outpost.Forwarding;
using Outpost.Orders;
using Outpost.Tests.Testing;
using Xunit.Abstractions;
using Done = Outpost.CommandResult<Outpost.Orders.Order>.Done;

namespace Outpost.Tests.Integration.Log;

/// <summary>
/// Promises 3 and 10 where nothing between an app and its store can be trusted: two processes under load behind proxies
/// that answer anything, lose anything and are silent, one in eight requests and all of them for some seconds now and then,
/// while processes are stopped and started. OUTPOST_LIES_SECONDS makes it longer, OUTPOST_LIES_SEED plays another one.
/// </summary>
public sealed class A_store_that_is_lied_about(ITestOutputHelper output)
{
    private const int Callers = 24;
    private static readonly TimeSpan RequestMax = TimeSpan.FromSeconds(35);
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan OffMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(Number("OUTPOST_LIES_SECONDS", 25));
    private readonly ConcurrentQueue<string> _wrong = new();
    private readonly ConcurrentDictionary<string, Told> _told = new();
    private readonly ConcurrentDictionary<string, int> _answers = new();
    private readonly Measured _requests = new();
    private readonly Measured _stops = new();
    private readonly RecordingTarget _target = new(batchSize: 100);

    [Fact]
    public async Task Is_believed_only_when_it_speaks_itself_and_holds_nobody_up()
    {
        var seed = Number("OUTPOST_LIES_SEED", 1);
        var start = Stopwatch.GetTimestamp();
        using var end = new CancellationTokenSource();
        var lies = new Lies(seed, () => end.IsCancellationRequested);
        await using var first = await LyingProxy.StartAsync(lies.Next, seed);
        await using var second = await LyingProxy.StartAsync(lies.Next, seed + 1);
        var table = Azurite.NewTableName();
        await using var log = TestLog.Open(await Azurite.ConnectionStringAsync(), table);
        await log.Store.LayoutAsync(CancellationToken.None);
        var processes = new[] { new Process(first, table, _target), new Process(second, table, _target) };
        var work = new List<Task>();
        work.AddRange(Enumerable.Range(0, Callers).Select(number => Task.Run(() => CallAsync(number, processes, end.Token))));
        work.Add(Task.Run(() => RestartAsync(processes, new Random(seed), end.Token)));
        work.AddRange(processes.Select(process => Task.Run(() => ForwardAsync(process, end.Token))));

        await Task.WhenAny(Task.Delay(Length, TimeProvider.System), Task.WhenAny(work));
        await end.CancelAsync();
        // What is under way ends within the longest request, and the truth is told from now on.
        await Task.WhenAll(work).WaitAsync(RequestMax + StopMax, TimeProvider.System, CancellationToken.None);
        foreach (var process in processes) await StopAsync(process.Take());
        await ForwardTheRestAsync(log);

        await JudgeAsync(log);
        output.WriteLine($"seed {seed}, {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s, {first.Requests + second.Requests} requests to the store");
        foreach (var lie in Enum.GetValues<Lie>())
        {
            var count = first.Told.GetValueOrDefault(lie) + second.Told.GetValueOrDefault(lie);
            output.WriteLine($"{lie}: {count}");
            Assert.True(count > 0, $"{lie} was never told."); // how often depends on the machine
        }

        output.WriteLine($"longest request {_requests.Longest.TotalSeconds:F1} s of {_requests.Count}, longest stop {_stops.Longest.TotalSeconds:F1} s of {_stops.Count}");
        output.WriteLine(string.Join(", ", _answers.OrderBy(answer => answer.Key).Select(answer => $"{answer.Key} {answer.Value}")));
        Assert.Empty(_wrong);
        Assert.True(_told.Values.Count(told => told.Paid is not null) > 10, "Hardly a command was done.");
        Assert.InRange(_requests.Longest, TimeSpan.Zero, RequestMax);
        Assert.InRange(_stops.Longest, TimeSpan.Zero, StopMax);
        Assert.True(_stops.Count > 1, "Hardly a process was stopped.");
    }

    // As clients do: the same key until there is an answer, at whichever process; then once more, for the first answer.
    private async Task CallAsync(int number, Process[] processes, CancellationToken end)
    {
        var random = new Random(number);
        for (var i = 0; !end.IsCancellationRequested; i++)
        {
            var id = $"o-{number}-{i}";
            var told = _told[id] = new Told(DateTimeOffset.UtcNow);
            told.Placed = await UntilDoneAsync(id, "place", log => log.PlaceAsync(id, $"place-{id}"));
            if (told.Placed is null) return;
            await ReadAsync(id, 1);
            told.Paid = await UntilDoneAsync(id, "pay", log => log.PayAsync(id, $"pay-{id}"));
            if (told.Paid is null) return;
            told.Until = DateTimeOffset.UtcNow;
            await ReadAsync(id, 2);
            var again = await UntilDoneAsync(id, "place", log => log.PlaceAsync(id, $"place-{id}"));
            if (again is not null && (again.Version != 1 || !again.Replayed || again.State.State != told.Placed.State.State))
                _wrong.Enqueue($"{id}: the repeat of its first command was answered {again}");
        }

        async Task<Done?> UntilDoneAsync(string id, string verb, Func<TestLog, Task<CommandResult<Order>>> send)
        {
            while (!end.IsCancellationRequested)
            {
                var log = processes[random.Next(processes.Length)].Log;
                var what = await AskAsync(async () =>
                {
                    var result = await send(log);
                    if (result is not (Done or CommandResult<Order>.Busy or CommandResult<Order>.Unknown)) _wrong.Enqueue($"{verb} {id}: {result}");
                    return result;
                });
                if (what is Done done) return done;
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
            }

            return null;
        }

        async Task ReadAsync(string id, long version)
        {
            var log = processes[random.Next(processes.Length)].Log;
            await AskAsync(async () =>
            {
                var entity = await log.Store.ReadEntityAsync(0, "order", id, CancellationToken.None);
                if (entity is null || entity.Version < version) _wrong.Enqueue($"{id}: at version {version}, and read as {entity?.Version}");
                return entity;
            });
            if (random.Next(4) > 0) return;
            await AskAsync(() => log.Store.ReadPartitionAsync(0, CancellationToken.None));
            await AskAsync(async () =>
            {
                var page = await log.Store.ReadEventsAsync(0, 0, 50, CancellationToken.None);
                if (page.Where((entry, i) => entry.Offset != i).Any()) _wrong.Enqueue("a page with a hole");
                return page;
            });
        }
    }

    private async Task<T?> AskAsync<T>(Func<Task<T>> ask)
        where T : class?
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            var answer = await ask();
            Count(answer?.GetType().Name ?? "nothing");
            return answer;
        }
        catch (StoreUnavailableException e)
        {
            Count(e.GetType().Name);
            return null;
        }
        catch (Exception e)
        {
            _wrong.Enqueue(e.ToString());
            return null;
        }
        finally
        {
            _requests.Add(Stopwatch.GetElapsedTime(start));
        }
    }

    private void Count(string answer) => _answers.AddOrUpdate(answer, 1, (_, count) => count + 1);

    private async Task RestartAsync(Process[] processes, Random random, CancellationToken end)
    {
        for (var turn = 0; !end.IsCancellationRequested; turn++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500 + random.Next(4000)), TimeProvider.System, CancellationToken.None);
            await StopAsync(processes[turn % 2].Take());
        }
    }

    // As a host does: forwarding first, then the writers.
    private async Task StopAsync((TestLog Log, ForwardingEngine Engine) process)
    {
        var start = Stopwatch.GetTimestamp();
        await process.Engine.DisposeAsync();
        await process.Log.DisposeAsync();
        _stops.Add(Stopwatch.GetElapsedTime(start));
    }

    private async Task ForwardAsync(Process process, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                await process.Engine.RunAsync(CancellationToken.None);
            }
            catch (Exception e) when (e is StoreUnavailableException or ObjectDisposedException or OperationCanceledException or RequestFailedException { Status: 403 })
            {
                Count($"tick {e.GetType().Name}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None);
        }
    }

    // The last lease may have been left to end by itself.
    private async Task ForwardTheRestAsync(TestLog log)
    {
        await using var engine = log.Forwarder(_target);
        for (var i = 0; i < 60; i++)
        {
            await engine.RunAsync(CancellationToken.None);
            var state = await log.Store.ReadPartitionAsync(0, CancellationToken.None);
            if (state.Checkpoints.TryGetValue("servicebus", out var checkpoint) && checkpoint.NextOffset == state.Head) return;
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, CancellationToken.None);
        }

        _wrong.Enqueue("Not all was forwarded within half a minute after the last lie.");
    }

    private async Task JudgeAsync(TestLog log)
    {
        var entries = await log.ReadAllAsync();
        var head = (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Head;
        Assert.Equal(Enumerable.Range(0, (int)head).Select(offset => (long)offset), entries.Select(entry => entry.Offset));
        var found = entries.ToLookup(entry => entry.Subject);
        foreach (var (id, told) in _told)
        {
            var events = found[$"order/{id}"].Select(entry => (entry.Type, entry.Version)).ToList();
            (string, long)[] both = [("OrderPlaced", 1), ("OrderPaid", 2)];
            if (told.Paid is not null && !events.SequenceEqual(both)) _wrong.Enqueue($"{id} is paid, and has {string.Join(", ", events)}");
            if (told.Placed is not null && !events.Take(1).SequenceEqual(both.Take(1))) _wrong.Enqueue($"{id} is placed, and has {string.Join(", ", events)}");
            if (events.Count > 2 || !events.SequenceEqual(both.Take(events.Count))) _wrong.Enqueue($"{id} has {string.Join(", ", events)}");
            foreach (var entry in found[$"order/{id}"].Where(entry => entry.Timestamp < told.From - OffMax || entry.Timestamp > (told.Until ?? DateTimeOffset.UtcNow) + OffMax))
                _wrong.Enqueue($"{id} was asked for from {told.From:O} to {told.Until:O}, and has the time {entry.Timestamp:O}");
        }

        var delivered = _target.Delivered.GroupBy(entry => entry.Offset).Select(entry => entry.Key).Order();
        Assert.Equal(entries.Select(entry => entry.Offset), delivered);
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>What the caller of one order knows.</summary>
    private sealed class Told(DateTimeOffset from)
    {
        public DateTimeOffset From { get; } = from;

        public DateTimeOffset? Until { get; set; }

        public Done? Placed { get; set; }

        public Done? Paid { get; set; }
    }

    private sealed class Measured
    {
        private readonly Lock _lock = new();

        public int Count { get; private set; }

        public TimeSpan Longest { get; private set; }

        public void Add(TimeSpan took)
        {
            lock (_lock)
            {
                Count++;
                if (took > Longest) Longest = took;
            }
        }
    }

    /// <summary>A process that is there again as soon as it is stopped.</summary>
    private sealed class Process
    {
        private readonly LyingProxy _proxy;
        private readonly string _table;
        private readonly RecordingTarget _target;
        private (TestLog Log, ForwardingEngine Engine) _now;

        public Process(LyingProxy proxy, string table, RecordingTarget target)
        {
            (_proxy, _table, _target) = (proxy, table, target);
            _now = Start();
        }

        public TestLog Log => _now.Log;

        public ForwardingEngine Engine => _now.Engine;

        public (TestLog Log, ForwardingEngine Engine) Take()
        {
            var before = _now;
            _now = Start();
            return before;
        }

        private (TestLog Log, ForwardingEngine Engine) Start()
        {
            var log = TestLog.Open(_proxy.ConnectionString, _table);
            return (log, log.Forwarder(_target));
        }
    }

    /// <summary>One in eight requests is lied about; for two of each ten seconds, all are, in one way.</summary>
    private sealed class Lies(int seed, Func<bool> isOver)
    {
        private static readonly Lie[] Kinds = Enum.GetValues<Lie>();
        private readonly Random _random = new(seed);
        private readonly long _start = Stopwatch.GetTimestamp();

        public Lie? Next(ProxiedRequest request)
        {
            if (isOver()) return null;
            var seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
            lock (_random)
            {
                // Not times: what all say for seconds is what there is to believe.
                if (seconds % 10 > 8)
                    return Kinds[(seed + (int)(seconds / 10)) % Kinds.Length] is var all && all is Lie.WrongDate ? Lie.Silence : all;
                return _random.Next(8) == 0 ? Kinds[_random.Next(Kinds.Length)] : null;
            }
        }
    }
}
