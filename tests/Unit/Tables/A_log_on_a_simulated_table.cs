using Outpost.Tables;
using Outpost.Tests.Testing.Contract;

namespace Outpost.Tests.Unit.Tables;

public sealed class A_log_on_a_simulated_table : LogContract
{
    private protected override Task<ProcessesUnderTest> StartAsync(int partitions, int processes)
    {
        var first = new SimulatedLog(partitions: partitions);
        return Task.FromResult(new ProcessesUnderTest([.. Enumerable.Range(0, processes).Select(process => Process(process == 0 ? first : first.AnotherProcess()))],
            partitions => new LogGrowth(first.Table, first.Clock, first.Sources).GrowAsync(partitions, null, CancellationToken.None)));
    }

    private static LogUnderTest Process(SimulatedLog log) => new(
        log.Store, log.Checkpoints, new TableRetentionStore(log.Table, log.Sources), new TableHeartbeatStore(log.Table, log.Sources), new TableHistoryStore(log.Table, log.Sources), log.Time, log);
}
