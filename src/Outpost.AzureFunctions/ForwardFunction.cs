using System.ComponentModel;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Retention;

namespace Outpost.AzureFunctions;

/// <summary>The timer that brings what is new in the log to its targets, and deletes what is old.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class ForwardFunction(IServiceProvider services)
{
    /// <summary>One run of all forwarders, then of retention.</summary>
    [Function("Forward")]
    public async Task RunAsync([TimerTrigger($"%{OutpostOptions.ScheduleSetting}%")] TimerInfo timer, CancellationToken cancellationToken)
    {
        try
        {
            await services.GetRequiredService<Ticks>().RunTimerAsync(Period(timer.ScheduleStatus), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown: what was delivered has its checkpoint, the rest is for the next run.
        }
    }

    /// <summary>
    /// From one tick to the next. At a run the host tells when the last one was and when this one was due; null: it tells
    /// nothing, or this is the first run (<see href="https://github.com/Azure/azure-webjobs-sdk-extensions"/>, TimerListener).
    /// </summary>
    internal static TimeSpan? Period(ScheduleStatus? status) =>
        status is { } told && told.Last != default && told.Next > told.Last ? told.Next - told.Last : null;
}
