using Outpost.ServiceBus;

namespace Outpost;

/// <summary>Adds Service Bus as a target.</summary>
public static class ServiceBusServices
{
    /// <summary>
    /// Brings every entry to Service Bus, to the topic that the settings <c>ServiceBus</c> and <c>Forwarder__Topic</c>
    /// name. Without the setting <c>ServiceBus</c> there is no such forwarder.
    /// </summary>
    /// <param name="outpost">What <c>AddOutpost</c> returned.</param>
    /// <param name="configure">Changes the options after the settings were read, so it wins over them.</param>
    public static OutpostBuilder AddServiceBus(this OutpostBuilder outpost, Action<ServiceBusOptions>? configure = null) => outpost.AddTarget<ServiceBusTarget, ServiceBusOptions>(
        "servicebus", ServiceBusOptions.Setting, (options, configuration, app) => options.Read(configuration, app), options => options is not { ConnectionString: null, FullyQualifiedNamespace: null }, configure);
}
