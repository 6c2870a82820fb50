using Microsoft.Extensions.Hosting;
using Outpost.Forwarding;

namespace Outpost.Functions;

/// <summary>Forwards what this process commits right after the commit; the timer is there for everything else.</summary>
internal sealed class ForwardOnCommit(ForwardingEngine engine) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => engine.ForwardCommitsAsync(stoppingToken);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await engine.DisposeAsync();
    }
}
