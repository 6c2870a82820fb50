using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Outpost.Forwarding;
using Outpost.Retention;

namespace Outpost.Testing;

/// <summary>Has an app keep its log in memory.</summary>
public static class InMemoryLogServices
{
    /// <summary>
    /// Keeps the log in memory, in place of whatever store was registered before: for tests of a whole app, its HTTP included.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="partitions">How many partitions the log has.</param>
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
