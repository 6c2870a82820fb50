using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Outpost.Forwarding;

namespace Outpost;

/// <summary>
/// Logs at start, once, what will not work. Stops the start if going on would do harm: with a wrong partition count, subjects would
/// be looked for in the wrong partition.
/// </summary>
internal sealed partial class StartupCheck(
    IEventStore store, SettingsProblems settings, ForwardingEngine engine, IEnumerable<TargetOfSetting> targets, IConfiguration configuration, ILogger<StartupCheck> logger) : IHostedLifecycleService
{
    // Runs before the worker tells its host that it is there.
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        Check(new SettingReader(configuration), targets);
        foreach (var problem in settings.Problems) LogSetting(problem);
        // Nobody expects a further target that is not set, so its absence is not logged.
        foreach (var missing in targets.Where(target => !target.IsFurther && engine.Forwarders.All(forwarder => forwarder.Name != target.Forwarder)))
            LogNoTarget(missing.Setting, missing.Forwarder);
        try
        {
            var layout = await store.LayoutAsync(cancellationToken);
            LogLayout(layout.Log, new Amount(layout.Partitions, "partition", "partitions"));
        }
#pragma warning disable CA1031 // The store is unreachable, or a role is not in effect yet. This is not fatal: each request and each tick asks again.
        catch (Exception e) when (e is not LayoutMismatchException && !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNoStore(e);
        }
    }

    // A target that is set but that this app never adds would get nothing, and nobody would notice.
    internal static void Check(SettingReader read, IEnumerable<TargetOfSetting> targets)
    {
        var names = targets.Where(target => target.IsFurther).Select(target => target.Setting[TargetOfSetting.Group.Length..].Split("__")[0]);
        read.AllowOnly("Targets", [.. names]);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(30, LogLevel.Warning, "{Problem}")]
    private partial void LogSetting(string problem);

    [LoggerMessage(31, LogLevel.Information, "No {Setting} setting: the forwarder {Forwarder} does not run here; the event API serves the log")]
    private partial void LogNoTarget(string setting, string forwarder);

    [LoggerMessage(32, LogLevel.Information, "Log {Log} has {Partitions}")]
    private partial void LogLayout(string log, Amount partitions);

    [LoggerMessage(33, LogLevel.Error, "Table Storage does not answer, or does not let this app in; requests fail until it does")]
    private partial void LogNoStore(Exception exception);
}

/// <summary>Missing settings with which the app starts but cannot do all its work. They are found once, at start.</summary>
/// <param name="Problems">One sentence for each, with the setting's name.</param>
internal sealed record SettingsProblems(IReadOnlyList<string> Problems)
{
    internal static SettingsProblems Of(OutpostOptions options) => new(options is { HasOwnTimer: false, Schedule: null }
        ? [$"{OutpostOptions.ScheduleSetting} is missing: a six-field NCRONTAB expression is needed, or the timer never runs."]
        : []);
}

/// <summary>
/// A target that exists only if its setting does. Without the setting, the app logs so once, at start, unless it is a further
/// target, whose setting begins with <c>Targets__</c>.
/// </summary>
/// <param name="Setting">The setting's name.</param>
/// <param name="Forwarder">The forwarder's name.</param>
internal sealed record TargetOfSetting(string Setting, string Forwarder)
{
    internal const string Group = "Targets__";

    internal bool IsFurther => Setting.StartsWith(Group, StringComparison.Ordinal);
}
