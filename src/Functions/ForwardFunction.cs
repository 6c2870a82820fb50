using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Forwarding;

namespace Outpost.Functions;

/// <summary>The timer that brings what is new in the log to its targets.</summary>
public sealed class ForwardFunction(IServiceProvider services)
{
    /// <summary>One run. Without a Service Bus setting there is nothing to do.</summary>
    [Function("Forward")]
    public async Task RunAsync([TimerTrigger("%Forwarder:Schedule%")] TimerInfo timer, CancellationToken cancellationToken)
    {
        _ = timer;
        if (services.GetService<Forwarder>() is { } forwarder) await forwarder.RunAsync(cancellationToken);
    }
}
