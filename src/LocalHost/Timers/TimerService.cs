using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Outpost.LocalHost.Protocol;

namespace Outpost.LocalHost;

/// <summary>Runs all timers of an app until it is stopped, and lets their runs end.</summary>
internal sealed partial class TimerService(WorkerSupervisor worker, TimerRecordFiles? files, TimeProvider time, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger<TimerService>();
    private Task _running = Task.CompletedTask;

    public void Start(IEnumerable<FunctionDefinition> functions, IConfiguration configuration, CancellationToken stopping)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var timers = functions.Where(function => function.Trigger is TimerFunctionTrigger)
            .Select(function => (Function: function, Plan: TimerPlan.For(function, configuration, now)))
            .Where(timer => timer.Plan is not null)
            .ToList();
        _running = Task.WhenAll(timers.Select(timer => Task.Run(
            () => Loop(timer.Plan!, timer.Function).RunAsync(stopping), CancellationToken.None)));
    }

    /// <summary>Waits for the runs under way, for this time at most.</summary>
    public async Task StopAsync(TimeSpan within)
    {
        try
        {
            await _running.WaitAsync(within);
        }
        catch (TimeoutException)
        {
            LeftBehind();
        }
    }

    private TimerLoop Loop(TimerPlan plan, FunctionDefinition function) =>
        new(plan, (tick, cancellation) => RunAsync(function, tick, cancellation), files, time, loggers.CreateLogger($"Function.{plan.Name}"));

    private async Task RunAsync(FunctionDefinition function, TimerTick tick, CancellationToken cancellation)
    {
        var session = await worker.SessionAsync(cancellation);
        var request = new InvocationRequest { InvocationId = Guid.NewGuid().ToString(), FunctionId = function.Id, TraceContext = new RpcTraceContext() };
        request.InputData.Add(new ParameterBinding { Name = function.Trigger.Parameter, Data = new TypedData { Json = tick.ToJson() } });
        var result = await worker.InvokeAsync(session, function.Name, request, cancellation);
        if (result.Status == StatusResult.Types.Status.Failure && !cancellation.IsCancellationRequested)
            throw new FunctionFailedException(result.Exception is { } failure ? $"{failure.Type} {failure.Message}".Trim() : result.Result);
    }

    [LoggerMessage(1, LogLevel.Warning, "A timer was still running when the host had to stop")]
    private partial void LeftBehind();
}

/// <summary>A function ended with an exception, which the worker has reported.</summary>
internal sealed class FunctionFailedException(string message) : Exception(message);
