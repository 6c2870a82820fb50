using Outpost.Tables;
using Outpost.Tests.Testing;
using Outpost.Tests.Testing.Contract;

namespace Outpost.Tests.Integration.Log;

public sealed class A_log_on_tables : LogContract
{
    private protected override async Task<ProcessesUnderTest> StartAsync(int partitions, int processes)
    {
        var logs = new List<TestLog> { await TestLog.CreateAsync(partitions) };
        while (logs.Count < processes) logs.Add(await logs[0].AnotherProcessAsync());
        return new ProcessesUnderTest([.. logs.Select(log => new LogUnderTest(
            log.Store, log.Checkpoints, new TableRetentionStore(log.Table, TestLog.Sources), new TableHeartbeatStore(log.Table, TestLog.Sources), new TableHistoryStore(log.Table, TestLog.Sources), TimeProvider.System, log))],
            partitions => new LogGrowth(logs[0].Table, logs[0].Clock, TestLog.Sources).GrowAsync(partitions, null, CancellationToken.None));
    }
}
