using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class An_engine
{
    [Fact]
    public async Task May_be_disposed_by_more_than_one()
    {
        await using var log = new SimulatedLog();
        var engine = log.Engine([new Forwarder("servicebus", new RecordingTarget())]);
        await engine.RunAsync(CancellationToken.None);

        await engine.DisposeAsync();
        await engine.DisposeAsync();
    }

    [Fact]
    public async Task Leaves_it_to_others_to_say_that_the_log_has_another_partition_count()
    {
        await using var log = new SimulatedLog(partitions: 2);
        await log.Store.LayoutAsync(CancellationToken.None);
        await using var wrong = new SimulatedLog(log.Table, log.Time, partitions: 3);
        await using var engine = wrong.Engine([new Forwarder("servicebus", new RecordingTarget())]);

        await engine.ForwardCommitsAsync(CancellationToken.None);
    }
}
