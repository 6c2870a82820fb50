using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Tables;

namespace Outpost.Tests.Testing;

/// <summary>
/// The log as one process has it, in a world of virtual time. To be made, used and disposed inside the world's
/// <see cref="VirtualTime.Run(Func{Task})"/>, since its writers run where they were started.
/// </summary>
internal sealed class VirtualLog : IAsyncDisposable
{
    public VirtualLog(VirtualTime world, SimulatedTable table, Random random, int partitions = 1)
    {
        Sources = new Sources(world, () => NewId(random), random.NextDouble);
        Store = new TableEventStore(
            table, partitions, new StoreClock(world, NullLogger<StoreClock>.Instance), Sources, NullLogger.Instance);
        Log = new EventLog(Store, world);
    }

    public Sources Sources { get; }

    public TableEventStore Store { get; }

    public EventLog Log { get; }

    public ValueTask DisposeAsync() => Store.DisposeAsync();

    private static Guid NewId(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
