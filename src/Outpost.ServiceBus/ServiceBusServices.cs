using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Outpost.ServiceBus;
using Outpost.Retention;

namespace Outpost;

/// <summary>Adds Service Bus as a target.</summary>
public static class ServiceBusServices
{
    /// <summary>
    /// Brings every entry to Service Bus, whose topic the settings <c>ServiceBus</c> and <c>Forwarder__Topic</c> say. Without that setting there is
    /// no such forwarder, and the app says so at start.
    /// </summary>
    /// <param name="outpost">What <c>AddOutpost</c> returned.</param>
    /// <param name="configure">Wins over the settings.</param>
    public static OutpostBuilder AddServiceBus(this OutpostBuilder outpost, Action<ServiceBusOptions>? configure = null)
    {
        var options = outpost.Services.AddOptions<ServiceBusOptions>().Configure<IServiceProvider>((read, provider) =>
        {
            if (provider.GetService<IConfiguration>() is { } configuration)
                read.Read(configuration, provider.GetRequiredService<IOptions<OutpostOptions>>().Value, provider.GetRequiredService<RetentionOptions>().EventsAtLeast);
        });
        if (configure is not null) options.Configure(configure);
        outpost.Services.AddSingleton(provider => new ServiceBusTarget(
            provider.GetRequiredService<IOptions<ServiceBusOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        outpost.Services.AddSingleton(new TargetOfSetting("ServiceBus", "servicebus"));
        return outpost.AddTarget("servicebus", provider =>
            provider.GetRequiredService<IOptions<ServiceBusOptions>>().Value is not { ConnectionString: null, FullyQualifiedNamespace: null } ? provider.GetRequiredService<ServiceBusTarget>() : null);
    }
}
