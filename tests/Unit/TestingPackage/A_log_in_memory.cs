using Outpost.Testing;
using Outpost.Tests.Testing.Contract;

namespace Outpost.Tests.Unit.TestingPackage;

public sealed class A_log_in_memory : LogContract
{
    // All processes have the same object: it is as one table.
    private protected override Task<ProcessesUnderTest> StartAsync(int partitions, int processes)
    {
        var time = new HastyTime();
        var log = new InMemoryLog(time, partitions);
        return Task.FromResult(new ProcessesUnderTest([.. Enumerable.Range(0, processes).Select(_ => new LogUnderTest(log, log, log, log, log, time))], partitions =>
        {
            log.Grow(partitions);
            return Task.CompletedTask;
        }));
    }
}
