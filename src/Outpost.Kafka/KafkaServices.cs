using Outpost.Kafka;

namespace Outpost;

/// <summary>Adds Kafka as a target.</summary>
public static class KafkaServices
{
    /// <summary>
    /// Brings every entry to Kafka or Event Hubs, as the settings <c>Targets__Kafka__…</c> say (docs/kafka.md). Without
    /// the settings there is no such forwarder.
    /// </summary>
    /// <param name="outpost">What <c>AddOutpost</c> returned.</param>
    /// <param name="configure">Changes the options after the settings were read, so it wins over them.</param>
    public static OutpostBuilder AddKafka(this OutpostBuilder outpost, Action<KafkaOptions>? configure = null) => outpost.AddTarget<KafkaTarget, KafkaOptions>(
        "kafka", "Targets__Kafka__BootstrapServers", (options, configuration, app) => options.Read(configuration, app), options => options is not { BootstrapServers: null, FullyQualifiedNamespace: null }, configure);
}
