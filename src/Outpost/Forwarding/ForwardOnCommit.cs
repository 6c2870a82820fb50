using Microsoft.Extensions.Hosting;
using Outpost.Retention;

namespace Outpost.Forwarding;

/// <summary>
/// Forwards what this process commits right after the commit. The timer does everything else, and this service stands in for a
/// timer that does not come.
/// </summary>
internal sealed class ForwardOnCommit(ForwardingEngine engine, Ticks ticks, Heartbeats heartbeats) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(engine.ForwardCommitsAsync(stoppingToken), ticks.ReplaceTimerAsync(stoppingToken));

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await engine.DisposeAsync();
        await heartbeats.StopAsync(cancellationToken);
    }
}
