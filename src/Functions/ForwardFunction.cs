using Microsoft.Azure.Functions.Worker;
using Outpost.Retention;

namespace Outpost.Functions;

/// <summary>The timer that brings what is new in the log to its targets, and deletes what is old.</summary>
public sealed class ForwardFunction(Ticks ticks)
{
    /// <summary>One run of all forwarders, then of retention.</summary>
    [Function("Forward")]
    public async Task RunAsync([TimerTrigger($"%{Settings.ScheduleName}%")] TimerInfo timer, CancellationToken cancellationToken)
    {
        try
        {
            await ticks.RunTimerAsync(timer.ScheduleStatus is { } status ? status.Next - DateTime.UtcNow : null, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown: what was delivered has its checkpoint, the rest is for the next run.
        }
    }
}
