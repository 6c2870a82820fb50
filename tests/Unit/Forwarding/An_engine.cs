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

    // A new role is in effect only after minutes; whoever starts the app would end it with this task.
    [Fact]
    public async Task Outlasts_a_table_that_does_not_let_it_in_yet()
    {
        await using var log = new SimulatedLog();
        var (refused, letIn) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        log.Table.Faults = _ =>
        {
            if (++refused <= 3) return new TableFault.BeforeEffect(() => TableError.Status(403, "AuthorizationPermissionMismatch"));
            letIn.TrySetResult();
            return null;
        };
        var delivered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var target = new RecordingTarget { After = _ => { delivered.TrySetResult(); return Task.CompletedTask; } };
        await using var engine = log.Engine([new Forwarder("servicebus", target)]);
        using var stop = new CancellationTokenSource();

        var forwarding = engine.ForwardCommitsAsync(stop.Token);
        await await Task.WhenAny(letIn.Task, forwarding);
        await log.DoAsync(Tallies.Count("a", "a1"));
        await await Task.WhenAny(delivered.Task, forwarding);

        Assert.True(delivered.Task.IsCompleted);
        await stop.CancelAsync();
        await forwarding;
    }
}
