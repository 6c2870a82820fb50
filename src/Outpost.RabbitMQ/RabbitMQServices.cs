using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Outpost.RabbitMQ;
using Outpost.Retention;

namespace Outpost;

/// <summary>Adds RabbitMQ as a target.</summary>
public static class RabbitMQServices
{
    /// <summary>
    /// Brings every entry to RabbitMQ, whose address the settings <c>Targets__RabbitMQ__…</c> say (docs/rabbitmq.md). Without that setting there is
    /// no such forwarder, and the app says so at start.
    /// </summary>
    /// <param name="outpost">What <c>AddOutpost</c> returned.</param>
    /// <param name="configure">Wins over the settings.</param>
    public static OutpostBuilder AddRabbitMQ(this OutpostBuilder outpost, Action<RabbitMQOptions>? configure = null)
    {
        var options = outpost.Services.AddOptions<RabbitMQOptions>().Configure<IServiceProvider>((read, provider) =>
        {
            if (provider.GetService<IConfiguration>() is { } configuration)
                read.Read(configuration, provider.GetRequiredService<IOptions<OutpostOptions>>().Value, provider.GetRequiredService<RetentionOptions>().EventsAtLeast);
        });
        if (configure is not null) options.Configure(configure);
        outpost.Services.AddSingleton(provider => new RabbitMQTarget(
            provider.GetRequiredService<IOptions<RabbitMQOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        outpost.Services.AddSingleton(new TargetOfSetting("Targets__RabbitMQ__Uri", "rabbitmq"));
        return outpost.AddTarget("rabbitmq", provider =>
            provider.GetRequiredService<IOptions<RabbitMQOptions>>().Value is { Uri: not null } ? provider.GetRequiredService<RabbitMQTarget>() : null);
    }
}
