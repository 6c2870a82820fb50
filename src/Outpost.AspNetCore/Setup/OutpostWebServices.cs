using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Outpost.AspNetCore;
using Outpost.AspNetCore.OpenApi;
using Outpost.Retention;

namespace Outpost;

/// <summary>Sets up Outpost: the log in Table Storage, its forwarders, and what answers over HTTP.</summary>
public static class OutpostWebServices
{
    /// <inheritdoc cref="AddOutpost(IServiceCollection, Action{OutpostOptions}?)"/>
    /// <param name="builder">The app.</param>
    /// <param name="configure">Changes the options after the settings were read, so it wins over them.</param>
    public static OutpostBuilder AddOutpost(this IHostApplicationBuilder builder, Action<OutpostOptions>? configure = null) =>
        builder.Services.AddOutpost(configure);

    /// <summary>
    /// Sets up Outpost with the app's settings (docs/reference.md). Call it once, and add targets, handlers and events
    /// to what it returns. A bad setting stops the start.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configure">Changes the options after the settings were read, so it wins over them.</param>
    public static OutpostBuilder AddOutpost(this IServiceCollection services, Action<OutpostOptions>? configure = null)
    {
        var outpost = services.AddOutpostLog(configure).AddTableStorage();
        services.AddSingleton(provider => new Links(Options(provider).PublicUrl));
        services.AddSingleton(provider => new EventApiOptions(Options(provider).FinalMaxAge, Options(provider).Source)
        {
            WaitersMax = Options(provider).WaitersMax,
            Links = provider.GetRequiredService<Links>(),
            EventsKeptFor = provider.GetRequiredService<RetentionOptions>().EventsAtLeast,
        });
        services.AddSingleton<EventApi>();
        services.AddSingleton<PartitionApi>();
        services.AddSingleton<OperationsApi>();
        services.AddSingleton<HealthApi>();
        services.AddSingleton(provider => new DashboardPage(Options(provider).TraceUrl));
        services.AddSingleton<OpenApiDocument>();
        services.AddSingleton<ProblemPages>();
        // A function app registers its own way to find them.
        services.TryAddSingleton(provider => new AppEndpoints(() => MappedEndpoints.Of(provider.GetService<EndpointDataSource>())));
        services.AddSingleton<FaultBoundary>();
        services.AddSingleton(provider => new EntityApi(
            provider.GetRequiredService<EventLog>(), provider.GetRequiredService<Sources>(), provider.GetRequiredService<Links>(), provider.GetRequiredService<FaultBoundary>()));
        services.AddHealthChecks().AddCheck<OutpostHealthCheck>("outpost");
        services.AddHostedService<ScheduledTicks>();
        // Requests and deliveries under way have this long to end. Then the writers have their own few seconds.
        // Together they take at most 15 s.
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(9));
        return outpost;
    }

    private static OutpostOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<OutpostOptions>>().Value;
}
