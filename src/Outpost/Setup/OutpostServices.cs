using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Outpost.Forwarding;
using Outpost.Retention;

namespace Outpost;

/// <summary>Registers the log without HTTP. A web app or a function app calls <c>AddOutpost</c>, which includes this.</summary>
public static class OutpostServices
{
    /// <summary>
    /// Registers the log, its forwarders and retention. They need a store: <c>AddTableStorage</c> of Outpost.Tables, or a log in
    /// memory for tests.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configure">Changes the options; it wins over the settings.</param>
    public static OutpostBuilder AddOutpostLog(this IServiceCollection services, Action<OutpostOptions>? configure = null)
    {
        if (services.Any(service => service.ServiceType == typeof(OutpostMetrics)))
            throw new InvalidOperationException("Outpost is added twice: call AddOutpost once, and add targets and handlers to what it returns.");
        AddOptions(services, configure);
#pragma warning disable RS0030 // The real clock, ids and random numbers are passed in here. An app or a test may register others before.
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new Sources(provider.GetRequiredService<TimeProvider>(), Guid.NewGuid, Random.Shared.NextDouble));
#pragma warning restore RS0030
        services.AddSingleton<OutpostMetrics>();
        services.AddSingleton<StoreProblems>();
        services.AddSingleton(provider => new EventLog(
            provider.GetRequiredService<IEventStore>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<OutpostMetrics>()));
        services.AddSingleton<PartitionWatch>();
        services.AddSingleton(provider => provider.GetRequiredService<IEventStore>().Heads);
        AddForwarding(services);
        services.AddSingleton(provider => SettingsProblems.Of(provider.GetRequiredService<IOptions<OutpostOptions>>().Value));
        services.AddHostedService<StartupCheck>();
        services.AddHostedService<ForwardOnCommit>();
        return new OutpostBuilder(services, new EventTypes());
    }

    /// <summary>
    /// Runs the app. If a fault that somebody can correct stops the start (a setting, a log that does not fit), this method writes one
    /// line to standard error, without a stack trace, and returns 1.
    /// </summary>
    /// <returns>The exit code: 0, or 1 after such a fault.</returns>
    public static async Task<int> RunOutpostAsync(this IHost host, CancellationToken cancellationToken = default)
    {
        try
        {
            await host.RunAsync(cancellationToken);
            return 0;
        }
        catch (Exception e) when (e is InvalidSettingException or LayoutMismatchException or OptionsValidationException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static void AddOptions(IServiceCollection services, Action<OutpostOptions>? configure)
    {
        var options = services.AddOptions<OutpostOptions>()
            .Configure<IServiceProvider>((read, provider) =>
            {
                if (provider.GetService<IConfiguration>() is { } configuration) read.Read(configuration);
            })
            .ValidateOnStart();
        if (configure is not null) options.Configure(configure);
        services.AddSingleton<IValidateOptions<OutpostOptions>, OutpostOptionsCheck>();
    }

    private static void AddForwarding(IServiceCollection services)
    {
        services.AddSingleton<IReadOnlyList<Forwarder>>(provider =>
            [.. provider.GetServices<ForwarderRegistration>().Select(registration => registration.Make(provider)).OfType<Forwarder>()]);
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<OutpostOptions>>().Value;
            return new ForwardingOptions
            {
                Owner = $"{Environment.MachineName}-{Environment.ProcessId}-{provider.GetRequiredService<Sources>().NewId():N}"[..^20],
                Linger = options.Linger,
                Poll = options.Poll,
            };
        });
        services.AddSingleton(provider => new Heartbeats(
            provider.GetRequiredService<IHeartbeatStore>(),
            provider.GetRequiredService<ForwardingOptions>().Owner,
            [.. provider.GetRequiredService<IReadOnlyList<Forwarder>>().Select(forwarder => forwarder.Name)],
            provider.GetRequiredService<IOptions<OutpostOptions>>().Value.Schedule,
            () => provider.GetRequiredService<IEventStore>().Now,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new ForwardingEngine(
            provider.GetRequiredService<IEventStore>(),
            provider.GetRequiredService<IForwardingStore>(),
            provider.GetRequiredService<PartitionWatch>(),
            provider.GetRequiredService<IReadOnlyList<Forwarder>>(),
            provider.GetRequiredService<ForwardingOptions>(),
            provider.GetRequiredService<Sources>(),
            provider.GetRequiredService<OutpostMetrics>(),
            provider.GetRequiredService<ILogger<ForwardingEngine>>())
        {
            Heartbeats = provider.GetRequiredService<Heartbeats>(),
        });
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<OutpostOptions>>().Value;
            return new RetentionOptions(options.KeepEvents, options.KeepReceipts);
        });
        services.AddSingleton<RetentionRunner>();
        services.AddSingleton<Ticks>();
        services.AddSingleton(provider => new ForwarderOperations(
            provider.GetRequiredService<IEventStore>(),
            provider.GetRequiredService<IForwardingStore>(),
            provider.GetRequiredService<ForwardingEngine>(),
            provider.GetRequiredService<Sources>(),
            provider.GetRequiredService<Heartbeats>(),
            provider.GetService<IHistoryStore>())
        {
            Retention = provider.GetRequiredService<RetentionOptions>(),
        });
    }
}
