using Azure.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Orders;
using Outpost.Tables;

namespace Outpost.Tests.Benchmarks;

/// <summary>What growing a log costs, and what one pays for its older entities after that. All are counts.</summary>
internal static class GrowthBenchmarks
{
    private const int Orders = 200;

    public static async Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        _ = options;
        Console.WriteLine("grow: from 1 partition to 4, and to 64");
        var name = Azurite.NewTableName();
        await using var before = new ForwardingProcess(await Azurite.ConnectionStringAsync(), name, 1);
        var orders = new OrderCommands();
        var ids = new string[Orders];
        for (var number = 0; number < Orders; number++) ids[number] = await orders.PlaceAsync(before.Log, withKey: true);

        foreach (var (partitions, older) in new[] { (4, 1), (64, 2) })
        {
            var requests = new RequestCounter();
            await GrowAsync(name, partitions, requests);
            figures.Sample($"grow.requests.to_{partitions}", requests.Now.All, "requests", "two for each new partition, and the layout's and the old heads' steps");

            // It remembers nothing yet. It has read the layout when its first command is done.
            await using var process = new ForwardingProcess(await Azurite.ConnectionStringAsync(), name, partitions);
            await orders.PlaceAsync(process.Log, withKey: true);
            figures.Sample(
                $"grow.requests_per_first_read.{older}_older", await ReadAsync(process, ids), "requests", "the newest place first, then older ones; some entities stay where they were");
            figures.Sample($"grow.requests_per_read.{older}_older", await ReadAsync(process, ids), "requests", "the place is remembered");
        }
    }

    private static async Task GrowAsync(string name, int partitions, RequestCounter requests)
    {
        var clock = new StoreClock(TestLog.Sources.Time, NullLogger<StoreClock>.Instance);
        var table = new TableStorageOptions { ConnectionString = await Azurite.ConnectionStringAsync(), TableName = name }
            .CreateClient(clock, each => each.AddPolicy(requests, HttpPipelinePosition.PerRetry));
        await new LogGrowth(table, clock, TestLog.Sources).GrowAsync(partitions, null, CancellationToken.None);
    }

    private static async Task<double> ReadAsync(ForwardingProcess process, string[] ids)
    {
        var before = process.Requests.Now;
        foreach (var id in ids)
        {
            if (await process.Log.ReadAsync(OrderDecisions.Entity, id, CancellationToken.None) is null)
                throw new InvalidOperationException($"Order {id} is not there.");
        }

        return (double)(process.Requests.Now - before).All / ids.Length;
    }
}
