using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Outpost.Forwarding;

namespace Outpost;

/// <summary>
/// Says at start what will not work, once; and stops the start where going on would do harm: with another partition
/// count than the log has, subjects would be looked for in the wrong partition.
/// </summary>
internal sealed partial class StartupCheck(
    IEventStore store, SettingsProblems settings, ForwardingEngine engine, IEnumerable<TargetOfSetting> targets, IConfiguration configuration, ILogger<StartupCheck> logger) : IHostedLifecycleService
{
    // Before the worker tells its host that it is there.
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        Check(new SettingReader(configuration), targets);
        foreach (var problem in settings.Problems) LogSetting(problem);
        // Nobody expects further targets that nobody has set.
        foreach (var missing in targets.Where(target => !target.IsFurther && engine.Forwarders.All(forwarder => forwarder.Name != target.Forwarder)))
            LogNoTarget(missing.Setting, missing.Forwarder);
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

    // A target that is set and that this app never adds would get nothing, and nobody would hear of it.
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

    [LoggerMessage(32, LogLevel.Information, "Log {Log} with {Partitions} partitions")]
    private partial void LogLayout(string log, int partitions);

    [LoggerMessage(33, LogLevel.Error, "Table Storage does not answer, or does not let this app in; requests fail until it does")]
    private partial void LogNoStore(Exception exception);
}

/// <summary>Settings whose absence lets the app start but not do all its work; found once, at start.</summary>
/// <param name="Problems">A sentence each, with the setting's name.</param>
internal sealed record SettingsProblems(IReadOnlyList<string> Problems)
{
    internal static SettingsProblems Of(OutpostOptions options) => new(options is { HasOwnTimer: false, Schedule: null }
        ? [$"{OutpostOptions.ScheduleSetting} is missing: a six-field NCRONTAB expression is needed, or the timer never runs."]
        : []);
}

/// <summary>
/// A target that is there where its setting is. Where it is not, the app says so once, at start; of a further target, whose
/// setting begins with <c>Targets__</c>, it does not.
/// </summary>
/// <param name="Setting">The setting's name.</param>
/// <param name="Forwarder">The forwarder's name.</param>
internal sealed record TargetOfSetting(string Setting, string Forwarder)
{
    internal const string Group = "Targets__";

    internal bool IsFurther => Setting.StartsWith(Group, StringComparison.Ordinal);
}
