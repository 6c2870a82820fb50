using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Outpost.Forwarding;
using Outpost.Retention;

namespace Outpost.Testing;

/// <summary>Makes an app keep its log in memory.</summary>
public static class InMemoryLogServices
{
    /// <summary>
    /// Keeps the log in memory, in place of any store registered before. Use it for tests of a whole app, with its HTTP.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="partitions">Number of partitions of the log, 1 to <see cref="Limits.PartitionsMax"/>. Default 1.</param>
    public static IServiceCollection UseInMemoryLog(this IServiceCollection services, int partitions = 1)
    {
        services.AddSingleton(provider => new InMemoryLog(provider.GetRequiredService<TimeProvider>(), partitions));
        Use<IEventStore>();
        Use<IForwardingStore>();
        Use<IRetentionStore>();
        Use<IHeartbeatStore>();
        Use<IHistoryStore>();
        return services;

        void Use<TStore>()
            where TStore : class => services.Replace(ServiceDescriptor.Singleton(provider => (TStore)(object)provider.GetRequiredService<InMemoryLog>()));
    }
}
