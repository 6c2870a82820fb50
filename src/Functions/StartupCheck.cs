using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Outpost.Forwarding;
using Outpost.AspNetCore;

namespace Outpost.Functions;

/// <summary>
/// Says at start what will not work, once; and stops the start where going on would do harm: with another partition
/// count than the log has, subjects would be looked for in the wrong partition.
/// </summary>
internal sealed partial class StartupCheck(
    IEventStore store, SettingsProblems settings, ForwardingEngine engine, ILogger<StartupCheck> logger) : IHostedLifecycleService
{
    // Before the worker tells its host that it is there.
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var problem in settings.Problems) LogSetting(problem);
        if (engine.Forwarders.All(forwarder => forwarder.Name != Wiring.ServiceBusForwarder)) LogNoServiceBus();
        try
        {
            var layout = await store.LayoutAsync(cancellationToken);
            LogLayout(layout.Log, layout.Partitions);
        }
#pragma warning disable CA1031 // Unreachable, or a role not yet in effect: not fatal, each request and each tick asks again.
        catch (Exception e) when (e is not LayoutMismatchException && !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNoStore(e);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(30, LogLevel.Warning, "{Problem}")]
    private partial void LogSetting(string problem);

    [LoggerMessage(31, LogLevel.Information, "No ServiceBus setting: nothing is forwarded to Service Bus; the event API serves the log")]
    private partial void LogNoServiceBus();

    [LoggerMessage(32, LogLevel.Information, "Log {Log} with {Partitions} partitions")]
    private partial void LogLayout(string log, int partitions);

    [LoggerMessage(33, LogLevel.Error, "Table Storage does not answer, or does not let this app in; requests fail until it does")]
    private partial void LogNoStore(Exception exception);
}
