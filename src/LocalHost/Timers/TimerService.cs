using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Outpost.LocalHost;

/// <summary>Starts all timers once the host accepts requests, and lets their runs end when it stops.</summary>
internal sealed partial class TimerService(
    IReadOnlyList<(TimerPlan Plan, FunctionInvoker Invoker)> timers, TimerRecordFiles? files,
    IServiceScopeFactory scopes, IHostApplicationLifetime lifetime, TimeProvider time, ILoggerFactory loggers)
    : IHostedLifecycleService
{
    private readonly ILogger _logger = loggers.CreateLogger<TimerService>();
    private Task _running = Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _running = Task.WhenAll(timers.Select(timer => Task.Run(
            () => Loop(timer.Plan, timer.Invoker).RunAsync(lifetime.ApplicationStopping), CancellationToken.None)));
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _running.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            LeftBehind();
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private TimerLoop Loop(TimerPlan plan, FunctionInvoker invoker) => new(
        plan,
        async (info, cancellation) =>
        {
            await using var scope = scopes.CreateAsyncScope();
            await invoker.InvokeAsync(scope.ServiceProvider, new FunctionInputs(cancellation, Timer: info));
        },
        files, time, loggers.CreateLogger($"Function.{plan.Name}"));

    [LoggerMessage(1, LogLevel.Warning, "A timer was still running when the host had to stop")]
    private partial void LeftBehind();
}
