using Outpost.RabbitMQ;

namespace Outpost;

/// <summary>Adds RabbitMQ as a target.</summary>
public static class RabbitMQServices
{
    /// <summary>
    /// Brings every entry to RabbitMQ, as the settings <c>Targets__RabbitMQ__…</c> say (docs/rabbitmq.md). Without the
    /// settings there is no such forwarder.
    /// </summary>
    /// <param name="outpost">What <c>AddOutpost</c> returned.</param>
    /// <param name="configure">Changes the options after the settings were read, so it wins over them.</param>
    public static OutpostBuilder AddRabbitMQ(this OutpostBuilder outpost, Action<RabbitMQOptions>? configure = null) => outpost.AddTarget<RabbitMQTarget, RabbitMQOptions>(
        "rabbitmq", "Targets__RabbitMQ__Uri", (options, configuration, app) => options.Read(configuration, app), options => options.Uri is not null, configure);
}
