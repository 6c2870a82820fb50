using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Outpost.Kafka;
using Outpost.Retention;

namespace Outpost;

/// <summary>Adds Kafka as a target.</summary>
public static class KafkaServices
{
    /// <summary>
    /// Brings every entry to Kafka, or to Event Hubs, whose address the settings <c>Targets__Kafka__…</c> say (docs/kafka.md). Without that setting there is
    /// no such forwarder, and the app says so at start.
    /// </summary>
    /// <param name="outpost">What <c>AddOutpost</c> returned.</param>
    /// <param name="configure">Wins over the settings.</param>
    public static OutpostBuilder AddKafka(this OutpostBuilder outpost, Action<KafkaOptions>? configure = null)
    {
        var options = outpost.Services.AddOptions<KafkaOptions>().Configure<IServiceProvider>((read, provider) =>
        {
            if (provider.GetService<IConfiguration>() is { } configuration)
                read.Read(configuration, provider.GetRequiredService<IOptions<OutpostOptions>>().Value, provider.GetRequiredService<RetentionOptions>().EventsAtLeast);
        });
        if (configure is not null) options.Configure(configure);
        outpost.Services.AddSingleton(provider => new KafkaTarget(
            provider.GetRequiredService<IOptions<KafkaOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        outpost.Services.AddSingleton(new TargetOfSetting("Targets__Kafka__BootstrapServers", "kafka"));
        return outpost.AddTarget("kafka", provider =>
            provider.GetRequiredService<IOptions<KafkaOptions>>().Value is not { BootstrapServers: null, FullyQualifiedNamespace: null } ? provider.GetRequiredService<KafkaTarget>() : null);
    }
}
