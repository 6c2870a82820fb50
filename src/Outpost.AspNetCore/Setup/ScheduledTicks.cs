using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NCrontab;
using Outpost.Retention;

namespace Outpost.AspNetCore;

/// <summary>The timer of an app without a Functions host. It runs a tick whenever the schedule says so, in UTC.</summary>
internal sealed partial class ScheduledTicks(Ticks ticks, IOptions<OutpostOptions> options, TimeProvider time, ILogger<ScheduledTicks> logger) : BackgroundService
{
    /// <exception cref="InvalidSettingException">The setting is no schedule.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.HasOwnTimer) return Task.CompletedTask;
        _ = Schedule();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var schedule = Schedule();
        while (!stoppingToken.IsCancellationRequested)
        {
            var now = time.GetUtcNow().UtcDateTime;
            var next = schedule.GetNextOccurrence(now);
            await Task.Delay(next - now, time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (stoppingToken.IsCancellationRequested) return;
            try
            {
                await ticks.RunTimerAsync(schedule.GetNextOccurrence(next) - next, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // What was delivered has its checkpoint. The next run does the rest.
            }
#pragma warning disable CA1031 // After any fault, the next tick tries again.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogFailed(e);
            }
        }
    }

    private CrontabSchedule Schedule()
    {
        var text = options.Value.Schedule ?? OutpostOptions.ScheduleDefault;
        return CrontabSchedule.TryParse(text, new CrontabSchedule.ParseOptions { IncludingSeconds = true })
            ?? throw new InvalidSettingException(OutpostOptions.ScheduleSetting, text, $"a six-field NCRONTAB expression such as '{OutpostOptions.ScheduleDefault}'");
    }

    [LoggerMessage(25, LogLevel.Error, "A tick failed; the next one tries again")]
    private partial void LogFailed(Exception exception);
}
