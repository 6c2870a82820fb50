using System.ComponentModel;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Retention;

namespace Outpost.AzureFunctions;

/// <summary>The timer that forwards new entries to their targets and deletes old ones.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class ForwardFunction(IServiceProvider services)
{
    /// <summary>One tick: runs all forwarders, then retention.</summary>
    [Function("Forward")]
    public async Task RunAsync([TimerTrigger($"%{OutpostOptions.ScheduleSetting}%")] TimerInfo timer, CancellationToken cancellationToken)
    {
        try
        {
            await services.GetRequiredService<Ticks>().RunTimerAsync(Period(timer.ScheduleStatus), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The app stops. What was delivered has its checkpoint; the next run does the rest.
        }
    }

    /// <summary>
    /// The time from one tick to the next. At each run the host says when the last run was and when this one was due.
    /// Null: it says nothing, or this is the first run
    /// (<see href="https://github.com/Azure/azure-webjobs-sdk-extensions"/>, TimerListener).
    /// </summary>
    internal static TimeSpan? Period(ScheduleStatus? status) =>
        status is { } told && told.Last != default && told.Next > told.Last ? told.Next - told.Last : null;
}
