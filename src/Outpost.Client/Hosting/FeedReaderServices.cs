using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Outpost.Client;

/// <summary>Registers feed readers that run for as long as an app runs.</summary>
public static class FeedReaderServices
{
    /// <summary>
    /// Reads a feed while the app runs. <typeparamref name="THandler"/> handles each entry at least once, and comes
    /// from a service scope of its own each time. The reader retries, logs and measures (meter <c>Outpost.Client</c>)
    /// what may pass. Where somebody has to decide, the reader ends with a <see cref="FeedException"/>, and the app
    /// ends with it, unless <c>HostOptions.BackgroundServiceExceptionBehavior</c> says otherwise. The
    /// <see cref="FeedReader"/> is a service with the reader's name as its key; its <see cref="FeedReader.Progress"/> says
    /// how far it is.
    /// </summary>
    /// <typeparam name="THandler">The handler; registered as scoped, unless it is registered already.</typeparam>
    /// <param name="services">The app's services.</param>
    /// <param name="name">Names the reader, its options, and its logs and metrics.</param>
    /// <param name="configure">Says what to read. The options are checked when the app starts.</param>
    /// <exception cref="ArgumentException">There is a reader of this name already.</exception>
    public static IServiceCollection AddOutpostFeedReader<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string name, Action<HostedFeedOptions> configure)
        where THandler : class, IFeedHandler =>
        Add<THandler>(services, name, configure, keepsPositions: true, (feed, scopes, stop) =>
            feed.Reader.RunAsync(feed.Options.Positions!, (entry, end) => HandleAsync<THandler>(feed, scopes, entry, end), stop));

    /// <summary>
    /// As <see cref="AddOutpostFeedReader{THandler}"/>, but exactly once: <typeparamref name="THandler"/> handles whole
    /// pages, and stores the position in the transaction of its effect.
    /// </summary>
    /// <inheritdoc cref="AddOutpostFeedReader{THandler}"/>
    public static IServiceCollection AddOutpostFeedPageReader<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string name, Action<HostedFeedOptions> configure)
        where THandler : class, IFeedPageHandler =>
        Add<THandler>(services, name, configure, keepsPositions: false, (feed, scopes, stop) =>
            feed.Reader.RunAsync((partition, end) => LoadAsync<THandler>(scopes, partition, end), (page, end) => HandleAsync<THandler>(feed, scopes, page, end), stop));

    private static IServiceCollection Add<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        IServiceCollection services, string name, Action<HostedFeedOptions> configure, bool keepsPositions,
        Func<HostedFeed, IServiceScopeFactory, CancellationToken, Task> run)
        where THandler : class
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (services.Any(service => service.ServiceType == typeof(HostedFeed) && Equals(service.ServiceKey, name)))
            throw new ArgumentException($"There is a feed reader '{name}' already.", nameof(name));
        services.AddOptions<HostedFeedOptions>(name).Configure(configure).ValidateOnStart();
        services.AddSingleton<IValidateOptions<HostedFeedOptions>>(new Check(name, keepsPositions));
#pragma warning disable RS0030 // Here the host's own are passed in; an app or a test may register another clock before.
        services.TryAddSingleton(TimeProvider.System);
        var random = Random.Shared;
#pragma warning restore RS0030
        services.TryAddSingleton<FeedMetrics>();
        services.TryAddScoped<THandler>();
        services.AddKeyedSingleton(name, (provider, _) => new HostedFeed(
            name,
            provider.GetRequiredService<IOptionsMonitor<HostedFeedOptions>>().Get(name),
            provider.GetRequiredService<TimeProvider>(),
            random,
            provider.GetRequiredService<FeedMetrics>(),
            provider.GetRequiredService<ILogger<FeedReader>>()));
        services.AddKeyedSingleton(name, (provider, _) => provider.GetRequiredKeyedService<HostedFeed>(name).Reader);
        services.AddSingleton<IHostedService>(provider =>
        {
            var scopes = provider.GetRequiredService<IServiceScopeFactory>();
            return new HostedFeedService(provider.GetRequiredKeyedService<HostedFeed>(name), (feed, stop) => run(feed, scopes, stop));
        });
        return services;
    }

    private static async Task HandleAsync<THandler>(HostedFeed feed, IServiceScopeFactory scopes, FeedEntry entry, CancellationToken end)
        where THandler : class, IFeedHandler
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<THandler>().HandleAsync(entry, end);
        feed.Handled(entry.Partition, 1);
    }

    private static async Task<FeedPosition?> LoadAsync<THandler>(IServiceScopeFactory scopes, int partition, CancellationToken end)
        where THandler : class, IFeedPageHandler
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<THandler>().LoadAsync(partition, end);
    }

    private static async Task HandleAsync<THandler>(HostedFeed feed, IServiceScopeFactory scopes, FeedPage page, CancellationToken end)
        where THandler : class, IFeedPageHandler
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<THandler>().HandleAsync(page, end);
        feed.Handled(page.Next.Partition, page.Entries.Count);
    }

    private sealed class Check(string reader, bool keepsPositions) : IValidateOptions<HostedFeedOptions>
    {
        public ValidateOptionsResult Validate(string? name, HostedFeedOptions options) =>
            name != reader ? ValidateOptionsResult.Skip
            : options.Problem(keepsPositions) is { } problem ? ValidateOptionsResult.Fail($"Feed reader '{reader}': {problem}")
            : ValidateOptionsResult.Success;
    }
}
