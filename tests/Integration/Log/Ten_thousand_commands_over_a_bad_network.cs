using System.Diagnostics;
using Azure.Data.Tables;
using Outpost.Tests.Testing;
using Xunit.Abstractions;

namespace Outpost.Tests.Integration.Log;

/// <summary>
/// Promise 3 on the wire: two processes write each log at once through proxies that cut, delay and refuse, below the
/// SDK's own repeats. Callers do what clients do: the same key until there is an answer, at whichever process.
/// </summary>
public sealed class Ten_thousand_commands_over_a_bad_network(ITestOutputHelper output)
{
    // Side by side: one log waits for a timeout while the others work.
    private const int Logs = 4;
    private const int OrdersPerLog = 1250;
    private const int CallersPerLog = 64;
    private static readonly TimeSpan NetworkTimeout = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task Are_in_the_log_once_each_and_nobody_is_told_otherwise()
    {
        var start = Stopwatch.GetTimestamp();

        var runs = await Task.WhenAll(Enumerable.Range(0, Logs).Select(RunAsync));

        output.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        foreach (var fault in Enum.GetValues<WireFault>())
        {
            var (commits, others) = (runs.Sum(run => run.Commits[fault]), runs.Sum(run => run.Others[fault]));
            output.WriteLine($"{fault}: {commits} commits, {others} other requests");
            Assert.True(commits >= 15 && others >= 15, $"{fault} happened to {commits} commits and {others} other requests only.");
        }

        var (landed, unavailable, givenUp, unknown) = (
            runs.Sum(run => run.Landed), runs.Sum(run => run.Callers.Unavailable), runs.Sum(run => run.Callers.GivenUp),
            runs.Sum(run => run.Callers.Unknown));
        output.WriteLine($"{landed} landed late; callers: {unavailable} unavailable, {givenUp} given up, {unknown} unknown");
        Assert.True(landed >= 30, $"Only {landed} requests landed late.");
        Assert.True(unavailable >= 5, $"Only {unavailable} times a caller had to try again.");
        Assert.True(givenUp >= 10, $"Only {givenUp} times an impatient caller went to the other process.");
    }

    private static async Task<Run> RunAsync(int number)
    {
        await using var first = await FaultyProxy.StartAsync(new EachKindInTurn(2 * number).Next);
        await using var second = await FaultyProxy.StartAsync(new EachKindInTurn((2 * number) + 1).Next);
        var table = Azurite.NewTableName();
        await using var one = Open(first, table);
        await using var two = Open(second, table);
        var callers = new Callers(one, two);

        await Parallel.ForEachAsync(
            Enumerable.Range(0, OrdersPerLog),
            new ParallelOptions { MaxDegreeOfParallelism = CallersPerLog },
            async (order, _) => await callers.PlaceAndPayAsync(order));

        await Task.WhenAll(first.LandAllAsync(), second.LandAllAsync());
        await AssertAsConfirmedAsync(table, callers);
        return new Run(
            Enum.GetValues<WireFault>().ToDictionary(fault => fault, fault => first.Fired(fault, true) + second.Fired(fault, true)),
            Enum.GetValues<WireFault>().ToDictionary(fault => fault, fault => first.Fired(fault, false) + second.Fired(fault, false)),
            first.Landed + second.Landed,
            callers);
    }

    private static TestLog Open(FaultyProxy proxy, string table) =>
        TestLog.Open(proxy.ConnectionString, table, configure: options => options.Retry.NetworkTimeout = NetworkTimeout);

    private static async Task AssertAsConfirmedAsync(string table, Callers callers)
    {
        await using var log = TestLog.Open(await Azurite.ConnectionStringAsync(), table);
        var entries = await log.ReadAllAsync();
        var head = (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Head;

        Assert.Equal(Enumerable.Range(0, (int)head).Select(offset => (long)offset), entries.Select(entry => entry.Offset));
        Assert.Equal(entries.Select(entry => entry.Timestamp).Order(), entries.Select(entry => entry.Timestamp));
        var found = entries.ToLookup(entry => entry.Subject, entry => (entry.Type, entry.Version));
        Assert.Equal(OrdersPerLog, callers.Confirmed.Count);
        foreach (var (id, confirmed) in callers.Confirmed) Assert.Contains([.. found[$"order/{id}"]], confirmed.Allowed);
        Assert.Equal(callers.Confirmed.Count(order => found[$"order/{order.Key}"].Any()), found.Count);
        Assert.Equal(callers.Confirmed.Where(order => order.Value.HasKeys).Sum(order => found[$"order/{order.Key}"].Count()), await ReceiptsAsync(log));
    }

    private static async Task<int> ReceiptsAsync(TestLog log)
    {
        var receipts = 0;
        await foreach (var _ in log.Table.QueryAsync<TableEntity>("PartitionKey eq '0000' and RowKey ge 'r|'", select: ["RowKey"])) receipts++;
        return receipts;
    }

    private sealed record Run(
        IReadOnlyDictionary<WireFault, int> Commits, IReadOnlyDictionary<WireFault, int> Others, int Landed, Callers Callers);

    /// <summary>
    /// Commits: of each twelve attempts the second, and three in a row, which outlast the SDK's tries.
    /// Everything else: one in forty, and now and then a burst that outlasts them too. Each time the next kind.
    /// </summary>
    private sealed class EachKindInTurn(int start)
    {
        private static readonly WireFault[] Kinds = Enum.GetValues<WireFault>();
        private int _commits = -1;
        private int _others = -1;

        public WireFault? Next(ProxiedRequest request)
        {
            if (request.IsTransaction)
            {
                var commit = Interlocked.Increment(ref _commits);
                return commit % 12 is 1 or 6 or 7 or 8 ? Kind(commit / 12) : null;
            }

            var other = Interlocked.Increment(ref _others);
            return other % 40 == 7 || other % 400 is >= 200 and < 230 ? Kind(other / 40) : null;
        }

        private WireFault Kind(int turn) => Kinds[(start + turn) % Kinds.Length];
    }
}
