using Outpost.Forwarding;
using Outpost.Tests.Unit.Forwarding;
using Xunit.Abstractions;

namespace Outpost.Tests.Unit.Costs;

public sealed class What_a_backlog_costs(ITestOutputHelper output)
{
    private const int Entries = 20_000;

    // Batches of 256 KB and of 1 MB hold so many events of 1 KiB. A target that is slower than the store's round trip of
    // 10 ms, and one that is faster; a store that gives 2,000 rows a second, and one that gives more than anybody asks for.
    [Theory]
    [InlineData(182, 20, 2_000, 0.016)]
    [InlineData(182, 20, 1_000_000, 0.016)]
    [InlineData(182, 3, 1_000_000, 0.016)]
    [InlineData(719, 20, 2_000, 0.005)]
    [InlineData(719, 3, 1_000_000, 0.005)]
    public void Is_a_delivery_and_a_checkpoint_for_each_batch_and_a_page_for_a_thousand_entries(int batch, int takes, int rowsPerSecond, double most)
    {
        var world = new VirtualTime(new Random(1));
        var table = new SimulatedTable(world, exists: false)
        {
            Service = new TableService(world, new Random(1)) { PartitionEntitiesPerSecond = rowsPerSecond, AccountEntitiesPerSecond = 10 * rowsPerSecond },
        };
        world.Run(async () =>
        {
            var scene = new Scene(world, table, new Random(1));
            var writer = scene.Process("writer");
            for (var i = 0; i < Entries / 80; i++) await scene.CommitAsync(writer, events: 80);
            var target = new ScriptedTarget(async (_, entries, token) =>
            {
                await Task.Delay(TimeSpan.FromMilliseconds(takes), world, token);
                return new Delivery.Accepted(Math.Min(batch, entries.Count));
            });
            var process = scene.Process("a");
            var engine = process.Engine([new Forwarder(Scene.Name, target)], TimeSpan.Zero);
            table.ForgetRequests();
            var start = world.Elapsed;

            await process.Start(() => engine.RunAsync(CancellationToken.None));

            Assert.Equal(Entries, target.Offsets.Count);
            var perEvent = (table.Requests.Count + target.Begun) / (double)Entries;
            output.WriteLine($"{Entries / (world.Elapsed - start).TotalSeconds:F0} entries/s, {perEvent:F4} requests an entry");
            Assert.InRange(perEvent, 0, most);
        });
    }
}
